"""A compiled step in rough hands: copies, threads, interruptions, odd arguments."""

from __future__ import annotations

import copy
import pickle
import sys
from threading import Thread

import numpy as np
import pytest

from course_utils import functional as F
from course_utils import nn, optim
from course_utils.compiler import (
    CannotCompile,
    compile_loss,
    compile_step,
    jit,
    scalars,
    watching,
)
from course_utils.tape import Op
from course_utils.tensor import Tensor
from course_utils.training import train_step
from tests.course_utils.compiler.plain import Plain

X = np.random.default_rng(0).standard_normal((9, 5))
LABELS = np.arange(9) % 4
CE = Tensor.softmax_cross_entropy


pytestmark = pytest.mark.usefixtures("plain")


def made(seed=1, *between):
    draw = np.random.default_rng(seed)
    net = nn.Sequential(
        nn.Linear(5, 8, draw), *between, nn.ReLU(), nn.Linear(8, 4, draw)
    )
    return net, optim.SGD(net.parameters(), 0.1, 0.9)


def stepping(seed=1, *between):
    net, optimizer = made(seed, *between)
    return net, compile_step(net, CE, optimizer)


def weights(net):
    return [p.data.copy() for p in net.parameters()]


def same(net, before):
    return all(map(np.array_equal, weights(net), before))


# --- copies ---------------------------------------------------------------------------


def loss_of(z, y):
    return CE(z, y)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_of_a_step_trains_the_copy(copied):
    net, optimizer = made()
    step = compile_step(net, loss_of, optimizer)
    step(X, LABELS)
    other, again = copied((net, step))
    before = weights(net)
    assert again.model is other and again.count == 1
    value = again(X, LABELS)
    assert same(net, before) and not same(other, before)
    assert step(X, LABELS) == value
    assert same(net, weights(other))


def total(x):
    return (x * x).sum()


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_of_a_loss_makes_plans_of_its_own(copied):
    loss, x = compile_loss(total), np.ones(200)
    assert loss.but_for(0, x)() == 200.0 and loss.rests
    other = copied(loss)
    assert not other.rests
    assert other.but_for(0, 2 * x)() == 800.0
    assert len(other.plans) == 1 and other.plans is not loss.plans
    assert not loss.rests.keys() & other.rests.keys()


# --- threads --------------------------------------------------------------------------


