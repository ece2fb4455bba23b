"""A compiled loss of one input, the others held: the same values, for less work."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils import functional as F
from course_utils.compiler import compile_loss
from course_utils.compiler.held import WORTH, Held, changed
from course_utils.gradcheck import gradcheck
from course_utils.tensor import Tensor, linear

rng = np.random.default_rng(0)
X, LABELS = rng.standard_normal((7, 10)), rng.integers(0, 3, 7)
W, B = rng.standard_normal((10, 24)), rng.standard_normal(24)
V, C = rng.standard_normal((24, 12)), rng.standard_normal(12)


pytestmark = pytest.mark.usefixtures("plain")


def two_layers(W, b, V, c):
    hidden = F.tanh(F.linear(X, W, b))
    return F.softmax_cross_entropy(F.linear(hidden, V, c), LABELS)


def decayed(W, b, V, c):
    return two_layers(W, b, V, c) + 0.1 * (W * W).sum() + (V * V * V).sum()


def with_a_skip(W, b, V, c):
    h = F.linear(X, W, b)
    return ((np.where(h > 0, h, 0.1 * h) @ V + c) ** 2).sum() + np.abs(h).sum()


def gated(W, b, V, c):
    h = X @ W
    return F.softmax_cross_entropy((h * F.sigmoid(h + b) - 2.0) @ V + c, LABELS)


def turned(W, b, V, c):
    return (np.sin(V.T @ (W.T + b[:, None]))).sum() + (c * c).sum()


def two_ways(W, b, V, c):
    h = F.linear(X, W, b)
    return np.abs(h @ V).sum() if h[0, 0] > 0 else (c * c).sum() - h.sum()


def scaled(W, b, V, c):
    h = X @ W  # what follows needs all columns of W for each of its own
    return ((h * W.sum() + b) @ V + c).sum()


def tied(W, b, V, c):
    return np.sin(X[:, :1] * W[:1] + (X[:1] @ W + W)[:7] @ V @ V.T + b).sum() + c.sum()


def with_itself(W, b, V, c):
    return np.tanh(np.tanh(W @ V @ V.T).T @ W + b).sum() + c.sum()


def of_two_results(W, b, V, c):
    h = F.linear(X, W, b)
    larger, smaller = F.maximum_vjp(h, h, 0.5 - h)
    return (np.sin(larger) @ V + c).sum() + (smaller * smaller).sum()


LOSSES = [two_layers, decayed, with_a_skip, gated, turned, two_ways]
LOSSES += [scaled, tied, with_itself, of_two_results]


def arrays() -> list[np.ndarray]:
    return [a.copy() for a in (W, B, V, C)]


def refuse_the_whole(replay):
    """No loss is computed as a whole from now on: where others are held, none has to.

    An error among what is held would be hidden else: the whole is asked after it.
    """

    def refuse(*_):
        raise AssertionError("computed as a whole")

    replay.run_alone = refuse


@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize("f", LOSSES)
def test_with_the_others_held_a_loss_has_its_values(f, k):
    given = arrays()
    replay = compile_loss(f)
    value, draw = replay.but_for(k, *given), np.random.default_rng(k)
    if f is not two_ways and given[k].size >= WORTH:
        refuse_the_whole(replay)
    for n in range(30):
        i = draw.integers(given[k].size)
        before = given[k].flat[i]
        given[k].flat[i] = draw.standard_normal()
        assert value() == pytest.approx(f(*given), rel=1e-12)
        if n % 2:
            given[k].flat[i] = before
    given[k][...] = draw.standard_normal(given[k].shape)
    assert value() == pytest.approx(f(*given), rel=1e-12)


@pytest.mark.parametrize(
    ("f", "front", "products"),
    [
        (two_layers, ["matmul", "add", "tanh"], 1),
        (decayed, ["matmul", "add", "tanh"], 1),
        (gated, ["matmul", "add", "sigmoid", "multiply", "subtract"], 1),
        (with_a_skip, ["matmul", "add", "greater", "multiply", "where", "absolute"], 1),
        (turned, [], 1),
        (scaled, ["matmul"], 1),
        (tied, ["matmul"], 2),
        (with_itself, [], 3),
        (
            of_two_results,
            ["matmul", "add", "subtract", "maximum_vjp", "sin", "multiply"],
            1,
        ),
    ],
)
def test_what_depends_on_a_column_is_computed_by_columns(f, front, products):
    replay = compile_loss(f)
    replay.but_for(0, *arrays())
    (rest,) = replay.rests[replay.latest].values()
    names = {getattr(x.function, "__name__", "") for x in rest.front}
    assert names == set(front)
    assert str(rest.plan.source).count("np.matmul(") == products


def test_what_the_others_give_is_computed_once():
    replay = compile_loss(two_layers)
    replay.but_for(2, *arrays())
    assert replay.source.count("np.matmul(") == 2
    source = str(replay.rests[replay.latest][2].plan.source)
    assert source.count("np.matmul(") == 1 and "tanh" not in source
    assert "def step(held_0, V, c):" in source


def held_of(replay, given) -> Held:
    replay.but_for(0, *given)
    rest = replay.rest(replay.latest, 0)
    return Held(rest, replay.latest.program, tuple(given))


@pytest.mark.parametrize("f", [two_layers, with_a_skip, gated])
def test_only_the_blocks_that_have_changed_are_computed(f):
    given = arrays()
    held = held_of(compile_loss(f), given)
    assert len(held.columns) == 3
    first, calls = held(), held.columns
    held.columns = [None] * 3  # they are not even looked at
    assert held() == first
    for k, column in ((0, 7), (1, 8), (2, 23)):
        held.columns = [calls[i] if i == k else None for i in range(3)]
        given[0][4, column] += 1
        assert held() == pytest.approx(f(*given), rel=1e-12)


def test_values_of_columns_are_there_from_the_beginning():
    given = arrays()
    held = held_of(compile_loss(two_layers), given)
    assert held() == pytest.approx(two_layers(*given), rel=1e-12)


def test_what_is_held_is_computed_from_the_arrays_of_now():
    replay, before, given = compile_loss(two_layers), arrays(), arrays()
    for array in given:
        array += 0.25
    for k in (0, 2):
        replay.but_for(k, *before)
        value = replay.but_for(k, *given)
        refuse_the_whole(replay)
        given[k].flat[9] += 1
        assert value() == pytest.approx(two_layers(*given), rel=1e-12)
        del replay.run_alone


def test_an_input_may_have_one_axis_or_three():
    for shape in ((240,), (5, 4, 16)):
        given = [np.ones(shape), np.ones((16, 3))]
        f = lambda a, V: np.sin((a * a).sum() + (V * V).sum())  # noqa: E731
        replay = compile_loss(f)
        value = replay.but_for(0, *given)
        refuse_the_whole(replay)
        given[0].flat[7] = 3
        assert value() == pytest.approx(f(*given), rel=1e-12)


# A square, whose columns are not those of A; and a stack, which has none of its own.
@pytest.mark.parametrize(("A", "W"), [((7, 16), (16, 16)), ((2, 5, 10), (10, 24))])
def test_a_product_has_its_values_whatever_its_shape(A, W):
    A, W = rng.standard_normal(A), rng.standard_normal(W)
    replay = compile_loss(lambda W: np.sin(A @ W).sum())
    value = replay.but_for(0, W)
    refuse_the_whole(replay)
    W[2, 9] += 1
    assert value() == pytest.approx(np.sin(A @ W).sum(), rel=1e-12)


def test_numba_gives_one_array_one_value_whatever_came_before():
    given = arrays()
    replay = compile_loss(two_layers)
    value = replay.but_for(0, *given)
    first, draw = value(), np.random.default_rng(1)
    for i in (0, 7, 8, 23, 24, 239):
        given[0].flat[i] += draw.standard_normal()
        moved = value()
        assert moved != first
        assert replay.but_for(0, *given)() == moved
    given[0][...] = W
    assert value() == first
    assert replay(*given) == pytest.approx(first, rel=1e-14)


def test_runs_are_counted():
    replay = compile_loss(two_layers)
    value = replay.but_for(0, *arrays())
    before = replay.count
    value()
    assert replay.count == before + 1


def test_changed_columns_are_told_by_blocks_zeros_and_nans_included():
    now = np.zeros((3, 24))
    before = now.view(np.int64).copy()
    bits = now.view(np.int64)
    assert changed(bits, before, 8) == 0
    now[1, 23] = 1
    assert changed(bits, before, 8) == 0b100 and changed(bits, before, 8) == 0
    now[0, 7], now[2, 8] = -0.0, np.nan
    assert changed(bits, before, 8) == 0b011 and changed(bits, before, 8) == 0
    now[2, 8] = 0.0
    assert changed(bits, before, 8) == 0b010


@pytest.mark.parametrize("n", [8, 20, 512])
def test_a_width_without_blocks_is_computed_whole(n):
    W = rng.standard_normal((30, n))
    A = rng.standard_normal((4, 30))
    replay = compile_loss(lambda W: np.sin(A @ W).sum())
    value = replay.but_for(0, W)
    (rest,) = replay.rests[replay.latest].values()
    assert not rest.front
    W[3, 5] += 1
    assert value() == pytest.approx(np.sin(A @ W).sum(), rel=1e-12)


def test_what_is_held_may_be_deep():
    def deep(W, V):
        for _ in range(1500):
            V = V + 1.0
        return np.sin(W @ V).sum()

    given = [W.copy(), V.copy()]
    value = compile_loss(deep).but_for(0, *given)
    given[0][2, 3] += 1
    assert value() == pytest.approx(deep(*given), rel=1e-12)


def test_an_input_that_is_not_used_moves_nothing():
    replay = compile_loss(lambda W, V: (V * V).sum())
    given = [W.copy(), V.copy()]
    value = replay.but_for(0, *given)
    given[0][2, 3] = 5
    assert value() == pytest.approx((V * V).sum())


def test_float32_and_small_inputs_are_replayed_whole():
    replay = compile_loss(lambda W: (W * W).sum())
    for given in (W.astype(np.float32), np.ones(3)):
        value = replay.but_for(0, given)
        given[0] = 3
        assert value() == pytest.approx((given * given).sum(), rel=1e-6)
    assert not replay.rests


def test_what_a_loss_refuses_it_refuses_with_others_held():
    given = arrays()
    value = compile_loss(two_layers).but_for(0, *given)
    given[0][0, 0] = np.nan
    with pytest.raises(FloatingPointError, match="call 2: .* is that of W$"):
        value()
    given[0][...] = W
    assert value() == pytest.approx(two_layers(*given))


def test_arrays_are_asked_for():
    with pytest.raises(TypeError, match="found list: pass np.array"):
        compile_loss(lambda x: (x * x).sum()).but_for(0, [1.0, 2.0])


# --- the check on top of it -----------------------------------------------------------


def gradients() -> list[np.ndarray]:
    W, b, V, c = map(Tensor, arrays())
    linear(linear(X, W, b).tanh(), V, c).softmax_cross_entropy(LABELS).backward()
    return [t.grad for t in (W, b, V, c)]


def test_numba_checks_with_others_held_as_it_does_without():
    grads = gradients()
    assert gradcheck(compile_loss(two_layers), arrays(), grads)
    draw = np.random.default_rng(2)
    for k in (0, 0, 0, 2, 2, 2):
        wrong = [g.copy() for g in grads]
        i = draw.integers(wrong[k].size)
        wrong[k].flat[i] = 1.001 * wrong[k].flat[i] + 1e-6
        plainly, replayed = (
            gradcheck(f, arrays(), wrong)
            for f in (two_layers, compile_loss(two_layers))
        )
        assert not replayed and replayed.worst.index == plainly.worst.index
        assert replayed.worst.index == np.unravel_index(i, wrong[k].shape)
        for a, b in zip(plainly.checks, replayed.checks, strict=True):
            np.testing.assert_allclose(a.numeric, b.numeric, 1e-6, 1e-9)


def test_a_check_gives_no_more_of_f_than_it_has():
    """With weights for its result f is asked as a whole; without `but_for` as well."""
    replay = compile_loss(lambda W: (W * W).sum())
    assert gradcheck(replay, W, 6 * W, grad_out=np.array(3.0))
    assert not replay.rests
    assert gradcheck(replay, W, 2 * W) and replay.rests
