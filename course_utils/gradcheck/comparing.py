"""Two gradients beside each other, entry by entry: where they agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

RIGHT, NOISE, KINK, WRONG = range(4)  # the verdict on one entry


def relative_error(a, b):
    """Elementwise |a − b| / max(|a|, |b|), and 0 where both are 0.

    Between 0 and 2: 2 for an opposite sign, 1 where one side is 0. Nothing is
    broadcast. NaN and inf on either side give NaN.

    Raises ValueError for unequal shapes.

    Taught in: 04_gradient_checking.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        raise ValueError(
            f"expected two arrays of one shape, found {a.shape} and {b.shape}; "
            "broadcasting them would compare entries that do not belong together"
        )
    with np.errstate(invalid="ignore"):
        gap, size = np.abs(a - b), np.maximum(np.abs(a), np.abs(b))
        return np.divide(gap, size, out=np.zeros(a.shape), where=size != 0)[()]


def agrees(a, n, tolerance):
    """Elementwise |a − n| ≤ tolerance; False where a or n is NaN or infinite.

    Taught in: 04_gradient_checking.
    """
    with np.errstate(invalid="ignore"):
        return (np.abs(a - n) <= tolerance) & np.isfinite(a) & np.isfinite(n)


def compare(name, analytic, numeric, floor, rtol: float, label: str = "") -> Check:
    """Verdict by the quick test: |a − n| ≤ rtol·max(|a|, |n|), or else ≤ that + floor.

    Entries that need the floor are marked NOISE: they agree within what rounding leaves
    in the quotient, no better. `floor` has the shape of `numeric`.

    Plumbing.
    """
    label = label or str(numeric.shape)
    if analytic.shape != numeric.shape:
        return misshapen(name, analytic, numeric)
    strict = rtol * np.maximum(np.abs(analytic), np.abs(numeric))
    verdict = np.full(numeric.shape, WRONG)
    verdict[agrees(analytic, numeric, strict + floor)] = NOISE
    verdict[agrees(analytic, numeric, strict)] = RIGHT
    return Check(name, analytic, numeric, np.asarray(strict + floor), verdict, label)


def misshapen(name: str, analytic, numeric) -> Check:
    """The verdict on a gradient of another shape than its input's. Plumbing."""
    reason = f"shape {analytic.shape} where {numeric.shape} was expected"
    nothing, label = np.zeros(numeric.shape), str(numeric.shape)
    return Check(name, analytic, numeric, nothing, nothing, label, reason)


@dataclass
class Check:
    """The verdict on one input: `analytic` against `numeric`, entry by entry.

    `tolerance` and `verdict` have the shape of `numeric`. `reason` is filled where the
    gradient as a whole cannot be right, `looks_like` where a wrong one has a name.
    `noisy` is the reason why nothing could be said. `near` holds the numbers of the
    entries that a second look found beside kinks.

    Plumbing.
    """

    name: str
    analytic: np.ndarray
    numeric: np.ndarray
    tolerance: np.ndarray
    verdict: np.ndarray
    label: str
    reason: str = ""
    looks_like: str = ""
    noisy: str = ""
    near: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not (self.reason or self.noisy or np.any(self.verdict == WRONG))

    def scores(self):
        """Error in units of the tolerance; 0 where a is n, inf where not finite."""
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = np.abs(self.analytic - self.numeric)
            scores = np.where(gap == 0, 0.0, gap / self.tolerance)
        finite = np.isfinite(self.analytic) & np.isfinite(self.numeric)
        return np.where(finite, scores, np.inf)

    def worst(self) -> Worst | None:
        """The wrong entry of largest error; if all are right, the one nearest to it."""
        if self.reason or not self.numeric.size:
            return Worst(self.name, None, np.nan, np.nan) if self.reason else None
        scores = self.scores()
        if np.any(self.verdict == WRONG):
            scores = np.where(self.verdict == WRONG, scores, -np.inf)
        # Of equals the first: which one rounding would choose differs by machine.
        return self.entry(np.argmax(scores >= 0.99 * scores.max()))

    def shown(self) -> Worst | None:
        """What the table shows: the worst entry, or of a right input the largest."""
        if not self or not self.numeric.size:
            return self.worst()
        size = np.abs(self.numeric)
        return self.entry(np.argmax(size >= 0.9999 * size.max()))

    def entry(self, i: int) -> Worst:
        """Entry number i, counted through the flattened array."""
        index = tuple(int(k) for k in np.unravel_index(i, self.numeric.shape))
        pair = self.analytic[index], self.numeric[index]
        return Worst(self.name, index, float(pair[0]), float(pair[1]))


class Worst(NamedTuple):
    """One entry of a check; `index` is None where a whole gradient has the wrong shape.

    Plumbing.
    """

    input: str
    index: tuple[int, ...] | None
    analytic: float
    numeric: float
