"""What lies around a step or a loss, and may change: never an old answer."""

from __future__ import annotations

import sys
from functools import partial
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from course_utils import nn, optim
from course_utils.compiler import CannotCompile, compile_loss, compile_step
from course_utils.compiler.around import MANY_THINGS, is_foreign
from course_utils.tape import no_grad
from course_utils.tensor import Tensor
from course_utils.training import train_step

X = np.random.default_rng(0).standard_normal((6, 5))
LABELS = np.arange(6) % 4
CE = Tensor.softmax_cross_entropy
ONES = np.ones(3)


pytestmark = pytest.mark.usefixtures("plain")


class Net(nn.Module):
    """One layer; what comes behind it, `behind` says."""

    factor = 1.0

    def __init__(self, behind=None):
        self.layer = nn.Linear(5, 4, np.random.default_rng(1))
        self.behind = behind or (lambda self, z: z)
        self.settings = SimpleNamespace(
            scale=1.0, inner=SimpleNamespace(shift=np.zeros(4))
        )

    def forward(self, x):
        """Logits."""
        return self.behind(self, self.layer(x))


class Both:
    """A compiled and an interpreted training of the same network."""

    def __init__(self, behind=None, loss=CE):
        self.nets = [Net(behind), Net(behind)]
        self.optimizers = [optim.SGD(n.parameters(), 0.1, 0.9) for n in self.nets]
        self.loss = loss
        self.step = compile_step(self.nets[0], loss, self.optimizers[0])

    def go(self):
        """One step of both, which have to agree."""
        expected = train_step(
            self.nets[1], X, LABELS, self.optimizers[1], self.step.loss
        )
        assert self.step(X, LABELS) == pytest.approx(expected, rel=1e-12)
        for p, q in zip(*(n.parameters() for n in self.nets), strict=True):
            np.testing.assert_allclose(p.data, q.data, 1e-12, 1e-12)

    @property
    def n_plans(self):
        return sum(map(len, self.step.plans.values()))


FACTOR = 1.0
CONSTANTS = ModuleType("constants_of_a_user")


def scaled(z):
    return z * FACTOR


class Smooth:
    """A loss that is an object, with a number of its own, and one of its class."""

    bias = 0.0

    def __init__(self):
        self.factor = 1.0

    def __call__(self, z, y):
        return CE(z, y) * self.factor + self.bias


class Settings:
    factor = 1.0


# --- around the loss ------------------------------------------------------------------


def changes(where: str):
    """A loss, and a function that changes what it takes from around it."""
    smooth, table, numbers = Smooth(), {"k": 1.0}, [1.0, 2.0]
    if where == "a global name of a helper":
        return lambda z, y: CE(scaled(z), y), lambda m: m.setattr(__here, "FACTOR", 3.0)
    if where == "a helper":
        return lambda z, y: CE(scaled(z), y), lambda m: m.setattr(
            __here, "scaled", lambda z: z * 5
        )
    if where == "a constant of a module":
        CONSTANTS.factor = 1.0
        return lambda z, y: CE(z, y) * CONSTANTS.factor, lambda m: m.setattr(
            CONSTANTS, "factor", 3.0
        )
    if where == "a number in a list":
        return lambda z, y: CE(z, y) * numbers[0], lambda m: numbers.reverse()
    if where == "a number in a dict, by a key from elsewhere":
        key = "k"
        return lambda z, y: CE(z, y) * table[key], lambda m: m.setitem(table, "k", 3.0)
    if where == "an object's number":
        return smooth, lambda m: m.setattr(smooth, "factor", 3.0)
    if where == "a number of the object's class":
        return smooth, lambda m: m.setattr(Smooth, "bias", 3.0)
    if where == "a number of a class":
        return lambda z, y: CE(z, y) * Settings.factor, lambda m: m.setattr(
            Settings, "factor", 3.0
        )
    if where == "the object of a method":
        return smooth.__call__, lambda m: m.setattr(smooth, "factor", 3.0)
    if where == "an argument of a partial":
        f = partial(lambda table, z, y: CE(z, y) * table["k"], table)
        return f, lambda m: m.setitem(table, "k", 3.0)
    assert where == "a default"

    def loss(z, y, factor=1.0):
        return CE(z, y) * factor

    return loss, lambda m: m.setattr(loss, "__defaults__", (3.0,))