def in_threads(*functions):
    """Run functions side by side, often interrupted; their errors."""
    errors = []

    def run(f):
        try:
            f()
        except Exception as error:
            errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [Thread(target=run, args=(f,)) for f in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    return errors


def test_steps_may_be_recorded_in_several_threads():
    forward, relu = Op.forward, F.relu

    def race(seed):
        net, step = stepping(seed)
        other, optimizer = made(seed)
        for n in (9, 4, 9):
            found = step(X[:n], LABELS[:n])
            expected = train_step(other, X[:n], LABELS[:n], optimizer, CE)
            np.testing.assert_allclose(found, expected, 1e-12)

    assert in_threads(*(lambda seed=seed: race(seed) for seed in range(3))) == []
    assert Op.forward is forward and F.relu is relu


def test_another_thread_may_import_while_a_loss_is_recorded(monkeypatch):
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    is_course = watching.is_course

    def importing(name):
        sys.modules.setdefault(f"new_{name}", sys)
        return is_course(name)

    monkeypatch.setattr(watching, "is_course", importing)
    assert compile_loss(total)(np.ones(3)) == 3.0


def test_threads_that_share_a_plan_wait_for_each_other():
    loss = compile_loss(lambda x: (x @ x.T).sum())
    loss(X)

    def ask(k):
        expected = ((k * X) @ (k * X).T).sum()
        for _ in range(100):
            assert loss(k * X) == pytest.approx(expected, rel=1e-12)

    assert in_threads(*(lambda k=k: ask(k) for k in (1, 2, 3))) == []


def test_threads_that_hold_the_others_wait_for_each_other():
    loss = compile_loss(lambda W: np.abs(W @ W.T).sum())
    Ws = [np.random.default_rng(k).standard_normal((9, 25)) for k in range(3)]
    values = [loss.but_for(0, W) for W in Ws]

    def ask(value, expected):
        for _ in range(400):
            assert value() == expected

    pairs = [(value, value()) for value in values]
    assert in_threads(*(lambda p=p: ask(*p) for p in pairs)) == []


def sum_or_squares(W, v):
    return W.sum() if v[0] > 0 else (W * W).sum()


def test_no_other_plan_comes_between_a_loss_and_what_it_holds(monkeypatch):
    loss = compile_loss(sum_or_squares)
    W, v = np.full((4, 50), 3.0), np.ones(1)
    run = loss.run

    def followed(given):
        value, thread = run(given), Thread(target=run, args=((W, -v),))
        thread.start()
        thread.join(0.2)  # it waits if it has to
        return value

    with monkeypatch.context() as patch:
        patch.setattr(loss, "run", followed)
        value = loss.but_for(0, W, v)
    assert value() == W.sum() and loss(W, -v) == (W * W).sum()


# --- the loops of these tests ---------------------------------------------------------


def test_plain_loops_are_plain_in_every_module_of_a_plan():
    package = "course_utils.compiler."
    modules = [m for name, m in sys.modules.items() if name.startswith(package)]
    own = (jit, scalars, watching)  # those ask for Numba, or not, in their own way
    users = [m for m in modules if hasattr(m, "compiled") and m not in own]
    assert len(users) >= 3
    assert all(isinstance(m.compiled(total), Plain) for m in users)


# --- interruptions --------------------------------------------------------------------


class Impatient(nn.Module):
    """Stops everything, as Ctrl-C would, until it is patient."""

    patient = False

    def forward(self, x):
        if not self.patient:
            raise KeyboardInterrupt
        return x


def test_an_interrupted_recording_leaves_everything_as_it_was():
    module, (other, optimizer) = Impatient(), made()
    net, step = stepping(1, module)
    before, forward = weights(net), Op.forward
    with pytest.raises(KeyboardInterrupt):
        step(X, LABELS)
    assert same(net, before) and Op.forward is forward
    module.patient = True
    expected = train_step(other, X, LABELS, optimizer, CE)
    assert step(X, LABELS) == pytest.approx(expected, rel=1e-12)


# --- arrays that cannot be written ----------------------------------------------------


def replaced(net):
    array = net.layers[2].W.data.copy()
    array.flags.writeable = False
    net.layers[2].W.data = array


def locked(net):
    net.layers[2].W.data.flags.writeable = False


@pytest.mark.parametrize("lock", [replaced, locked])
def test_a_parameter_that_cannot_be_written_any_more_is_no_half_step(lock):
    net, step = stepping()
    step(X, LABELS)
    lock(net)
    before = weights(net)
    with pytest.raises(CannotCompile, match=r"layers\.2\.W cannot be written"):
        step(X, LABELS)
    assert same(net, before)


def test_numba_meets_a_parameter_that_cannot_be_written():
    net, step = stepping()
    step(X, LABELS)
    locked(net)
    before = weights(net)
    with pytest.raises(CannotCompile, match=r"layers\.2\.W cannot be written"):
        step(X, LABELS)
    assert same(net, before)
    net.layers[2].W.data.flags.writeable = True
    step(X, LABELS)


def test_parameters_that_come_to_share_memory_are_refused():
    net, step = stepping()
    step(X, LABELS)
    shared = np.ones(32)
    net.layers[0].b.data = shared[:8]
    step(X, LABELS)  # nobody else is there yet
    net.layers[2].W.data = shared.reshape(8, 4)
    before = weights(net)
    with pytest.raises(CannotCompile, match=r"layers\.0\.b and layers\.2\.W share"):
        step(X, LABELS)
    assert same(net, before)


# --- arguments ------------------------------------------------------------------------


def test_parts_that_are_no_parts_of_a_step_are_named():
    net, optimizer = made()
    for parts, match in (
        ((optimizer, CE, net), r"as model\(x\), found SGD"),
        ((net, optimizer, CE), r"as loss\(output, y\), found SGD"),
        ((net, CE, net.parameters()), r"as optimizer.step\(\), found list"),
        ((net, CE, optim.SGD), r"as optimizer.step\(\), found the class SGD"),
        ((net, CE, None), r"as optimizer.step\(\), found NoneType"),
    ):
        with pytest.raises(TypeError, match=match):
            compile_step(*parts)


@pytest.mark.parametrize(
    "rows",
    [np.arange(9) < 4, [0.0, 1.0], slice(0, 3), [[0, 1]], 3, [], "ab"],
    ids=["mask", "floats", "slice", "(1, 2)", "number", "empty", "text"],
)
def test_rows_that_are_no_whole_numbers_are_refused_in_any_step(rows):
    net, step = stepping()
    for k in (1, 2):
        before = weights(net)
        with pytest.raises(
            TypeError, match=f"step {k}: expected rows as whole numbers"
        ):
            step(X, LABELS, rows)
        assert same(net, before)
        step(X, LABELS, [0, 1, 2])


def test_rows_are_taken_from_arrays_of_one_length():
    net, optimizer = made()
    step = compile_step(net, Tensor.mse, optimizer)
    y = np.zeros((9, 4))
    step(X, y, [0, 1])
    for other in (y[:6], y.reshape(18, 2), 3.0):
        with pytest.raises(ValueError, match="step 2: rows are taken from x and y"):
            step(X, other, [0, 1])


def test_a_buffer_of_the_optimizer_is_not_to_blame_for_nan():
    net, optimizer = made()
    for buffer in optimizer.buffers:
        buffer.fill(np.nan)  # it was made by np.empty
    bad = X.copy()
    bad[2, 3] = np.nan
    step = compile_step(net, CE, optimizer)
    with pytest.raises(FloatingPointError, match="not finite is that of x$"):
        step(bad, LABELS)
