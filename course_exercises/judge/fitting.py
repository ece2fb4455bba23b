"""Candidates for what was done, and how well one fits to the numbers found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .changes import Scale
from .exercise import Mistake
from .once import Arrays, Compute, tried

CERTAIN, FLOAT32, ROUGH = 1e-9, 5e-6, 1e-4  # relative errors
SINGLE, HALF = 1e-3, 1e-2  # where the numbers say themselves that they have few digits
LOOSE = HALF  # what fits no better than this is no candidate at all
Column = list[np.ndarray | None]  # one output on each input; None: it raised
_NOT_YET: Arrays = []


class Base:
    """A candidate before factors: the mistakes made, and their results. Plumbing.

    A result is computed when it is asked for, and once: most candidates fail on the
    first input. A slip has a detail, which may be empty.
    """

    def __init__(
        self,
        ids: tuple[str, ...],
        compute: Compute,
        inputs: list[tuple],
        mistake: Mistake | None = None,
        detail: str | None = None,
    ) -> None:
        self.ids, self.mistake, self.detail = ids, mistake, detail
        self._compute, self._inputs = compute, inputs
        self._results: list[Arrays | None] = [_NOT_YET] * len(inputs)

    @property
    def slipped(self) -> bool:
        """Whether it is a right answer with one slip inside."""
        return self.detail is not None

    def result(self, i: int) -> Arrays | None:
        """All outputs on input i; None if it raises."""
        if self._results[i] is _NOT_YET:
            self._results[i] = tried(self._compute, self._inputs[i])
        return self._results[i]


@dataclass(frozen=True)
class Match:
    """A base and a factor that give the numbers found. Plumbing."""

    base: Base
    scale: Scale
    extra: tuple[str, ...] = ()
    certain: bool = True
    others: tuple[Match, ...] = ()  # other readings of the same numbers
    detail: str = ""  # the name that stands in the place of another

    @property
    def ids(self) -> tuple[str, ...]:
        """All mistakes made together."""
        return self.base.ids + self.scale.ids + self.extra


@dataclass
class Fit:
    """How one output compares with one base: the factor on each input. Plumbing.

    NaN stands where an input says nothing about the factor. `misfit` is the largest
    error that is left beside the factors, relative to the numbers of its input.
    """

    count: int
    factors: dict[int, float] = field(default_factory=dict)
    differs: int = 0
    misfit: float = 0.0
    reshaped: bool = False

    @property
    def agrees(self) -> int:
        """The number of inputs on which there is a factor."""
        return len(self.factors)

    @cached_property
    def ratios(self) -> np.ndarray:
        """The factors as an array, once all inputs are compared."""
        known = [self.factors.get(i, np.nan) for i in range(self.count)]
        return np.array(known, dtype=float)

    def compare(
        self, i: int, got: np.ndarray | None, row: Arrays | None, k: int, tol: float
    ) -> None:
        """Compare output k on input i; a row of None has raised."""
        made = None if row is None else row[k]
        if got is None or made is None:
            self.differs += got is not None or row is not None
            return
        factor, misfit = self._factor(got, made)
        if misfit > tol:
            self.differs += 1
        else:
            self.misfit = max(self.misfit, misfit)
            self.factors[i] = factor

    def _factor(self, got: np.ndarray, made: np.ndarray) -> tuple[float, float]:
        """The factor between two arrays whose shapes are equal but for ones."""
        if "U" in (got.dtype.kind, made.dtype.kind):
            same = got.shape == made.shape and bool(np.all(got == made))
            return 1.0, 0.0 if same else np.inf
        if got.shape != made.shape:
            if _squeezed(got.shape) != _squeezed(made.shape):
                return np.nan, np.inf
            self.reshaped = True
        return ratio(got, made)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def ratio(got: np.ndarray, made: np.ndarray) -> tuple[float, float]:
    """Give the r that makes r · made most like got, and the relative error left.

    r is NaN if any will do. The error is infinite where infinite and undefined entries
    do not stand in the same places. Plumbing.
    """
    if got.size == 1 and made.size == 1:
        return _ratio_of_two(got.item(), made.item())
    got, made = got.ravel(), made.ravel()
    if _far(got, made):
        return np.nan, np.inf
    got, made = got + 0.0, made + 0.0  # booleans have no product
    finite = np.isfinite(made)
    if not (np.isfinite(got) == finite).all():
        return np.nan, np.inf
    if not finite.all():
        got, made = got[finite], made[finite]
    norm = np.vdot(made, made).real
    size = np.abs(got).max(initial=0.0)
    if norm == 0 or size == 0:
        return np.nan, 0.0 if norm == 0 and size == 0 else np.inf
    factor = float(np.vdot(made, got).real / norm)
    return factor, float(np.abs(got - factor * made).max(initial=0.0) / size)


def _far(got: np.ndarray, made: np.ndarray) -> bool:
    """Whether two entries tell that no factor fits: this ends most comparisons.

    With one factor, got₀ · made₁ = got₁ · made₀. An error of LOOSE of the largest entry
    changes that by 2 · LOOSE · 10 of its size at most, where the two entries are no
    smaller than a tenth of it: so nothing that fits is thrown away.
    """
    if got.size < 2 or got.dtype.kind != "f" or made.dtype.kind != "f":
        return False
    (a, b), (c, d) = got[:: got.size - 1].tolist(), made[:: made.size - 1].tolist()
    large = max(abs(a), abs(b))
    far = abs(a * d - b * c) > 20 * LOOSE * large * max(abs(c), abs(d))
    return far and float(np.abs(got).max()) <= 10 * large


def _ratio_of_two(got: complex, made: complex) -> tuple[float, float]:
    """The same of two numbers, of which most candidates consist early in the course."""
    finite = np.isfinite(made)
    if np.isfinite(got) != finite:
        return np.nan, np.inf
    if not finite or made == 0 or got == 0:
        return np.nan, 0.0 if not finite or made == got else np.inf
    factor = (made.conjugate() * got).real / (made.conjugate() * made).real
    return factor, abs(got - factor * made) / abs(got)


def equal(got: np.ndarray, made: np.ndarray) -> bool:
    """Whether two arrays hold the same numbers, one after the other. Plumbing."""
    if got.size != made.size:
        return False
    factor, misfit = ratio(got.ravel(), made.ravel())
    return misfit <= CERTAIN and not abs(factor - 1) > CERTAIN


def equal_or_same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two outputs hold the same numbers, or the same words. Plumbing."""
    if one is None or other is None:
        return one is other
    if "U" in (one.dtype.kind, other.dtype.kind):
        return one.shape == other.shape and bool(np.all(one == other))
    if not np.any(one) and not np.any(other):
        return one.shape == other.shape
    return equal(one, other)


