"""Kinks beside the point, closer than a step: right gradients pass, wrong ones do not.

The gradients are known by formula. None of the right ones is called wrong, noisy or
float32; a wrong one is called wrong wherever rounding leaves enough to see it.
"""

from __future__ import annotations

import numpy as np
import pytest

from course_utils import functional as F
from course_utils.gradcheck import (
    Limit,
    bends_closer,
    check_directions,
    closest_by,
    gradcheck,
    near_kinks,
)


def relu(x):
    return np.maximum(x, 0)


# --- kinks within a step --------------------------------------------------------------


def pieces(offsets, slopes, start=0.0):
    """A function with kinks at x = −offset, and its gradient at 0."""

    def f(b):
        return start + sum(
            s * relu(b + o) for s, o in zip(slopes, offsets, strict=True)
        )

    return f, sum(s for s, o in zip(slopes, offsets, strict=True) if o > 0)


@pytest.mark.parametrize(
    ("offsets", "slopes", "start"),
    [
        ((1e-8, -2e-8), (1, 1), 0),
        ((-2e-9, 7e-10), (0.04, -0.02), 2.3),
        ((1e-10, -1e-10), (1, 1), 0),
        ((1e-7, -1e-7), (1, -1), 0),
        ((1e-8, -2e-8, 3e-8), (1, 1, -1), 1),
        ((5e-9,), (1,), 0),
    ],
)
def test_right_gradients_between_close_kinks_are_not_refused(offsets, slopes, start):
    f, grad = pieces(offsets, slopes, start)
    report = gradcheck(f, 0.0, float(grad))
    assert report and "float32" not in repr(report) and "noisy" not in repr(report)


def test_random_kinks_within_a_step():
    """Two or three kinks at 1e-10 … 1e-7, on either side, of any slope."""
    rng, said = np.random.default_rng(0), []
    for _ in range(200):
        n = rng.integers(2, 4)
        offsets = rng.choice([-1, 1], n) * 10 ** rng.uniform(-10, -7, n)
        f, grad = pieces(offsets, rng.normal(size=n), rng.normal())
        said.append(gradcheck(f, 0.0, float(grad)))
    assert all(said), said[[bool(r) for r in said].index(False)]


def deep(seed, rows):
    """A deep ReLU network with small weights and zero biases, as in a first lesson."""
    rng = np.random.default_rng(seed)
    sizes = (5, 6, 6, 6, 6, 3)
    Ws = [0.01 * rng.normal(size=pair) for pair in zip(sizes, sizes[1:], strict=False)]
    bs = [np.zeros(n) for n in sizes[1:]]
    X, y = rng.normal(size=(rows, 5)), rng.integers(0, 3, rows)

    def loss(*bs):
        h = X
        for W, b in zip(Ws[:-1], bs[:-1], strict=True):
            h = relu(h @ W + b)
        return F.softmax_cross_entropy(h @ Ws[-1] + bs[-1], y)

    hs, zs = [X], []
    for k, (W, b) in enumerate(zip(Ws, bs, strict=True)):
        zs.append(hs[-1] @ W + b)
        hs.append(relu(zs[-1]) if k < len(Ws) - 1 else zs[-1])
    grad, grads = F.softmax_cross_entropy_vjp(1.0, zs[-1], y), []
    for k in reversed(range(len(Ws))):
        grads.insert(0, grad.sum(axis=0))
        grad = (grad @ Ws[k].T) * (zs[k - 1] > 0) if k else grad
    return loss, bs, grads


@pytest.mark.parametrize("rows", [2, 8])
def test_deep_networks_at_their_start(rows):
    """Pre-activations are 1e-9 … 1e-12: each deep bias has `rows` kinks beside 0."""
    for seed in range(20):
        loss, bs, grads = deep(seed, rows)
        report = gradcheck(loss, bs, grads)
        assert report, (seed, report)
        assert "float32" not in repr(report) and "noisy" not in repr(report)
        assert check_directions(loss, bs, grads, np.random.default_rng(seed)), seed


def test_what_is_said_where_kinks_are_near():
    loss, bs, grads = deep(1, 8)
    assert (
        "kinks lie nearer than a step to 6 of what was looked at in input 2: slopes "
        "are known only roughly there; check at other values"
    ) in gradcheck(loss, bs, grads).messages


MISTAKES = {
    "the last layer, 0.1 %": (4, lambda g: 1.001 * g),
    "a sign": (3, np.negative),
    "nothing": (3, np.zeros_like),
    "doubled": (3, lambda g: 2 * g),
    "a sign below": (2, np.negative),
    "nothing at the bottom": (0, np.zeros_like),
}


