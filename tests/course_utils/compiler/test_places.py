"""Parts that are read in place, numbers put at their places, axes turned late."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils import functional as F
from course_utils import nn, optim
from course_utils.compiler import compile_loss, compile_step
from course_utils.compiler.places import At, part_of
from course_utils.compiler.shorten import shortened
from course_utils.compiler.stages import Schedule
from course_utils.pictures import conv2d
from course_utils.tensor import Tensor
from course_utils.training import train_step
from tests.course_utils.compiler.plain import plain_loops
from tests.course_utils.compiler.test_parts import kinds, names, record

X = np.random.default_rng(0).normal(size=(2, 3, 6, 5))
CE = Tensor.softmax_cross_entropy


def weighted(f):
    """A number in which each element of f(x) counts, and differently."""

    def loss(*arrays):
        out = f(*arrays)
        weights = 1 + np.arange(np.prod(out.shape)).reshape(out.shape) / 7
        return (out * weights).sum()

    return loss


def assert_replayed(f, *arrays):
    with plain_loops():
        replay = compile_loss(weighted(f))
        for scale in (1.0, -0.5):
            now = [scale * a for a in arrays]
            assert replay(*now) == pytest.approx(weighted(f)(*now), rel=1e-12)
    return replay


# --- parts ----------------------------------------------------------------------------


def test_a_place_is_counted_by_the_loops_of_a_part():
    inner = At(1, ((0, 2),)).of([3])
    assert inner == At(1, ((3, 2),)) and inner.text("ijkl") == "2 * l + 1"
    assert At(2, ((0, 3), (1, 1))).of([inner, None]) == At(5, ((3, 6),))
    assert At(4, ((0, 2),)).of([None]).text("i") == "4"
    assert At(0, ((0, 1), (1, 1))).text("ij") == "i + j"


def test_parts_are_told_from_other_indices():
    line = record(lambda a: a, X).result
    every = slice(None)
    assert part_of(line, (slice(1, 2),)) == (At(1, ((0, 1),)), 1, 2, 3)
    assert part_of(line, (..., slice(None, None, 2))) == (0, 1, 2, At(0, ((3, 2),)))
    assert part_of(line, (every, every, every, every)) == (0, 1, 2, 3)
    for index in ((0,), (slice(None, None, -1),), (None, every), (np.array([1]),)):
        assert part_of(line, index) is None
    assert kinds(record(lambda a: a[::-1], X)) == ["view"]
    assert kinds(record(lambda a: a[:1, :1, :1, :1], X)) == ["view"]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[..., 1::2, :-1] * 2,
        lambda x: x[:, 1:2] * x,  # one channel beside three
        lambda x: np.exp(x[1:, :, 2:][..., ::2, ::3]),
        lambda x: x.transpose(2, 0, 3, 1)[1:4, :, ::2] + x[0, 0, 0, 0],
        lambda x: np.sort(x[:, :, ::2])[:, 1:],
        lambda x: x[:, 1:].sum(axis=(0, 2, 3)),
        lambda x: np.maximum(x[:, :, :-1], x[:, :, 1:]).transpose(3, 2, 1, 0),
    ],
)
def test_a_loop_reads_a_part_where_it_is(f):
    assert_replayed(f, X)


def test_a_guard_on_an_element_is_about_this_element():
    def loss(x):
        return (x * 2).sum() if x[1:, 2:, 5:, 4:] > 0 else (x * 3).sum()

    with plain_loops():
        replay = compile_loss(loss)
        for x in (X, -X, np.abs(X), X):
            assert replay(x) == pytest.approx(loss(x), rel=1e-12)
    assert sum(map(len, replay.plans.values())) == 2


# --- spreads --------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_way_back_of_windows_is_a_loop_that_adds(stride):
    def f(G):
        return F.windows_vjp(G * 2, X, stride)

    G = np.random.default_rng(1).normal(size=F.windows(X, (3, 2), stride).shape)
    assert kinds(record(f, G)) == ["map", "spread"]
    assert "+=" in assert_replayed(f, G).source


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (2, 3), (1, 1), (3, 2)])
@pytest.mark.parametrize("pool", ["max_pool2d", "mean_pool2d"])
def test_the_way_back_of_pooling_is_a_loop(pool, size, stride):
    def f(x):
        y = getattr(F, pool)(x, size, stride)
        given = (y, x) if pool == "max_pool2d" else (x,)
        return getattr(F, f"{pool}_vjp")(y * y, *given, size, stride)

    assert "call" not in kinds(record(f, X))
    assert_replayed(f, X)


def test_a_gradient_of_another_dtype_is_left_to_numpy():
    x = X.astype(np.float32)

    def f(x, G):
        return F.mean_pool2d_vjp(G * 2, x, 2)

    program = record(f, x, np.ones((2, 3, 3, 2)))
    assert kinds(program)[-1] == "call" and program.result.dtype == np.float32


def test_what_is_whole_is_not_filled_with_zeros_before():
    def filled(size, x):
        replay = assert_replayed(
            lambda x: F.mean_pool2d_vjp(x[..., 1:3, :2], x, size), x
        )
        return "[...] = 0.0" in replay.source

    assert not filled(2, X[..., :4, :4])
    assert filled(2, X[..., :5, :4])  # a row that no window sees


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_arrays_of_one_shape_come_side_by_side_in_a_loop(axis):
    def f(x):
        return np.concatenate([x * 2, x + 1, x], axis)

    assert kinds(record(f, X))[-1] == "spread"
    assert_replayed(f, X)


def test_arrays_of_other_shapes_are_left_to_numpy():
    def f(x):
        return np.concatenate([x * 2, x[:1]])

    assert kinds(record(f, X))[-1] == "call"
    assert_replayed(f, X)
    assert kinds(record(lambda x: np.concatenate([x]) * 2, X)) == ["copy", "map"]
    assert_replayed(lambda x: np.concatenate([x * 2, x.astype(np.float32)]), X)


# --- order in memory ------------------------------------------------------------------


def test_a_function_of_each_element_goes_through_memory_as_it_lies():
    def f(x, b):
        out = (x @ x.swapaxes(2, 3)).transpose(3, 1, 2, 0)  # (6, 3, 6, 2)
        return F.relu(out + b[:, None, None])

    short = shortened(record(f, X, np.arange(3.0)))
    maps = [x for x in short.lines if x.kind == "map"]
    assert [x.shape for x in maps] == [(2, 3, 6, 6)] * 2
    assert short.result.kind == "axes" and short.result.shape == (6, 3, 6, 2)
    assert_replayed(f, X, np.arange(3.0))


def test_a_call_gives_one_run_of_memory():
    program = shortened(record(lambda x: F.pad(x, 1) * 2, X))
    pad, twice = [x for x in program.lines if x.kind in ("call", "map")]
    assert pad.shape == twice.shape == (3, 8, 7, 2)
    assert_replayed(lambda x: F.pad(x, 1) * 2, X)


def test_heads_that_keep_their_last_axis_stay_as_they_are():
    program = shortened(record(lambda x: x.transpose(0, 2, 1, 3) * 2, X))
    assert program.result.kind == "map" and program.result.shape == (2, 6, 3, 5)


# --- a call done once -----------------------------------------------------------------


def test_windows_are_laid_out_once_for_both_ways():
    def f(x, W, G):
        for_x, for_W, for_b = F.conv2d_vjp(G, x, W, 1, 1)
        return F.conv2d(x, W, for_b, 1, 1).sum() + for_x.sum() + for_W.sum()

    W, G = np.ones((4, 3, 3, 3)), np.ones((2, 4, 6, 5))
    program = shortened(record(f, X, W, G))
    assert (
        names(program).count("pad") == names(program).count("sliding_window_view") == 1
    )
    both = shortened(record(lambda x: F.pad(x, 1).sum() + F.pad(x, 2).sum(), X))
    assert names(both).count("pad") == 2
    unlike = record(lambda x: np.roll(x, 1) + np.roll(x, [1, 0], (0, 1)), X)
    assert names(shortened(unlike)).count("roll") == 2


def test_what_nobody_knows_is_called_as_often_as_it_is_written():
    drawn = np.random.default_rng(0)

    def f(x):
        return np.apply_along_axis(noisy, 0, x) + np.apply_along_axis(noisy, 0, x)

    def noisy(column):
        return column + drawn.random()

    # It is NumPy's, but calls a function of ours.
    assert names(shortened(record(f, X))).count("apply_along_axis") == 2


# --- masks ----------------------------------------------------------------------------


def test_masks_of_a_pooling_are_made_while_its_numbers_are_at_hand():
    def f(x, G):
        y = F.max_pool2d(x, 2)
        return F.max_pool2d_vjp(np.sort(G + y), y, x, 2)  # what comes back comes later

    G = np.ones((2, 3, 3, 2))
    schedule = Schedule(shortened(record(f, X, G)))
    masks = [a for a in schedule.lines if a.dtype == bool]
    top = next(a for a in schedule.lines if a.function is np.maximum)
    assert masks and {schedule.stage[a] for a in masks} == {schedule.stage[top]}


# --- all of it ------------------------------------------------------------------------


def network(dtype=np.float64):
    rng = np.random.default_rng(0)
    first = nn.Conv2d(1, 3, 3, rng, dtype=dtype), nn.MaxPool2d(2), nn.ReLU()
    second = nn.Conv2d(3, 4, 2, rng, padding=1, dtype=dtype), nn.MaxPool2d(3, 2)
    net = nn.Sequential(
        *first, *second, nn.Flatten(), nn.Linear(4, 4, rng, dtype=dtype)
    )
    return net, optim.SGD(net.parameters(), 0.1, momentum=0.9)


@pytest.mark.parametrize("n", [64, 40])  # two blocks of one size, or of two
def test_a_network_of_numba_steps_as_the_interpreter_does(n):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(n, 1, 8, 8)), rng.integers(4, size=n)
    (net, optimizer), (other, theirs) = network(), network()
    step = compile_step(net, CE, optimizer)
    for _ in range(3):
        np.testing.assert_allclose(
            step(x, y), train_step(other, x, y, theirs, CE), 1e-12
        )
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, 1e-10, 1e-12)


def test_a_convolution_of_blocks_is_the_same_in_float32():
    x = np.random.default_rng(2).normal(size=(64, 3, 6, 5)).astype(np.float32)
    W, b = np.ones((2, 3, 3, 3), np.float32), np.ones(2, np.float32)

    def loss(W, b):
        return (conv2d(x, W, b) * 0.001).sum()

    with plain_loops():
        replay = compile_loss(loss)
        found = replay(W, b)
    assert found == pytest.approx(loss(Tensor(W), Tensor(b)).item(), rel=1e-5)
