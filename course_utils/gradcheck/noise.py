"""How far the values of f scatter: rounding, a float32 part, nothing at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course_utils.gradcheck.numerical import EPS

TINY = np.nextafter(0.0, 1.0)  # 5e-324: no number is closer to 0, nor another to it


def noise_level(probe: Callable[[float], float], h: float, enough=0.0) -> float:
    """Least scatter of f at narrow spacing, in four places beside the point.

    A kink among the points looks like noise; in another place there is none. The points
    keep many spacings away from x, since a slope that bends there without end, like
    that of |x|^1.2, looks like noise from close by. Points so close that f does not
    change at all (in float32, say) tell nothing. Where all four tell nothing, or more
    than `enough`, wide spacings are asked as well.

    Plumbing.
    """
    narrow = h / 2**15
    four = [(side * narrow, side * at) for at in (h / 8, h / 2) for side in (1, -1)]
    least = min(_scatter_that_moves(probe, *place) for place in four)
    if least > enough:
        two = [(side * h / 8, side * h / 8) for side in (1, -1)]
        least = min(least, *(_scatter_that_moves(probe, *place) for place in two))
    return least if least < np.inf else 0.0


def _scatter_that_moves(probe, step: float, start: float) -> float:
    """The scatter of f's values, and inf where most are like the one before."""
    values = close_values(probe, step, start)
    return (np.sum(np.diff(values) != 0) > 7 and scatter_of(values)) or np.inf


def close_values(probe: Callable[[float], float], step: float, start: float):
    """The values of f at 16 points side by side. Plumbing."""
    return [probe(start + k * step) for k in range(16)]


def scatter_of(values) -> float:
    """Scatter of values at points side by side: root mean square of Δ⁶f / √924.

    Sixth differences of a smooth f vanish at close points; what remains is rounding,
    enlarged by √(12!/(6!·6!)) = √924.

    Plumbing.
    Source: J. Moré & S. Wild (2011), Estimating computational noise.
    """
    return np.sqrt(np.mean(np.diff(values, 6) ** 2) / 924)


def hidden_noise(probe: Callable, steps, up, down, middle, rounding: float):
    """Noise of an f that does not move near x, seen where it begins to move, or 0.

    A flat f hides its rounding: log(1 + eˣ) is 0 at x = −40, as a difference of larger
    numbers, and its slope of 4e-18 is not wrong. At x = −25 it is a staircase, flat
    where it has moved, too, and the first stair is its noise. Elsewhere the first move,
    which may begin at x itself, is noise as far as the numbers inside may round. Where
    f never moves, or is `rounding` alone, a part of it is.

    Plumbing.
    """
    moves = np.maximum(np.abs(up - middle), np.abs(down - middle))
    if np.ptp(moves[-3:]) != 0:
        return 0.0
    moved = np.flatnonzero(moves)[-3:]
    ends = [steps[i] if up[i] != middle else -steps[i] for i in moved]
    there = [close_values(probe, end / 2**15, end) for end in ends]
    stair = min(moves[moved[-1:]], default=0.0)
    climbs = np.max(moves) > 1.5 * stair and not np.any(np.ptp(there, axis=1))
    if climbs and stair <= 4 * EPS["d"]:
        return max(stair, rounding / 4)
    inside = abs(middle) <= rounding or not moved.size
    first = rounding / 4 if inside else min(rounding, stair)
    return max([first, *map(scatter_of, there)])


def all_float32(values, rounding: float) -> bool:
    """Whether f, at many points, gave many different numbers, and float32 ones only.

    What is left of larger numbers, such as log(1 + eˣ) at x = −25, has few digits, too:
    where `rounding` is as coarse as float32, a number says nothing. Plumbing.
    """
    values = np.unique(values)
    values = values[np.isfinite(values) & (np.abs(values) * 2.0**-24 > rounding)]
    return values.size > 4 and bool(np.all(values == values.astype(np.float32)))


def float32_message() -> str:
    """Say that f computes in float32, and what to do. Plumbing."""
    return (
        "f computes in float32: its values have 7 digits, so a step of 6e-06 changes "
        "little but noise. Let f and its constants compute in float64, or pass "
        "dtype=np.float32 for a coarser check"
    )


def noise_message(scatter: float) -> str:
    """Say how noisy f is, and what to do. Plumbing."""
    return (
        f"f is noisy: its values scatter by {scatter:.0e} of their size, as if part of "
        "it computed in float32, or nearly equal numbers were subtracted. Let f and "
        "its constants compute in float64, or pass dtype=np.float32 for a coarser check"
    )