SEEN = (1e-9, 1e-7, 1e-5, 1e-3, 0.1)  # a gradient of ordinary size, layer by layer


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_gradient_beside_kinks_is_found(mistake):
    layer, spoil = MISTAKES[mistake]
    found = []
    for seed in range(8):
        loss, bs, grads = deep(seed, 4)
        given = [*grads[:layer], spoil(grads[layer]), *grads[layer + 1 :]]
        if np.abs(grads[layer]).max() > SEEN[layer]:  # else kinks excuse it
            found.append(not gradcheck(loss, bs, given))
    assert all(found) and len(found) > 3, found


@pytest.mark.parametrize("c", [0.0, 1.0])
@pytest.mark.parametrize("d", [1e-10, 1e-9, 1e-8, 1e-7])
def test_between_two_kinks(c, d):
    """f is c on one side, rises by 1 between, and by 2 on the other side."""
    f = lambda b: float(c + relu(b + d) + relu(b - 2 * d))  # noqa: E731
    assert gradcheck(f, 0.0, 1.0)
    for wrong in (0.0, 0.9, 1.1, 2.0):
        assert not gradcheck(f, 0.0, wrong)


def test_two_kinks_that_cancel_for_every_larger_step():
    """Seen from afar, f is a step of 2e-8, and flat on both sides of it."""
    f = lambda b: float(1 + relu(b + 1e-8) - relu(b - 1e-8))  # noqa: E731
    assert gradcheck(f, 0.0, 1.0) and not gradcheck(f, 0.0, 0.0)
    g = lambda b: float(abs(b - 1e-8) + abs(b + 2e-8))  # noqa: E731
    assert gradcheck(g, 0.0, 0.0) and not gradcheck(g, 0.0, 0.5)


def test_entries_on_kinks_with_other_kinks_a_little_further_out():
    """Moved together by more than 1e-6, the two meet slopes that they do not have."""

    def f(w):
        s = w.sum()
        return float(w.max() + 5 * relu(s + 1e-6) - 5 * relu(s - 1e-6))

    for share in (0.0, 0.5, 1.0):
        assert gradcheck(f, np.zeros(2), 5 + np.array([share, 1 - share]))
    for wrong in (5 + np.ones(2), 5 + np.zeros(2)):
        assert not gradcheck(f, np.zeros(2), wrong)


# --- the parts ------------------------------------------------------------------------

FALLING = 4.0 ** -np.arange(8)


def test_the_smallest_steps_agree_until_a_kink_is_met():
    doubt = 0.25 / FALLING / 4**8  # 4⁻⁹ for the largest step, 1/16 for the last but one
    Q = np.array([7.0, 5, 2, 2, 2, 2, 2, 99])  # a kink between the second and the third
    for back, rung in ((0, 2), (1, 3), (2, 4)):
        limit = closest_by([Q], [doubt], back)
        assert limit == Limit(2.0, doubt[rung], rungs=5)
    both_sides = closest_by([Q, Q + doubt], [doubt, doubt], 0)
    assert both_sides.value == 2 + doubt[2] / 2
    assert both_sides.margin == doubt[2] / 2


def test_the_smallest_steps_do_not_agree():
    doubt, left, right = np.full(4, 0.1), np.zeros(4), np.ones(4)
    limit = closest_by([left, right], [doubt, doubt], 1)
    assert limit.value == 0.5 and limit.margin == pytest.approx(0.4)
    assert limit.rungs == 0
    jump = 4.0 ** np.arange(4)
    assert np.isnan(closest_by([left, jump], [doubt, doubt], 1).value)


def test_near_kinks_the_smallest_steps_have_the_last_word():
    close = Limit(2.0, 0.5, rungs=3)
    assert near_kinks(Limit(3.0, 0.25), close) == close
    assert near_kinks(Limit(2.75, 0.25), close) == Limit(2.25, 0.75, rungs=3)
    few = Limit(2.0, 0.5, rungs=2)  # too few to say so
    assert near_kinks(Limit(3.0, 0.25), few) == Limit(2.375, 0.875, rungs=2)


@pytest.mark.parametrize(
    ("Q", "noise", "closer"),
    [
        (1 + FALLING, 0.0, False),  # smooth: moves/h stays the same
        (1 + FALLING**2, 0.0, False),
        (np.where(FALLING > 0.01, 1 - 0.01 / FALLING, 0.0), 0.0, True),  # a kink
        (np.where(FALLING > 0.01, 1 - 0.01 / FALLING, 0.0), 0.1, False),  # in noise
        (np.ones(8), 0.0, False),
    ],
)
def test_quotients_move_no_less_where_kinks_lie_between_the_steps(Q, noise, closer):
    assert bends_closer(FALLING, Q, np.full(8, noise), rung=3) is closer
