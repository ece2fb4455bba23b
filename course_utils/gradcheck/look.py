"""The second look at one entry: its slope over many steps, and why it may deceive."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from course_utils.gradcheck.kinks import slopes_at_a_kink
from course_utils.gradcheck.noise import TINY, all_float32, hidden_noise, noise_level
from course_utils.gradcheck.slopes import extrapolate


class Look(NamedTuple):
    """What a second look at one entry found: the slope, give or take `margin`.

    On a kink every value between the two one-sided slopes is a subgradient: `slope` is
    then their middle and `margin` half their distance. `scatter` is the noise of f's
    values in parts of their size; `float32` says that all are float32 numbers.

    Plumbing.
    """

    slope: float
    margin: float
    kink: bool
    scatter: float
    float32: bool


def second_look(
    probe: Callable[[float], float], x: float, h: float, eps: float, size: float
) -> Look:
    """Slope of t ↦ probe(t) = f(x + t) at t = 0, over many steps.

    Rounding numbers inside f may move its value by some eps·`size`: that is no scatter
    to speak of, though f itself may be smaller still.

    Plumbing.
    """
    (steps, at), rounding = _ladder(x, h), 4 * eps * size
    middle = probe(0.0)
    up, down = (np.array([probe(s) for s in side]) for side in (steps, -steps))
    values = np.maximum(np.maximum(np.abs(up), np.abs(down)), abs(middle))
    own = np.fmax(noise_level(probe, h), eps * values + TINY)
    hidden = hidden_noise(probe, steps, up, down, middle, rounding)
    noise = np.fmax(own, hidden)
    slope, margin = extrapolate(steps, up, down, middle, noise)
    sides = slopes_at_a_kink(steps, up, down, middle, noise, at)
    near = own[at][1], max(abs(x * slope), values[at][1])
    scatter = max(0.0, near[0] - rounding) / (near[1] or 1.0)
    float32 = all_float32([middle, *up, *down], rounding)
    if sides is None:
        return Look(slope, margin, False, scatter, float32)
    # The slope is between those of the sides, or further on where they still move.
    left, *_, right = sorted([*sides, slope])
    half, rounding = (right - left) / 2, (noise / steps)[at][1]
    return Look(left + half, half + 4 * rounding, True, scatter, float32)


def _ladder(x: float, h: float) -> tuple[np.ndarray, slice]:
    """Steps h·4ᵏ from max(1, |x|) down to 1e-8·h, and where among them (h, h/4) stand.

    Each is made a step that x + step takes without rounding.
    """
    rungs = max(2, int(np.log(max(1, abs(x)) / h) / np.log(4)))
    steps = h * 4.0 ** np.arange(rungs, -14, -1)
    steps = (x + steps) - x
    return steps[steps > 0], slice(rungs, rungs + 2)
