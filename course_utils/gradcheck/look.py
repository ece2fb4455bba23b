"""The second look at one entry: its slope over many steps, and why it may deceive."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from course_utils.gradcheck.kinks import slope_or_kink
from course_utils.gradcheck.noise import TINY, all_float32, hidden_noise, noise_level


class Look(NamedTuple):
    """What a second look at one entry found: the slope, give or take `margin`.

    On a kink every value between the two one-sided slopes is a subgradient: `slope` is
    then their middle and `margin` half their distance. `scatter` is the noise of f's
    values in parts of their size; `float32` says that all are float32 numbers; `near`,
    that kinks lie beside the point.

    Plumbing.
    """

    slope: float
    margin: float
    kink: bool
    scatter: float
    float32: bool
    near: bool = False


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
    seen = noise_level(probe, h, 4 * eps * abs(middle))
    hidden = hidden_noise(probe, steps, up, down, middle, rounding)
    own = np.fmax(seen, eps * values + TINY)
    noise = np.fmax(own, hidden)
    least = np.fmax(max(2 * seen, hidden, rounding), eps / 2 * values + TINY)
    found = slope_or_kink(steps, up, down, middle, noise, least)
    size = max(abs(x * found.slope), values[at][1])
    scatter = max(0.0, own[at][1] - rounding) / (size or 1.0)
    float32 = all_float32([middle, *up, *down], rounding)
    return Look(*found[:3], scatter, float32, found.near)


def wide_slope(probe: Callable[[float], float], h: float, k: float = 16) -> float:
    """Slope (16·D(kh) − D(4kh)) / 15, in which rounding counts 1/k as much as at h.

    D(h) is the central difference, and what it is wrong by for the curvature of f, a
    multiple of h², cancels. Four calls.

    Plumbing.
    Source: L. Richardson (1911); see `extrapolate`.
    """
    near, far = ((probe(s) - probe(-s)) / (2 * s) for s in (k * h, 4 * k * h))
    return (16 * near - far) / 15


def bends_no_more(probe: Callable, h: float, bend: float, eps: float) -> bool:
    """Whether f bends no more with wide steps than the `bend` that is seen with h.

    A kink bends f by |f(x + s) − 2·f(x) + f(x − s)| = s·|f′₊ − f′₋|, more and more;
    rounding, and a value that f has at x alone, are the same at any step. Two wide ones
    are taken, so that no curvature makes up for a kink. Five calls.

    Plumbing.
    """
    middle = probe(0.0)
    bends = [probe(s) - 2 * middle + probe(-s) for s in (h * 2**10, h * 2**14)]
    return bool(np.all(np.abs(bends) <= 2 * bend + 4 * (eps * abs(middle) + TINY)))


def _ladder(x: float, h: float) -> tuple[np.ndarray, slice]:
    """Steps h·4ᵏ from max(1, |x|) down to 1e-8·h, and where among them (h, h/4) stand.

    Each is made a step that x + step takes without rounding.
    """
    rungs = max(2, int(np.log(max(1, abs(x)) / h) / np.log(4)))
    steps = h * 4.0 ** np.arange(rungs, -14, -1)
    steps = (x + steps) - x
    return steps[steps > 0], slice(rungs, rungs + 2)