__here = sys.modules[__name__]


@pytest.mark.parametrize(
    "where",
    [
        "a global name of a helper",
        "a helper",
        "a constant of a module",
        "a number in a list",
        "a number in a dict, by a key from elsewhere",
        "an object's number",
        "a number of the object's class",
        "a number of a class",
        "the object of a method",
        "an argument of a partial",
        "a default",
    ],
)
def test_what_a_loss_reads_is_watched(where, monkeypatch):
    loss, change = changes(where)
    both = Both(loss=loss)
    both.go()
    both.go()
    assert both.n_plans == 1
    change(monkeypatch)
    both.go()
    both.go()
    assert both.n_plans == 2


def test_names_that_are_only_attributes_somewhere_are_not_globals(monkeypatch):
    """The loss asks a tensor for its `mean`; a global name `mean` is another thing."""
    monkeypatch.setitem(globals(), "mean", 0.0)
    both = Both(loss=lambda z, y: (z * z).mean())
    for k in range(3):
        globals()["mean"] = float(k)
        both.go()
    assert both.n_plans == 1


def test_a_weight_that_the_loss_reads_is_that_of_the_step():
    boxes = [[], []]
    losses = [
        lambda z, y, box=box: CE(z, y) + (box[0].layer.W * box[0].layer.W).sum() * 0.1
        for box in boxes
    ]
    both = Both(loss=losses[0])
    for box, net in zip(boxes, both.nets, strict=True):
        box.append(net)
    for _ in range(3):
        found = both.step(X, LABELS)
        expected = train_step(both.nets[1], X, LABELS, both.optimizers[1], losses[1])
        assert found == pytest.approx(expected, rel=1e-12)
    assert both.n_plans == 1


# --- around the model -----------------------------------------------------------------


def test_objects_that_a_module_holds_are_watched():
    both = Both(lambda self, z: z * self.settings.scale + self.settings.inner.shift)
    both.go()
    for net in both.nets:
        net.settings.scale = 3.0
    both.go()
    for net in both.nets:
        net.settings.inner.shift += np.arange(4.0)  # in place: the plan reads it
    both.go()
    assert both.n_plans == 2
    for net in both.nets:
        net.settings.inner.shift = np.ones(4)
    both.go()
    assert both.n_plans == 3


def test_what_a_method_of_a_module_reads_is_watched(monkeypatch):
    class Helped(Net):
        def scale(self):
            return FACTOR

        def forward(self, x):
            return self.layer(x) * self.scale()

    monkeypatch.setattr(__here, "Net", Helped)
    both = Both()
    both.go()
    monkeypatch.setattr(__here, "FACTOR", 3.0)
    both.go()
    assert both.n_plans == 2


def test_a_parameter_that_is_frozen_stays():
    both = Both()
    both.go()
    for freeze in (True, False):
        for net in both.nets:
            net.layer.W.requires_grad = not freeze
        before = both.nets[0].layer.W.data.copy()
        both.go()
        both.go()
        assert np.array_equal(before, both.nets[0].layer.W.data) == freeze
    assert both.n_plans == 2


def test_parts_of_a_step_may_be_replaced():
    both = Both()
    both.go()
    both.optimizers = [optim.Adam(n.parameters(), 0.01) for n in both.nets]
    both.step.optimizer = both.optimizers[0]
    both.go()
    both.step.loss = lambda z, y: CE(z, y) * 2
    both.go()
    both.nets = [Net(lambda self, z: z.tanh()) for _ in both.nets]
    both.optimizers = [optim.Adam(n.parameters(), 0.01) for n in both.nets]
    both.step.model, both.step.optimizer = both.nets[0], both.optimizers[0]
    both.go()
    both.go()
    assert both.n_plans == 4


