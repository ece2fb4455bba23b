"""The best slope over many steps, each with its own error."""

from __future__ import annotations

import numpy as np


def extrapolate(steps, up, down, middle, noise):
    """Best slope over many steps and its margin: R(h) = (16·D(h) − D(4h)) / 15.

    D(h) = (f(x+h) − f(x−h)) / 2h is wrong by a multiple of h², which R cancels. The
    error counts how much R still moves from step to step, the rounding noise/h, and
    whether the gap between the one-sided slopes fails to shrink with h: it does where
    the step straddles a kink. `steps` fall by factors of 4; `noise` is that of f there.
    The margin is what R still moves, and four times the rounding. Where R converges
    slowly, `still_to_go` takes it to its limit.

    Plumbing.
    Source: L. Richardson (1911), The approximate arithmetical solution by finite
    differences; C. Ridders (1982), Accurate computation of F′(x) and F′(x)F″(x).
    """
    D, gap = (up - down) / (2 * steps), (up - 2 * middle + down) / steps
    R = (16 * D[1:] - D[:-1]) / 15
    moves, rounding = np.diff(R), (noise[2:] + noise[1:-1] / 16) / steps[2:]
    error = np.abs(moves) + np.abs(4 * gap[2:] - gap[1:-1]) + rounding
    rest = moves * still_to_go(np.abs(moves), rounding)
    margin = np.abs(moves) + np.abs(rest) / 2 + 4 * rounding
    finite = np.flatnonzero(np.isfinite(error))
    if finite.size == 0:
        return np.nan, 0.0
    R, error, margin = (R[1:] + rest)[finite], error[finite], margin[finite]
    best = np.argmin(error / (np.abs(R) + error.min()))
    return R[best], margin[best]


def still_to_go(moves, rounding) -> float:
    """How many more moves like its last one a slow sequence has before it: r/(1 − r).

    Where f bends like |x|^1.2, slopes approach their limit as h^0.2: each move is r
    times the one before. If the last five that stand clear of rounding say so, the
    moves to come add up to r + r² + … = r/(1 − r) of the last; else to nothing much.

    Plumbing.
    Source: A. C. Aitken (1926), On Bernoulli's numerical solution of algebraic
    equations.
    """
    clear = np.flatnonzero(moves > 10 * rounding)[-5:]
    if clear.size < 5 or clear[-1] - clear[0] != 4:
        return 0.0
    ratios = moves[clear[1:]] / moves[clear[:-1]]
    r = ratios[-1]
    steady = ratios.max() < 1.25 * ratios.min() and 0.2 < r < 1
    return float(r / (1 - r)) if steady else 0.0