def fit(
    gots: Column, base: Base, k: int, tolerance: float, at: Sequence[int] = ()
) -> Fit:
    """Compare output k with a base on the inputs `at`, or else on all. Plumbing.

    On all inputs it ends at the first that differs.
    """
    found = Fit(len(gots))
    for i in at or range(len(gots)):
        found.compare(i, gots[i], base.result(i), k, tolerance)
        if found.differs and not at:
            break
    return found


@dataclass
class Scales:
    """The factors that may have been made, simple ones first. Plumbing."""

    choices: list[Scale]
    table: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.table = np.array([scale.values for scale in self.choices])

    def explaining(self, ratios: np.ndarray, tolerance: float) -> Scale | None:
        """Find the factors that explain the ratios, the simplest first."""
        known = ~np.isnan(ratios)
        if not known.any():
            return None
        table = self.table[:, known]
        near = np.abs(ratios[known] - table) <= tolerance * np.abs(table)
        hits = near.all(axis=1)
        return self.choices[int(hits.argmax())] if hits.any() else None

    def commonest(self, ratios: np.ndarray) -> tuple[Scale, int]:
        """Find the factors that explain the most ratios, and how many."""
        with np.errstate(invalid="ignore"):
            near = np.abs(ratios - self.table) <= CERTAIN * np.abs(self.table)
        counts = near.sum(axis=1)
        most = int(counts.argmax())
        return self.choices[most], int(counts[most])
