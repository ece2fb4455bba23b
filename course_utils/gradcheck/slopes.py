"""The best slope over many steps, each with its own error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Limit(NamedTuple):
    """Where quotients go as their steps fall, give or take `margin`.

    `rungs` is how many of the smallest steps agreed on it, `rung` the step that it was
    read off at. Plumbing.
    """

    value: float
    margin: float
    rungs: int = 0
    rung: int = 0

    def apart(self, other: Limit) -> bool:
        """Whether the two have nothing in common."""
        return abs(self.value - other.value) > self.margin + other.margin

    def contradicted(self, close: Limit) -> bool:
        """Whether the smallest steps, three of them or more, agree on another one."""
        return close.rungs > 2 and self.apart(close)

    def joined(self, other: Limit) -> Limit:
        """All that either of the two allows."""
        low = min(self.value - self.margin, other.value - other.margin)
        high = max(self.value + self.margin, other.value + other.margin)
        return Limit((low + high) / 2, (high - low) / 2, other.rungs)


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
    bends = np.abs(4 * gap[2:] - gap[1:-1])
    return limit_of(D, 16, steps, noise, bends)


def limit_of(Q, factor: int, steps, noise, bends=0.0) -> Limit:
    """Limit of quotients Q(h), of which each is wrong by `factor` times the next.

    Plumbing.
    """
    R = (factor * Q[1:] - Q[:-1]) / (factor - 1)
    moves, rounding = np.diff(R), (noise[2:] + noise[1:-1] / factor) / steps[2:]
    error = np.abs(moves) + bends + rounding
    rest = moves * still_to_go(np.abs(moves), rounding)
    margin = np.abs(moves) + np.abs(rest) / 2 + 4 * rounding
    finite = np.flatnonzero(np.isfinite(error))
    if finite.size == 0:
        return Limit(np.nan, 0.0)
    R, error, margin = (R[1:] + rest)[finite], error[finite], margin[finite]
    best = np.argmin(error / (np.abs(R) + error.min()))
    return Limit(R[best], margin[best], rung=int(finite[best]) + 2)


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


def bends_closer(steps, Q, noise, rung: int) -> bool:
    """Whether Q(h) moves no less where h is smaller, about the step of a reading.

    Where f is smooth Q moves by 3h·f″/2 from 4h to h, so that moves/h stays as it is;
    where kinks lie between the steps, it grows. Only moves clear of the noise count,
    and steps no larger than those that the reading made use of.

    Plumbing.
    """
    about = slice(max(rung - 2, 0), rung + 3)
    moves, h = np.abs(Q[:-1] - Q[1:])[about], steps[1:][about]
    seen = (moves / h)[moves > 10 * noise[1:][about] / h]
    return bool(np.any(seen[1:] > 2 * np.minimum.accumulate(seen)[:-1]))


def closest_by(quotients, doubts, back: int) -> Limit:
    """What the smallest steps leave of the limit that all quotients have in common.

    Each says: within my doubt. From the smallest steps upwards we take what all steps
    so far have in common, until nothing is left. A kink lies there, and since it may
    have been met before it was noticed, we go `back` some steps from there. Where the
    smallest steps do not agree, it lies between them; and nowhere where f jumps. The
    last step of all is left out: rounding may do anything with it.

    Plumbing.
    """
    pairs = [(Q[-2::-1], d[-2::-1]) for Q, d in zip(quotients, doubts, strict=True)]
    low = np.maximum.accumulate(np.max([Q - d for Q, d in pairs], axis=0))
    high = np.minimum.accumulate(np.min([Q + d for Q, d in pairs], axis=0))
    agree = int(np.argmin(np.append(low <= high, False)))
    if not agree and any(abs(Q[0]) > 2 * abs(Q[1]) + d[0] for Q, d in pairs):
        return Limit(np.nan, 0.0)
    k = max(agree - 1 - back, 0)
    return Limit((low[k] + high[k]) / 2, abs(high[k] - low[k]) / 2, agree)
