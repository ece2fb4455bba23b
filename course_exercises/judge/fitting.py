"""Candidates for what was done, and how well one fits to the numbers found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .changes import Arrays, Compute, Scale, quietly
from .exercise import Mistake

CERTAIN, FLOAT32, ROUGH = 1e-9, 5e-6, 1e-4  # relative errors
SINGLE, HALF = 1e-3, 1e-2  # where the numbers say themselves that they have few digits
Column = list[np.ndarray | None]  # one output on each input; None: it raised
_NOT_YET: Arrays = []


class Base:
    """A candidate before factors: the mistakes made, and their results. Plumbing.

    A result is computed when it is asked for: most candidates fail on the first input.
    """

    def __init__(
        self,
        ids: tuple[str, ...],
        compute: Compute,
        inputs: list[tuple],
        mistake: Mistake | None = None,
    ) -> None:
        self.ids, self.mistake = ids, mistake
        self._compute, self._inputs = compute, inputs
        self._results: list[Arrays | None] = [_NOT_YET] * len(inputs)

    def result(self, i: int) -> Arrays | None:
        """All outputs on input i; None if it raises."""
        if self._results[i] is _NOT_YET:
            self._results[i] = quietly(self._compute, self._inputs[i])
        return self._results[i]


@dataclass(frozen=True)
class Match:
    """A base and a factor that give the numbers found. Plumbing."""

    base: Base
    scale: Scale
    extra: tuple[str, ...] = ()
    certain: bool = True

    @property
    def ids(self) -> tuple[str, ...]:
        """All mistakes made together."""
        return self.base.ids + self.scale.ids + self.extra


@dataclass
class Fit:
    """How one output compares with one base: the factor on each input. Plumbing.

    NaN stands where an input says nothing about the factor.
    """

    ratios: np.ndarray
    differs: int = 0
    agrees: int = 0
    reshaped: bool = False

    def compare(
        self, i: int, got: np.ndarray | None, row: Arrays | None, k: int, tol: float
    ) -> None:
        """Compare output k on input i; a row of None has raised."""
        made = None if row is None else row[k]
        if got is None or made is None:
            self.differs += got is not None or row is not None
            return
        factor = self._factor(got, made, tol)
        if factor is None:
            self.differs += 1
        else:
            self.agrees += 1
            self.ratios[i] = factor

    def _factor(self, got: np.ndarray, made: np.ndarray, tol: float) -> float | None:
        """The factor between two arrays whose shapes are equal but for ones."""
        if "U" in (got.dtype.kind, made.dtype.kind):
            same = got.shape == made.shape and bool(np.all(got == made))
            return 1.0 if same else None
        if got.shape != made.shape:
            if _squeezed(got.shape) != _squeezed(made.shape):
                return None
            self.reshaped = True
        return ratio(got.ravel() + 0.0, made.ravel() + 0.0, tol)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def ratio(got: np.ndarray, made: np.ndarray, tolerance: float) -> float | None:
    """Give r with got = r · made; NaN if any will do, None if there is none. Plumbing.

    Infinite and undefined entries have to stand in the same places.
    """
    finite = np.isfinite(made)
    if not np.array_equal(np.isfinite(got), finite):
        return None
    got, made = got[finite], made[finite]
    size = float(np.max(np.abs(got), initial=0.0))
    norm = float(np.vdot(made, made).real)
    if norm == 0 or size == 0:
        return np.nan if norm == 0 and size == 0 else None
    factor = float(np.vdot(made, got).real) / norm
    near = np.max(np.abs(got - factor * made), initial=0.0) <= tolerance * size
    return factor if near else None


def equal(got: np.ndarray, made: np.ndarray) -> bool:
    """Whether two flat arrays hold the same numbers. Plumbing."""
    if len(got) != len(made):
        return False
    factor = ratio(got, made, CERTAIN)
    return factor is not None and not abs(factor - 1) > CERTAIN


def fit(
    gots: Column, base: Base, k: int, tolerance: float, at: Sequence[int] = ()
) -> Fit:
    """Compare output k with a base on the inputs `at`, or else on all. Plumbing.

    On all inputs it ends at the first that differs.
    """
    found = Fit(np.full(len(gots), np.nan))
    for i in at or range(len(gots)):
        found.compare(i, gots[i], base.result(i), k, tolerance)
        if found.differs and not at:
            break
    return found


def scaled(found: Fit, choices: list[Scale], tolerance: float) -> Scale | None:
    """Find the factors that explain the ratios, the simplest first. Plumbing."""
    known = ~np.isnan(found.ratios)
    if not known.any():
        return None
    ratios = found.ratios[known]
    for scale in choices:
        wanted = scale.values[known]
        if np.all(np.abs(ratios - wanted) <= tolerance * np.abs(wanted)):
            return scale
    return None


def commonest(found: Fit, choices: list[Scale]) -> tuple[Scale, int]:
    """Find the factors that explain the most ratios, and how many. Plumbing."""
    with np.errstate(invalid="ignore"):
        counts = [
            int(np.sum(np.abs(found.ratios - s.values) <= CERTAIN * np.abs(s.values)))
            for s in choices
        ]
    most = int(np.argmax(counts))
    return choices[most], counts[most]
