"""A loss that is recorded once and replayed, and the gradient check on top of it."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils import functional as F
from course_utils.compiler import CannotCompile, compile_loss
from course_utils.gradcheck import check_directions, gradcheck
from course_utils.tensor import Tensor, linear

rng = np.random.default_rng(0)
X, LABELS = rng.standard_normal((7, 5)), rng.integers(0, 3, 7)
INPUTS = {"W": rng.standard_normal((5, 3)), "b": rng.standard_normal(3)}


pytestmark = pytest.mark.usefixtures("plain")


def loss(W, b):
    return F.softmax_cross_entropy(F.tanh(F.linear(X, W, b)), LABELS)


def grads() -> dict[str, np.ndarray]:
    """The right gradients."""
    W, b = Tensor(INPUTS["W"]), Tensor(INPUTS["b"])
    linear(X, W, b).tanh().softmax_cross_entropy(LABELS).backward()
    return {"W": W.grad, "b": b.grad}


def on_the_tape(W, b):
    return linear(X, Tensor(W), Tensor(b)).tanh().softmax_cross_entropy(LABELS)


@pytest.mark.parametrize("f", [loss, on_the_tape])
def test_a_replay_gives_what_the_function_gives(f):
    replay = compile_loss(f)
    for scale in (1.0, 0.5, -2.0):
        arrays = [scale * a for a in INPUTS.values()]
        assert replay(*arrays) == pytest.approx(loss(*arrays), rel=1e-14)
    assert replay.count == 3 and len(replay.plans) == 1


def test_numba_checks_every_gradient():
    replay = compile_loss(loss)
    report = gradcheck(replay, INPUTS, grads())
    assert report and sum(check.numeric.size for check in report.checks) == 18
    assert replay.count > 36 and sum(map(len, replay.plans.values())) == 1


def test_a_check_by_replay_judges_as_one_without():
    wrong = grads()
    wrong["W"][2, 1] *= 1.001
    for given in (grads(), wrong):
        plainly, replayed = (
            gradcheck(f, INPUTS, given) for f in (loss, compile_loss(loss))
        )
        assert bool(plainly) == bool(replayed)
        for a, b in zip(plainly.checks, replayed.checks, strict=True):
            np.testing.assert_allclose(a.numeric, b.numeric, 1e-7, 1e-10)
            np.testing.assert_array_equal(a.verdict, b.verdict)
    assert replayed.worst.index == (2, 1)


def test_names_of_inputs_are_those_of_the_function():
    report = gradcheck(
        compile_loss(loss), list(INPUTS.values()), list(grads().values())
    )
    assert [check.name for check in report.checks] == ["W", "b"]
    assert "np.matmul(" in compile_loss_source() and "W" in compile_loss_source()


def compile_loss_source() -> str:
    replay = compile_loss(loss)
    replay(*INPUTS.values())
    return replay.source


def test_directions_are_checked_as_well():
    assert check_directions(
        compile_loss(loss), INPUTS, grads(), np.random.default_rng(1)
    )


def test_an_if_makes_a_plan_for_each_side():
    replay = compile_loss(lambda x: (x * x).sum() if x.sum() > 0 else -x.sum())
    for x in (np.ones(3), -np.ones(3), np.ones(3)):
        assert replay(x) == 3.0
    assert [len(plans) for plans in replay.plans.values()] == [2]


def test_other_shapes_are_recorded_anew():
    replay = compile_loss(lambda x: (x * x).sum())
    assert [replay(np.ones(n)) for n in (2, 5, 2)] == [2.0, 5.0, 2.0]
    assert len(replay.plans) == 2


def test_a_constant_array_is_read_when_it_is_replayed():
    y = np.zeros(3)
    replay = compile_loss(lambda x: ((x - y) ** 2).sum())
    assert replay(np.ones(3)) == 3.0
    y += 1.0
    assert replay(np.ones(3)) == 0.0


@pytest.mark.parametrize(
    ("f", "match"),
    [
        (lambda x: x * 2, "f has to give one number"),
        (
            lambda x: 3.0,
            "f has to give one number computed from its inputs; found float",
        ),
        (lambda x: float(x.sum()), "^call 1: float"),
        (lambda x: x.sum() * np.random.default_rng().random(), "chance, or a counter"),
    ],
)
def test_what_cannot_be_replayed_is_refused(f, match):
    with pytest.raises(CannotCompile, match=match):
        compile_loss(f)(np.ones(3))


def test_an_error_of_the_function_is_its_own():
    replay = compile_loss(lambda x: F.softmax_cross_entropy(x, np.array([0, 5])))
    with pytest.raises(
        ValueError, match="^call 1: softmax_cross_entropy: labels lie in"
    ):
        replay(np.ones((2, 3)))


@pytest.mark.parametrize("last", [(0, 2, 1, 3), (2, 0, 1, 3), (0, 2, 3, 1)])
@pytest.mark.parametrize("heads", [1, 3])
def test_heads_side_by_side_are_what_numpy_makes_of_them(heads, last):
    def f(q, k, v):
        y = ((q @ k.swapaxes(-1, -2)) @ v).transpose(last)
        return (y.reshape(y.shape[0], -1, heads) * np.arange(heads)).sum() + q.T.sum()

    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 2, heads, 4, 5))
    replay = compile_loss(f)
    for scale in (1, 2):
        assert replay(scale * q, k, v) == pytest.approx(f(scale * q, k, v), rel=1e-12)


def test_a_reshape_in_the_order_of_columns_stays_one():
    def f(x):
        return (np.reshape(x, (3, 2), order="F") * np.arange(2)).sum()

    x = np.arange(6.0).reshape(2, 3)
    assert compile_loss(f)(x) == f(x) == 11


@pytest.mark.parametrize(("n", "left"), [(999, False), (1000, True)])
def test_a_thousand_exponentials_are_left_to_numpy(n, left):
    """NumPy computes several at a time; a loop saves a call, and an array."""
    plainly = compile_loss(lambda x: np.exp(x).sum())
    assert plainly(np.zeros(n)) == n
    assert ("np.exp(x, out=" in plainly.source) is left
    named = compile_loss(lambda x: F.tanh(x).sum())
    assert named(np.zeros(n)) == 0
    assert ("np.tanh(x, out=" in named.source) is left


def test_one_element_a_row_of_what_is_seen_in_other_axes():
    """A mean over one element is that element: nothing is left but other axes."""

    def f(x):
        rows = (x.reshape(1, 2, 3).mean(axis=1, keepdims=True)).mean(axis=1)
        return F.softmax_cross_entropy(rows, np.array([2]))

    def g(x):
        rows = x.reshape(1, 3, 2)[:, :, :1].mean(axis=2)
        return F.softmax_cross_entropy(rows, np.array([-1 + 3]))

    for h in (f, g):
        replay = compile_loss(h)
        for x in (np.arange(6.0), np.linspace(2, -1, 6) ** 2):
            assert replay(x) == pytest.approx(h(x), rel=1e-14)
