"""What a recording cannot see: each an error that says so, or a new plan."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import nn, optim
from course_utils.compiler import CannotCompile, compile_step
from course_utils.tape import Op, no_grad, record
from course_utils.tensor import Tensor, as_tensor, concatenate, stack, where
from course_utils.training import train_step

rng = np.random.default_rng(0)
X, LABELS = rng.standard_normal((9, 5)), rng.integers(0, 4, 9)
CE = Tensor.softmax_cross_entropy


pytestmark = pytest.mark.usefixtures("plain")


class Net(nn.Module):
    """Two layers; what happens between them, `between` says."""

    def __init__(self, between: Callable | None = None):
        draw = np.random.default_rng(1)
        self.first, self.last = nn.Linear(5, 8, draw), nn.Linear(8, 4, draw)
        self.between = between or (lambda self, h: h.relu())
        self.rng = np.random.default_rng(5)
        self.scale = 1.0

    def forward(self, x):
        """Logits."""
        return self.last(self.between(self, self.first(x)))


def made(between: Callable | None = None, kind: type = Net):
    net = kind(between) if kind is Net else kind()
    return net, optim.SGD(net.parameters(), 0.1, 0.9)


class Pair:
    """A compiled and an interpreted training of the same network."""

    def __init__(self, make: Callable, loss: Callable = CE):
        (self.net, self.optimizer), (self.other, self.reference) = make(), make()
        self.loss = loss
        self.step = compile_step(self.net, loss, self.optimizer)

    def go(self, x=X, y=LABELS) -> None:
        """One step of both, which have to agree."""
        found = self.step(x, y)
        expected = train_step(self.other, x, y, self.reference, self.loss)
        assert found == pytest.approx(expected, rel=1e-12)
        pairs = zip(self.net.parameters(), self.other.parameters(), strict=True)
        for p, q in pairs:
            np.testing.assert_allclose(p.data, q.data, 1e-12, 1e-12)

    @property
    def n_plans(self) -> int:
        """How many plans there are."""
        return sum(map(len, self.step.plans.values()))


def weights(net: nn.Module) -> list[np.ndarray]:
    return [p.data.copy() for p in net.parameters()]


def unchanged(net: nn.Module, before: list[np.ndarray]) -> bool:
    return all(
        np.array_equal(p.data, w, equal_nan=True)
        for p, w in zip(net.parameters(), before, strict=True)
    )


# --- a new plan -----------------------------------------------------------------------


def test_an_if_on_a_value_makes_a_plan_for_each_side():
    def between(self, h):
        return h.tanh() if h.data.mean() > 0 else h.relu()

    both = Pair(lambda: made(between))
    for sign in (1, -1, 1, 1, -1, -2):
        both.go(sign * X)
    assert both.n_plans == 2


def test_a_while_on_a_value_makes_a_plan_for_each_length():
    def between(self, h):
        while abs(h.data).max() > 2:
            h = h * 0.5
        return h.relu()

    both = Pair(lambda: made(between))
    for scale in (0.1, 1, 4, 1, 0.1):
        both.go(scale * X)
    assert both.n_plans == 3


def test_a_changed_shape_gets_a_plan_of_its_own():
    both = Pair(made)
    for n in (9, 4, 9, 1, 4):
        both.go(X[:n], LABELS[:n])
    assert both.n_plans == 3


def test_a_changed_dtype_gets_a_plan_of_its_own():
    both = Pair(made)
    both.go()
    both.go(X.astype(np.float32))
    assert both.n_plans == 2


def test_a_parameter_that_is_replaced_is_the_one_that_learns():
    both = Pair(made)
    both.go()
    for net in (both.net, both.other):
        net.first.W.data = np.random.default_rng(7).standard_normal((5, 8))
    old = both.net.first.W.data
    both.go()
    both.go()
    assert both.net.first.W.data is old and both.n_plans == 1


def test_a_parameter_of_another_dtype_makes_a_new_plan():
    both = Pair(made)
    both.go()
    for net in (both.net, both.other):
        net.first.b.data = net.first.b.data.astype(np.float32)
    both.step(X, LABELS)
    assert both.n_plans == 2


def test_a_replaced_state_of_the_optimizer_is_seen():
    both = Pair(made)
    both.go()
    for optimizer in (both.optimizer, both.reference):
        optimizer.velocities = [np.ones_like(v) for v in optimizer.velocities]
    both.go()
    both.go()
    assert both.n_plans == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda net: setattr(net, "scale", 3.0),
        lambda net: setattr(net, "between", lambda self, h: h.tanh()),
        lambda net: setattr(net, "act", nn.Tanh()),
        lambda net: net.more.append(nn.Tanh()),
        lambda net: setattr(type(net), "factor", 2.0),
    ],
    ids=["a number", "a function", "a module", "a longer list", "of the class"],
)
def test_a_changed_attribute_is_seen(change):
    class Settings(Net):
        factor = 1.0

        def __init__(self):
            super().__init__(lambda self, h: h.relu() * self.scale * self.factor)
            self.act, self.more = nn.Sigmoid(), []

        def forward(self, x):
            out = self.act(super().forward(x))
            for layer in self.more:
                out = layer(out)
            return out

    both = Pair(lambda: made(kind=Settings))
    both.go()
    for net in {both.net, both.other}:
        change(net)
    both.go()
    both.go()
    assert both.n_plans == 2


FACTOR = 1.0
SETTINGS = {"factor": 1.0, "unused": 0}
OBJECT = SimpleNamespace(power=1.0, unused=0)


def test_numbers_around_the_model_are_seen(monkeypatch):
    here = __name__
    factor = 1.0

    def loss(z, y):
        return CE(z, y) * FACTOR * SETTINGS["factor"] * factor * OBJECT.power

    both = Pair(made, loss)
    both.go()
    monkeypatch.setattr(f"{here}.FACTOR", 2.0)
    both.go()
    monkeypatch.setitem(SETTINGS, "factor", 2.0)
    both.go()
    factor = 0.5
    both.go()
    monkeypatch.setattr(OBJECT, "power", 3.0)
    both.go()
    assert both.n_plans == 5
    OBJECT.unused = 1
    both.go()
    assert both.n_plans == 5
    SETTINGS["unused"] = 1  # a key may come from anywhere: all of them are watched
    both.go()
    assert both.n_plans == 6


# --- right without a new plan ---------------------------------------------------------


def test_random_numbers_of_the_module_are_drawn_anew():
    def between(self, h):
        return h.relu() * (self.rng.random(h.shape) >= 0.5) / 0.5

    both = Pair(lambda: made(between))
    for n in (9, 4, 9, 9):
        both.go(X[:n], LABELS[:n])
    assert both.net.rng.random() == both.other.rng.random()


def test_what_was_drawn_in_vain_has_not_been_drawn():
    def between(self, h):
        h = h * (self.rng.random(h.shape) >= 0.5)
        return h.tanh() if h.data.mean() > 0 else h.relu()

    both = Pair(lambda: made(between))
    for sign in (1, -1, 1, 1, -1, -2):
        both.go(sign * X)
    assert both.net.rng.random() == both.other.rng.random()


def test_statistics_that_a_module_keeps_are_kept():
    def in_place(self, h):
        self.mean *= 0.9
        self.mean += 0.1 * h.data.mean(axis=0)
        return h.relu()

    def anew(self, h):
        self.mean = 0.9 * self.mean + 0.1 * h.data.mean(axis=0)
        return h.relu()

    class Keeps(Net):
        way = in_place

        def __init__(self):
            super().__init__(type(self).way)
            self.mean = np.zeros(8)

    for way in (in_place, anew):
        Keeps.way = staticmethod(way)
        both = Pair(lambda: made(kind=Keeps))
        for k in range(3):
            both.go((k + 1) * X)
        np.testing.assert_allclose(both.net.mean, both.other.mean, 1e-12)


def test_what_a_module_keeps_to_be_looked_at_is_that_of_the_last_step():
    def between(self, h):
        h = h.relu()
        self.hidden, self.array = h, h.data
        return h

    both = Pair(lambda: made(between))
    for k in range(3):
        both.go((k + 1) * X)
        assert isinstance(both.net.hidden, Tensor)
        np.testing.assert_allclose(both.net.hidden.data, both.other.hidden.data)
        np.testing.assert_allclose(both.net.array, both.other.array)
    assert both.n_plans == 1


@pytest.mark.parametrize(
    "look",
    [
        lambda h: h.T,
        lambda h: h[:, :3],
        lambda h: h[:, None],
        lambda h: h.reshape(-1),
        lambda h: np.sort(h.T * 2, axis=0),
        lambda h: np.split(h, [3], axis=1)[1],
        lambda h: h.mean(axis=0),
        lambda h: h.max(),
        lambda h: np.broadcast_to(h[:1], (4, 8)),
        lambda h: np.ones((2, 2)) + 0 * h.sum(),
    ],
)
def test_what_a_module_keeps_may_be_seen_in_another_way(look):
    """Turned, cut, or made by NumPy.

    (The axes of a turned one were forgotten, and what no loop makes was not found.)
    """

    def between(self, h):
        self.seen = look(h.data)
        return h.relu()

    both = Pair(lambda: made(between))
    both.net.seen = both.other.seen = None
    for k in (1, 3):
        both.go(k * X)
        np.testing.assert_allclose(both.net.seen, both.other.seen, 1e-12, 1e-12)


def test_the_batch_may_be_kept():
    class Keeps(Net):
        def forward(self, x):
            self.batch, self.rows = x, x[2:].T
            return super().forward(x)

    both = Pair(lambda: made(kind=Keeps))
    for k in (1, 2):
        both.go(k * X)
        np.testing.assert_array_equal(both.net.batch, k * X)
        np.testing.assert_array_equal(both.net.rows, k * X[2:].T)


def test_arithmetic_of_numpy_on_data_is_part_of_the_plan():
    def between(self, h):
        return (
            h * (1 / np.linalg.norm(self.first.W.data)) + np.sort(h.data, axis=1)[:, :1]
        )

    both = Pair(lambda: made(between))
    for _ in range(3):
        both.go()


def test_the_batch_may_be_prepared_by_numpy():
    class Prepares(Net):
        def forward(self, x):
            x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-3)
            return super().forward(x.reshape(len(x), -1))

    both = Pair(lambda: made(kind=Prepares))
    both.go()
    both.go(2 * X + 1)


C = np.linspace(-1, 1, 36).reshape(9, 4)
EDGES = np.ones((9, 1)), np.full((9, 3), 2.0)


@pytest.mark.parametrize(
    "between",
    [
        lambda h: concatenate([EDGES[0], h, EDGES[1]], 1),
        lambda h: concatenate([h, EDGES[1], h * 2], 1),
        lambda h: concatenate([C, h.T.reshape(9, 8), C], 1),
        lambda h: concatenate([h[:4], h[4:]]),
        lambda h: stack([h, np.ones((9, 8)), h * h], 1),
        lambda h: stack([np.ones((9, 8)), h], 2),
        lambda h: where(C[:, :1] > 0, h, EDGES[0]),
        lambda h: where(C[:, :1] > 0, 0.5, h),
        lambda h: where(h.data > 0, np.ones((9, 8)), h),
        lambda h: h * [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        lambda h: h + tuple(h.data.sum(axis=0) for _ in "1")[0],
        lambda h: h * np.add(h.data, [0.5] * 8).mean(),
        lambda h: h * np.maximum([[0.5] * 8] * 9, h.data),
        lambda h: h * np.where(h.data > 0, [1.0] * 8, [2.0] * 8),
        lambda h: h * np.stack([h.data[0], np.ones(8), h.data[1]]).mean(axis=0),
        lambda h: h * np.concatenate([EDGES[0], h.data[:, :7]], 1),
        lambda h: h + np.hstack([h.data[:, 3:], EDGES[1]]),
        lambda h: h * np.block([[h.data[:, 3:], EDGES[1]]]),
        lambda h: h * np.split(h.data, [2, 3], axis=1)[1],
        lambda h: h * np.array_split(h.data, 3, axis=1)[0].sum(),
        lambda h: h * np.modf(h.data)[0],
        lambda h: h * np.linalg.slogdet(h.data[:8])[1],
        lambda h: h * np.linalg.svd(h.data).S,
        lambda h: h * np.linalg.eigh(h.data[:8]).eigenvalues,
    ],
)
def test_arrays_in_lists_and_several_results(between):
    """What NumPy takes or gives as a list, its arrays not of one shape, symbols or not.

    `concatenate` of arrays that are not equally long failed: its gradients have as
    many shapes, and no shape together.
    """

    def flat(self, h):
        return between(h).reshape(9, -1)[:, :8]

    both = Pair(lambda: made(flat))
    both.go()
    both.go(0.5 * X)
    assert both.n_plans == 1


@pytest.mark.parametrize("n", [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (9, 8)])
def test_an_exponent_may_be_an_array(n, shape):
    both = Pair(lambda: made(lambda self, h: (h * h + 1) ** np.full(shape, n)))
    both.go()
    both.go(0.5 * X)


def test_a_vjp_without_a_rule_may_give_none():
    def scaled(x: Tensor, factor: Tensor) -> Tensor:
        """As `x * factor`, but the factor gets no gradient; no symbol follows it."""

        def vjp(g, y, x, factor):
            return np.array(np.asarray(g) * np.asarray(factor)), None

        op = Op("scaled", lambda x, factor: np.asarray(x) * np.asarray(factor), vjp)
        return record(Tensor, op, x, factor)

    both = Pair(lambda: made(lambda self, h: scaled(h, self.first.b)))
    both.go()
    both.go(2 * X)


def test_an_index_of_the_batch_is_read_anew():
    class Embedding(nn.Module):
        def __init__(self):
            draw = np.random.default_rng(0)
            self.table = nn.Parameter(draw.standard_normal((7, 5)))
            self.last = nn.Linear(5, 4, draw)

        def forward(self, ids):
            return self.last(self.table[ids])

    both = Pair(lambda: made(kind=Embedding))
    for seed in range(3):
        both.go(np.random.default_rng(seed).integers(0, 7, 9))


def test_data_changed_in_place_and_blocks_without_a_tape():
    def between(self, h):
        with no_grad():
            largest = self.first(X).max()
        h.data *= 2.0
        return h.relu() - largest

    both = Pair(lambda: made(between))
    both.go()
    both.go()


def times_row_sums(x: Tensor) -> Tensor:
    """An operation in a style that no symbol follows: loops, and arrays of its own."""

    def forward(x):
        out = np.empty_like(np.asarray(x))
        for i in range(len(x)):
            out[i] = float(np.sum(x[i])) * np.asarray(x[i])
        return out

    def vjp(g, y, x):
        x, g = np.asarray(x), np.asarray(g)
        return (g * x.sum(axis=1, keepdims=True) + (g * x).sum(axis=1, keepdims=True),)

    return record(Tensor, Op("row sums", forward, vjp), x)


def test_an_operation_without_a_rule_runs_as_it_does_today():
    both = Pair(lambda: made(lambda self, h: times_row_sums(h)))
    both.go()
    both.go(2 * X)
    assert "do_row_sums_1(" in both.step.source


# --- an error, and nothing has changed ------------------------------------------------


def look_at(between: Callable, match: str, kind: type = CannotCompile) -> None:
    """A model that is refused; its parameters stay."""
    net, optimizer = made(between)
    before = weights(net)
    with pytest.raises(kind, match=match):
        compile_step(net, CE, optimizer)(X, LABELS)
    assert unchanged(net, before) and all(p.grad is None for p in net.parameters())
    assert isinstance(net.first.W.data, np.ndarray)  # no symbol is left behind
    assert isinstance(optimizer.lr, float) and net.rng.random() >= 0


def printed(self, h):
    print(h.data.mean())
    return h


def told(self, h):
    print(f"{h.data.mean():.3f}")
    return h


GENERATOR = np.random.default_rng(3)


def gathered(self, h):
    self.all.append(h.data)
    return h


def test_a_print_is_refused_and_not_done_once():
    for between in (printed, told, lambda self, h: print(h) or h):
        look_at(between, r"step 1: the model \(Net\): something prints a value")


def test_numbers_that_leave_numpy_are_refused():
    for between in (
        lambda self, h: h * float(h.data.max()),
        lambda self, h: h * h.sum().item(),
        lambda self, h: h * h.data.tolist()[0][0],
        lambda self, h: h[: int(h.data.max())],
    ):
        look_at(
            between, r"step 1: the model \(Net\): float\(…\), int\(…\) or .item\(\)"
        )
    look_at(lambda self, h: h * np.asarray(h.data).max(), r"np.asarray")


def test_chance_from_elsewhere_is_refused():
    mask = "other constants each time it is recorded: chance"
    for between in (
        lambda self, h: h * (GENERATOR.random(h.shape) > 0.5),
        lambda self, h: h * np.random.default_rng().random(),
        lambda self, h: h + np.random.default_rng().normal(size=8),
    ):
        look_at(between, rf"step 1: the operation . in the model has {mask}")


def test_an_inner_module_is_named():
    class Loud(nn.Module):
        def forward(self, x):
            return as_tensor(x) * float(as_tensor(x).data.max())

    net = nn.Sequential(nn.Linear(5, 4, np.random.default_rng(0)), Loud())
    step = compile_step(net, CE, optim.SGD(net.parameters(), 0.1))
    with pytest.raises(CannotCompile, match=r"step 1: layers.1 \(Loud\): float"):
        step(X, LABELS)


def test_values_gathered_in_a_list_are_refused():
    class Gathers(Net):
        def __init__(self):
            super().__init__(gathered)
            self.all = []

    net, optimizer = made(kind=Gathers)
    with pytest.raises(
        CannotCompile, match="step 1: all gathers values during the step"
    ):
        compile_step(net, CE, optimizer)(X, LABELS)
    assert net.all == []


def test_changes_through_a_view_are_refused():
    def through_a_view(self, h):
        h.data[:, 1:3].T[...] += 1.0
        row = h.data[0]
        row += 1.0
        return h

    look_at(through_a_view, "changed in place through a view")

    def after_a_view(self, h):
        turned = h.data.T
        h.data += 1.0
        return h * turned.sum()

    look_at(after_a_view, "changed in place after a view of it")
    look_at(lambda self, h: h + np.add(h.data, 1, out=np.zeros((9, 8))), "out=")
    look_at(lambda self, h: h.data.sort() or h, "no attribute 'sort'", AttributeError)


def test_a_counter_is_noticed():
    class Counts(Net):
        def __init__(self):
            super().__init__(lambda self, h: h * self.n)
            self.n = 0

        def forward(self, x):
            self.n += 1
            return super().forward(x)

    both = Pair(lambda: made(kind=Counts))
    for _ in range(8):
        both.go()
    before = weights(both.net)
    with pytest.raises(CannotCompile, match=r"step 9: 8 plans .*the attribute 'n'"):
        both.go()
    assert unchanged(both.net, before)


def test_a_shape_that_changes_inside_a_step_names_the_operation():
    def between(self, h):
        kept = h.data[h.data > 0.5]
        return h.relu() + 0.0 * kept.mean()

    both = Pair(lambda: made(between))
    both.go()
    before = weights(both.net)
    with pytest.raises(ValueError, match=r"step 2: getitem in the model: getitem gave"):
        both.step(2 * X, LABELS)
    assert unchanged(both.net, before) and both.step.count == 1


def test_an_operation_that_complains_is_named():
    def forward(x):
        if np.asarray(x).max() > 50:
            raise ValueError("too large for me")
        return np.asarray(x) + 0.0

    picky = Op("picky", forward, lambda g, y, x: (np.asarray(g) * 1,))
    both = Pair(lambda: made(lambda self, h: record(Tensor, picky, h)))
    both.go()
    before = weights(both.net)
    with pytest.raises(
        ValueError, match="^step 2: picky in the model: too large for me"
    ):
        both.step(1000 * X, LABELS)
    assert unchanged(both.net, before)


def test_nan_is_named_with_operation_module_and_step():
    both = Pair(lambda: made(lambda self, h: (h * 1000.0).exp()))
    both.go(1e-9 * X)
    before = weights(both.net)
    said = "^step 2: softmax_cross_entropy: NaN in .*"
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match=said) as e,
    ):
        both.step(X, LABELS)
    assert str(e.value).endswith("not finite is that of exp in the model")
    assert unchanged(both.net, before)


def test_nan_in_a_parameter_or_in_the_batch_is_named():
    both = Pair(made)
    both.go()
    bad = X.copy()
    bad[3, 2] = np.nan
    before = weights(both.net)
    with pytest.raises(FloatingPointError, match="not finite is that of x$"):
        both.step(bad, LABELS)
    assert unchanged(both.net, before)
    both.net.last.W.data[0, 0] = np.nan
    with pytest.raises(FloatingPointError, match="not finite is that of last.W$"):
        both.step(X, LABELS)


def test_a_loss_that_overflows_takes_no_step():
    both = Pair(made, lambda z, y: (z * 1e200 * 1e200).mean() * 1e300)
    before = weights(both.net)
    with pytest.raises(FloatingPointError, match="^step 1: the loss is -?(inf|nan)"):
        both.step(X, LABELS)
    assert unchanged(both.net, before)


@pytest.mark.parametrize("bad", [LABELS + 3, LABELS - 1])
def test_labels_out_of_range_are_an_error_in_any_step(bad):
    both = Pair(made)
    for k in (1, 2):
        before = weights(both.net)
        with pytest.raises(ValueError, match=f"^step {k}.*labels lie in"):
            both.step(X, bad)
        assert unchanged(both.net, before)
        both.go()


def test_shapes_that_do_not_fit_are_an_error_with_the_layer():
    net, optimizer = made()
    with pytest.raises(ValueError, match=r"^step 1, first: linear: X \(9, 6\) has 6"):
        compile_step(net, CE, optimizer)(np.ones((9, 6)), LABELS)


def test_a_parameter_that_the_loss_does_not_reach_is_passed_by():
    class Half(Net):
        def forward(self, x):
            return self.first(x)[:, :4]

    both = Pair(lambda: made(kind=Half))
    before = both.net.last.W.data.copy()
    both.go()
    both.go()
    np.testing.assert_array_equal(both.net.last.W.data, before)


def test_a_step_forgets_gradients_and_is_noticed_as_a_change():
    net, optimizer = made()
    step = compile_step(net, CE, optimizer)
    loss = CE(net(X), LABELS)
    loss.backward()
    step(X, LABELS)
    assert all(p.grad is None for p in net.parameters())
    with pytest.raises(ValueError, match="a parameter was changed after"):
        loss.backward()


def test_no_parameter_with_a_gradient_is_an_error():
    net, optimizer = made()
    free = nn.Linear(5, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="no parameter has a gradient"):
        compile_step(free, CE, optimizer)(X, LABELS)


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (lambda x: 3.0, lambda z, y: z),
        (lambda x: Tensor(np.ones(3)), lambda z, y: z.sum()),
    ],
)
def test_a_loss_that_does_not_come_from_the_batch(model, loss):
    _, optimizer = made()
    with pytest.raises(CannotCompile, match="has to be a Tensor computed from x"):
        compile_step(model, loss, optimizer)(X, LABELS)


def test_two_parameters_in_one_memory_are_refused():
    net, optimizer = made()
    net.last.W.data = np.zeros((8, 8))[:, :4]
    net.first.b.data = net.last.W.data[0].base[0]
    with pytest.raises(CannotCompile, match="first.b and last.W share memory"):
        compile_step(net, CE, optimizer)(X, LABELS)


def test_a_parameter_that_cannot_be_written_is_refused():
    net, optimizer = made()
    net.first.W.data.flags.writeable = False
    with pytest.raises(CannotCompile, match="first.W cannot be written"):
        compile_step(net, CE, optimizer)(X, LABELS)


def test_after_an_error_while_recording_everything_is_as_before():
    def broken(self, h):
        raise KeyError("mine")

    net, optimizer = made(broken)
    before = {**vars(net)}, {**vars(optimizer)}
    with pytest.raises(KeyError):
        compile_step(net, CE, optimizer)(X, LABELS)
    assert ({**vars(net)}, {**vars(optimizer)}) == before
    assert isinstance(net.first.W.data, np.ndarray)
    from course_utils import functional as F

    assert F.relu.__name__ == "relu" and F.relu(np.float64(-1)) == 0.0
    assert isinstance(Op("a", None, None).forward, type(None))
