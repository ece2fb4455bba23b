"""Whether a point lies on a kink or near some, and which slope f has there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_utils.gradcheck.slopes import (
    Limit,
    bends_closer,
    closest_by,
    extrapolate,
    limit_of,
)


class Slope(NamedTuple):
    """The slope at a point, as `Look` has it. Plumbing."""

    slope: float
    margin: float
    kink: bool
    near: bool


def slope_or_kink(steps, up, down, middle, noise, least) -> Slope:
    """The slope at x, give or take a margin; whether x lies on a kink, or near some.

    On a kink, every value between the slopes of both sides: their middle, give or take
    half their distance. Elsewhere the slope of the central difference; where kinks are
    near, what the smallest steps say.

    Plumbing.
    """
    doubt = 4 * least / steps
    V, U, D = (middle - down) / steps, (up - middle) / steps, (up - down) / (2 * steps)
    left, right = (one_sided_slope(Q, steps, 2 * noise, 2 * doubt) for Q in (V, U))
    gap = np.abs(U - V)
    # A kink nearer than the last three steps cannot be told from one at x itself.
    if left.apart(right) or is_kink(steps[:-3], gap[:-3], noise[:-3]):
        return _between(left.best, right.best, left.near or right.near)
    slope = extrapolate(steps, up, down, middle, noise)
    close = closest_by([V, U, D], [2 * doubt, 2 * doubt, doubt], 2)
    near = left.near or right.near or slope.contradicted(close)
    slope = near_kinks(slope, close) if near else slope
    return Slope(slope.value, slope.margin, False, near)


def near_kinks(limit: Limit, close: Limit) -> Limit:
    """What is believed where kinks lie near: the smallest steps, if they say much.

    Plumbing.
    """
    return close if limit.contradicted(close) else limit.joined(close)


class Side(NamedTuple):
    """The slope of one side: the `best` that we know, and what small steps say.

    `near` says that kinks lie near; `closer` takes more steps for its own than `best`.
    Plumbing.
    """

    best: Limit
    closer: Limit
    near: bool

    def apart(self, other: Side) -> bool:
        """Whether the smallest steps, three of them or more, tell two slopes apart."""
        a, b = self.closer, other.closer
        return a.rungs > 2 and a.contradicted(b)


def one_sided_slope(Q, steps, noise, doubt) -> Side:
    """Limit of Q(h) = (f(x ± h) − f(x)) / ±h.

    Of (4·Q(h/4) − Q(h)) / 3, in which the error h·f″/2 cancels.

    Plumbing.
    """
    limit = limit_of(Q, 4, steps, noise)
    closer, close = (closest_by([Q], [doubt], back) for back in (1, 2))
    bends = close.rungs > 2 and bends_closer(steps, Q, noise, limit.rung)
    if near := bends or limit.contradicted(close):
        return Side(near_kinks(limit, close), closer, near)
    return Side(close if close.margin < limit.margin else limit, closer, near)


def _between(left: Limit, right: Limit, near: bool) -> Slope:
    """Every slope between those of two sides: their middle, and half their distance."""
    both = left.joined(right)
    return Slope(both.value, both.margin, True, near)


def is_kink(steps, gap, noise) -> bool:
    """Whether the one-sided slopes keep their distance |f′₊ − f′₋| however small h is.

    For a smooth f the gap is |f″|·h and shrinks with h. We take the gap at the smallest
    step where it stands clear of the noise; on a kink it is the same at larger steps,
    and at every smaller step where noise would let us see it.

    Plumbing.
    """
    clear = np.flatnonzero(gap > 20 * noise / steps)
    if clear.size < 3:
        return False
    jump = gap[clear[-1]]
    near = (steps < 100 * steps[clear[-1]]) & (40 * noise / steps < jump)
    same = (gap[near] > jump / 2) & (gap[near] < 2 * jump)
    return bool(same.size > 2 and same.all())
