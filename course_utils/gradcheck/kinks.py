"""Whether a point lies on a kink, and which slopes f has on both sides of it."""

from __future__ import annotations

import numpy as np


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


def slopes_at_a_kink(steps, up, down, middle, noise, at: slice):
    """The slopes on both sides if the point lies on a kink, else None.

    A kink nearer than the last three steps cannot be told from one at the point itself.
    Plumbing.
    """
    gap = np.abs(up - 2 * middle + down) / steps
    if not is_kink(steps[:-3], gap[:-3], noise[:-3]):
        return None
    return one_sided_slopes(steps[at], up[at], down[at], middle)


def one_sided_slopes(steps, up, down, middle):
    """Slopes f′₋ and f′₊ at x: (4·F(h/4) − F(h)) / 3, F(h) = (f(x ± h) − f(x)) / ±h.

    The error h·f″/2 of a one-sided difference cancels. `steps`: (h, h/4).

    Plumbing.
    """
    left, right = (middle - down) / steps, (up - middle) / steps
    return (4 * left[1] - left[0]) / 3, (4 * right[1] - right[0]) / 3
