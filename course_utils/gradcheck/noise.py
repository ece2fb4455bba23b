"""How far the values of f scatter: rounding, a float32 part, nothing at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TINY = np.nextafter(0.0, 1.0)  # 5e-324: no number is closer to 0, nor another to it


def noise_level(probe: Callable[[float], float], h: float) -> float:
    """Least scatter of four: on both sides of the point, at wide and at narrow spacing.

    A kink among the points looks like noise; on one side, or closer by, there is none.
    The narrow points keep many spacings away from x, since a slope that bends there
    without end, like that of |x|^1.2, looks like noise from close by. Points so close
    that f does not change at all (in float32, say) tell nothing.

    Plumbing.
    """
    wide = min(scatter_level(probe, h / 8), scatter_level(probe, -h / 8))
    away, near = h / 8, h / 2**15
    narrow = min(scatter_level(probe, near, away), scatter_level(probe, -near, -away))
    return min(wide, narrow) if narrow > 0 else wide


def scatter_level(
    probe: Callable[[float], float], step: float, start: float = 0.0
) -> float:
    """Scatter of f's values: root mean square of Δ⁶f / √924 over 16 close points.

    Sixth differences of a smooth f vanish at close points; what remains is rounding,
    enlarged by √(12!/(6!·6!)) = √924.

    Plumbing.
    Source: J. Moré & S. Wild (2011), Estimating computational noise.
    """
    values = [probe(start + k * step) for k in range(16)]
    return np.sqrt(np.mean(np.diff(values, 6) ** 2) / 924)


def hidden_noise(probe: Callable, steps, up, down, middle, rounding: float):
    """Noise of an f that does not move near x, seen where it begins to move, or 0.

    A flat f hides its rounding: log(1 + eˣ) is 0 at x = −40, as a difference of larger
    numbers, and its slope of 4e-18 is not wrong. At x = −25 it is a staircase, and the
    first stair, which may begin at x itself, is its noise, but no more than the numbers
    inside may round. Where f never moves, or is `rounding` alone, a part of it is.

    Plumbing.
    """
    moves = np.maximum(np.abs(up - middle), np.abs(down - middle))
    if np.ptp(moves[-3:]) != 0:
        return 0.0
    moved = np.flatnonzero(moves)[-3:]
    ends = [steps[i] if up[i] != middle else -steps[i] for i in moved]
    seen = [scatter_level(probe, end / 2**15, end) for end in ends]
    stair = min([rounding, *moves[moved[-1:]]])
    inside = abs(middle) <= rounding or not moved.size
    return max([rounding / 4 if inside else stair, *seen])


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