def test_within_no_grad_a_step_is_refused_as_by_the_interpreter():
    both = Both()
    both.go()
    with no_grad(), pytest.raises(ValueError, match="nothing here requires a gradient"):
        both.step(X, LABELS)
    both.go()


# --- around a function of arrays ------------------------------------------------------


def test_a_model_in_a_closure_is_watched():
    net = nn.MLP([5, 4, 4], np.random.default_rng(0))
    loss = compile_loss(lambda x: CE(net(x), LABELS))

    def agree():
        assert loss(X) == pytest.approx(CE(net(X), LABELS).item(), rel=1e-14)

    agree()
    net.layers[0].W.data *= 2  # in place
    agree()
    assert sum(map(len, loss.plans.values())) == 1
    net.layers[0].W.data = net.layers[0].W.data * 2
    agree()
    net.layers = (*net.layers, nn.Tanh())
    agree()
    assert sum(map(len, loss.plans.values())) == 3


def test_a_model_in_a_closure_may_switch_between_train_and_eval():
    net = nn.Sequential(nn.Dropout(0.5, np.random.default_rng(0))).eval()
    loss = compile_loss(lambda x: net(x).sum())
    assert loss(ONES) == loss(ONES) == 3.0
    net.train()
    with pytest.raises(CannotCompile, match="chance, or a counter"):
        loss(ONES)


@pytest.mark.parametrize("size", [1, 3])
def test_arrays_around_that_are_changed_in_place(size):
    a, b = np.ones(size), np.ones(size)
    loss = compile_loss(lambda x: (x * a + x * b).sum())
    assert loss(ONES) == 6.0
    b[:] = 4.0
    assert loss(ONES) == 15.0
    assert sum(map(len, loss.plans.values())) == 1


def test_arrays_around_that_numpy_computes_with_beforehand():
    y, whole = np.zeros(3), np.zeros(3, int)
    loss = compile_loss(
        lambda x: ((x - 2 * y) ** 2).sum() + Tensor.mse(Tensor(x), whole)
    )
    assert loss(ONES) == 3.0 + 1.0
    y += 1.0
    assert loss(ONES) == 3.0 + 1.0
    y += 1.0
    assert loss(ONES) == 27.0 + 1.0
    whole += 1
    assert loss(ONES) == 27.0
    assert loss(2 * ONES) == 12.0 + 1.0


@pytest.mark.parametrize(
    "holder",
    [SimpleNamespace(w=SimpleNamespace(w=ONES)), {"w": {"w": ONES}}, [[ONES]]],
)
def test_an_array_in_something_around_may_be_replaced(holder):
    first = 0 if isinstance(holder, list) else "w"

    def inner():
        return holder.w if isinstance(holder, SimpleNamespace) else holder[first]

    def array():
        found = inner()
        return found.w if isinstance(found, SimpleNamespace) else found[first]

    loss = compile_loss(lambda x: (x * array()).sum())
    assert loss(ONES) == 3.0
    found = inner()
    if isinstance(found, SimpleNamespace):
        found.w = 0 * ONES
    else:
        found[first] = 0 * ONES
    assert loss(ONES) == 0.0


def test_a_long_list_is_data_and_is_not_gone_through():
    long, few = [1.0] * (MANY_THINGS + 1), [1.0] * MANY_THINGS
    loss = compile_loss(lambda x: x.sum() * long[0] * few[0])
    assert loss(ONES) == 3.0
    watched = next(iter(loss.plans.values()))[0].program.watched
    holders = [holder for holder, *_ in watched]
    assert not any(x is long for x in holders)
    assert sum(x is few for x in holders) == MANY_THINGS + 1


def test_packages_are_not_gone_through():
    assert is_foreign("numpy.linalg") and is_foreign("json") and is_foreign("math")
    assert is_foreign("mine", "/env/lib/site-packages/mine.py")
    assert not is_foreign("mine", "/home/mine.py") and not is_foreign("__main__")
    assert not is_foreign(None)


def test_an_empty_cell_is_no_hindrance():
    def loss(x):
        return x.sum() if x.shape else later  # noqa: F821 — never set

    if X.size == 0:
        later = 0.0
    assert compile_loss(loss)(ONES) == 3.0
