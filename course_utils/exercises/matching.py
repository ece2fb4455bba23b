"""Which mistake makes these numbers? Candidates are computed and compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from .answer import Finding
from .comparing import computing, labels, right, scale_of
from .exercise import Exercise, Mistake
from .general import SENTENCES, Arrays, Scale, changes, quietly, scales

CERTAIN, ROUGH, FLOAT32 = 1e-9, 1e-4, 5e-6  # relative errors
Column = list[np.ndarray | None]  # one output on each input; None: it raised


@dataclass
class Base:
    """A candidate before factors: mistakes made, and the results they give. Plumbing.

    `results[i][k]` is output k on input i.
    """

    ids: tuple[str, ...]
    results: list[Arrays | None]
    mistake: Mistake | None = None

    def column(self, k: int) -> tuple[Column, list[bool]]:
        """Output k on each input, and where nothing is said about it."""
        column = [None if r is None else r[k] for r in self.results]
        silent = [r is not None and r[k] is None for r in self.results]
        return column, silent


@dataclass
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

    @property
    def changes(self) -> int:
        """How many mistakes they are."""
        return len(self.ids)


@dataclass
class Fit:
    """How one output compares with one base: the factor on each input. Plumbing.

    NaN stands where an input says nothing about the factor.
    """

    ratios: np.ndarray
    differs: int = 0
    agrees: int = 0
    reshaped: bool = False

    def add(self, k: int, ratio: float | None) -> None:
        """Enter what one input says: a factor, or None for no factor at all."""
        if ratio is None:
            self.differs += 1
        else:
            self.agrees += 1
            self.ratios[k] = ratio


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


def _equal(got: np.ndarray, made: np.ndarray) -> bool:
    if len(got) != len(made):
        return False
    factor = ratio(got, made, CERTAIN)
    return factor is not None and not abs(factor - 1) > CERTAIN


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def fit(gots: Column, base: Base, k: int, tolerance: float) -> Fit:
    """Compare output k on all inputs with a base. Plumbing."""
    column, silent = base.column(k)
    found = Fit(np.full(len(gots), np.nan))
    for i, (got, made) in enumerate(zip(gots, column, strict=True)):
        if got is None or made is None:
            if (got is None) != (made is None) or silent[i]:
                found.add(i, None)
            continue
        if "U" in (got.dtype.kind, made.dtype.kind):
            same = got.shape == made.shape and bool(np.all(got == made))
            found.add(i, 1.0 if same else None)
        elif _squeezed(got.shape) != _squeezed(made.shape):
            found.add(i, None)
        else:
            found.reshaped |= got.shape != made.shape
            found.add(i, ratio(got.ravel() + 0.0, made.ravel() + 0.0, tolerance))
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


class Matcher:
    """Name the mistakes of one answer. Plumbing.

    `rows[i]` holds the outputs of the student's function on input i, or None where it
    raised or returned something that cannot be compared.
    """

    def __init__(self, exercise: Exercise, inputs: list[tuple], rows: list) -> None:
        self.exercise, self.inputs, self.rows = exercise, inputs, rows
        self.scales = scales(exercise, inputs) if inputs[0] else _signs(len(inputs))
        self.right = self._base((), computing(exercise, exercise.reference))
        self.kept: dict[int, list[Base]] = {}

    # --- candidates, from simple to far-fetched

    def _base(
        self, ids: tuple, compute: object, mistake: Mistake | None = None
    ) -> Base:
        results = [quietly(compute, args) for args in self.inputs]
        return Base(ids, results, mistake)

    def _written(self) -> Iterator[Base]:
        for mistake in self.exercise.mistakes:
            if mistake.code is not None:
                compute = computing(self.exercise, mistake.code)
                yield self._base((mistake.id,), compute, mistake)

    def _changed(self) -> Iterator[Base]:
        compute = computing(self.exercise, self.exercise.reference)
        for change in changes(self.exercise, self.inputs):
            yield self._base((change.id,), change.make(compute, self.exercise))

    def _both(self) -> Iterator[Base]:
        """A written mistake and a change together; then two changes."""
        for mistake in self.exercise.mistakes:
            if mistake.code is None:
                continue
            compute = computing(self.exercise, mistake.code)
            for change in changes(self.exercise, self.inputs):
                if change.id != mistake.id:
                    made = change.make(compute, self.exercise)
                    yield self._base((mistake.id, change.id), made, mistake)

    def _two_changes(self) -> Iterator[Base]:
        compute = computing(self.exercise, self.exercise.reference)
        cheap = [c for c in changes(self.exercise, self.inputs) if not c.costly]
        for first in cheap:
            made = first.make(compute, self.exercise)
            for second in cheap:
                if first.id != second.id:
                    both = second.make(made, self.exercise)
                    yield self._base((first.id, second.id), both)

    def _level(self, number: int) -> list[Base]:
        """The candidates of one level, computed when they are first asked for."""
        if number not in self.kept:
            self.kept[number] = list(self._compute(number))
        return self.kept[number]

    def _compute(self, number: int) -> Iterable[Base]:
        if number == 0:
            return [*self._written(), self.right]
        if not self.inputs[0]:  # a value has no arguments to be confused
            return []
        makers = (self._changed, self._both, self._two_changes)
        return makers[number - 1]()

    @property
    def levels(self) -> int:
        """How far to look: less far where every call takes its time."""
        return 2 if self.exercise.slow else 4

    # --- one output

    def gots(self, k: int) -> Column:
        """Output k of the student's function on each input."""
        return [None if row is None else row[k] for row in self.rows]

    def wrong(self, k: int) -> bool:
        """Whether output k is wrong somewhere, where it could be compared."""
        return bool(self.wrong_at(k))

    def wrong_at(self, k: int) -> list[int]:
        """The inputs on which output k is wrong, of those where it was compared."""
        expected = [r[k] for r in self.right.results]
        triples = zip(self.gots(k), expected, scale_of(expected), strict=True)
        return [
            i
            for i, (got, wanted, size) in enumerate(triples)
            if got is not None and not self._agrees(got, wanted, size)
        ]

    def _agrees(self, got: np.ndarray, wanted: np.ndarray, size: float) -> bool:
        if got.shape != wanted.shape:
            return False
        return bool(np.all(right(got, wanted, self.exercise.tolerance * size)))

    def exact(self, k: int, tolerance: float) -> Match | None:
        """Find the simplest candidate that fits on all inputs."""
        gots, best = self.gots(k), None
        for level in range(self.levels):
            if best is not None and best.changes <= max(level, 1):
                break
            for base in self._level(level):
                match = self._fitting(gots, base, k, tolerance)
                if match and (best is None or match.changes < best.changes):
                    best = match
        return best

    def _fitting(self, gots: Column, base: Base, k: int, tol: float) -> Match | None:
        found = fit(gots, base, k, tol)
        if found.differs or not found.agrees:
            return None
        scale = scaled(found, self.scales, max(tol, CERTAIN))
        if scale is None:
            return None
        match = Match(base, scale, ("extra-axis",) * found.reshaped)
        return match if match.ids else None

    def mostly(self, k: int) -> Match | None:
        """Find a candidate that fits on most of the inputs that go wrong."""
        at = self.wrong_at(k)
        if len(at) < 2 or len(at) == len(self.inputs) == 2:
            return None
        gots, best, most = [self.gots(k)[i] for i in at], None, len(at) / 2
        for base in (*self._level(0), *self._level(1)):
            there = replace(base, results=[base.results[i] for i in at])
            found = fit(gots, there, k, CERTAIN)
            scale = self._most_scaled(found, at)
            if scale and base.ids + scale.ids and found.agrees > most:
                best, most = Match(base, scale, certain=False), found.agrees
        return best

    def _most_scaled(self, found: Fit, at: list[int]) -> Scale | None:
        """The factors that explain the ratios on some of the inputs."""
        choices = [replace(s, values=s.values[at]) for s in self.scales]
        known = np.sum(~np.isnan(found.ratios)) > 1
        return scaled(found, choices, CERTAIN) if known else None

    def direction(self, k: int) -> Match | None:
        """Find a candidate that is right but for an unknown factor."""
        gots = self.gots(k)
        big = [got is not None and got.size > 2 for got in gots]
        for base in reversed(self._level(0)):
            found = fit(gots, base, k, CERTAIN)
            known = found.ratios[~np.isnan(found.ratios)]
            if found.differs or len(known) < 2 or not (any(big) or len(known) > 2):
                continue
            if np.ptp(known) <= 1e-6 * np.max(np.abs(known)):
                return Match(base, Scale(("factor",), found.ratios), certain=False)
            if sum(big) > 1 and min(known) > 0:
                return Match(base, Scale(("length",), found.ratios), certain=False)
        return None

    def nearly(self, k: int) -> Match | None:
        """Find a candidate that fits to few digits: float32, or something small."""
        match = self.exact_or_right(k, ROUGH)
        if match is None:
            return None
        gots = [got for got in self.gots(k) if got is not None]
        low = all(got.dtype in (np.float32, np.float16) for got in gots)
        small = self.exact_or_right(k, FLOAT32) is not None
        if low or small:
            return replace(match, extra=(*match.extra, "float32"), certain=low)
        extra = match.extra if match.ids else ("imprecise",)
        return replace(match, extra=extra, certain=False)

    def exact_or_right(self, k: int, tolerance: float) -> Match | None:
        """The same as `exact`, but the reference without any factor counts."""
        found = fit(self.gots(k), self.right, k, tolerance)
        if not found.differs and scaled(found, self.scales[:1], tolerance):
            return Match(self.right, self.scales[0], ("extra-axis",) * found.reshaped)
        return self.exact(k, tolerance)

    def plain(self, k: int) -> str | None:
        """See what the numbers show by themselves: zeros, or one constant."""
        gots = [got for got in self.gots(k) if got is not None and got.size]
        if not gots or not self.inputs[0] or any(got.dtype.kind == "U" for got in gots):
            return None
        wanted = [r[k] for r in self.right.results]
        if all(not np.any(got) for got in gots):
            return "zero" if any(np.any(w) for w in wanted) else None
        first = gots[0].flat[0]
        if len(gots) > 1 and all(np.all(got == first) for got in gots):
            return "constant"
        return None

    def reshaped(self, k: int) -> bool:
        """Whether the right numbers stand in another shape."""
        pairs = [
            (got.ravel() + 0.0, row[k].ravel() + 0.0)
            for got, row in zip(self.gots(k), self.right.results, strict=True)
            if got is not None and got.dtype.kind != "U"
        ]
        return bool(pairs) and all(_equal(got, wanted) for got, wanted in pairs)

    # --- what to say

    def name(self, k: int) -> Finding | None:
        """Name the mistake in output k, as well as it can be done."""
        if plain := self.plain(k):
            return self.general((plain,), k)
        if match := self.exact(k, max(CERTAIN, self.exercise.tolerance)):
            return self.finding(match, k)
        if self.inputs[0] and self.reshaped(k):
            return self.general(("other-shape",), k)
        for guess in (self.nearly, self.mostly, self.direction):
            if match := guess(k):
                return self.finding(match, k)
        return None

    def general(self, ids: tuple[str, ...], k: int, certain: bool = True) -> Finding:
        """Say a general sentence about output k."""
        return self.finding(Match(Base(ids, []), self.scales[0], certain=certain), k)

    def finding(self, match: Match, k: int) -> Finding:
        """Put a match into words."""
        name = labels(self.exercise)[k] if self.exercise.outputs else ""
        told = [self._told(name_of, match.base.mistake) for name_of in match.ids]
        ids = tuple(dict.fromkeys(match.ids))
        return Finding(ids, _together(told), _where(told), name, match.certain)

    def _told(self, name: str, written: Mistake | None) -> tuple[str, str]:
        sentence = SENTENCES.get(name)
        general, place = sentence if sentence else ("", "")
        if written is not None and written.id == name:
            return written.says or general, written.where or place
        return general, place


def _signs(count: int) -> list[Scale]:
    """The only factor that one predicted value can be recognised by."""
    one = np.ones(count)
    return [Scale((), one), Scale(("sign",), -one)]


def _where(told: list[tuple[str, str]]) -> str:
    return next((place for _, place in told if place), "")


def _together(told: list[tuple[str, str]]) -> str:
    """Join the sentences about mistakes that were made together."""
    texts = list(dict.fromkeys(says for says, _ in told))
    if len(texts) == 1:
        return texts[0]
    numbered = (f"({n}) {text}" for n, text in enumerate(texts, start=1))
    return "Several things at once. " + " ".join(numbered)


def merged(findings: list[Finding], outputs: int) -> list[Finding]:
    """Say the same thing about several outputs only once. Plumbing."""
    groups: dict[tuple, list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.ids, finding.says, finding.certain), []).append(
            finding
        )
    joined = []
    for group in groups.values():
        names = ", ".join(f.output for f in group)
        joined.append(replace(group[0], output=names if outputs > 1 else ""))
    if len(joined) == 1 and joined[0].ids == ("other-output",) and len(findings) > 1:
        says = SENTENCES["order"].says
        joined = [replace(joined[0], ids=("order",), says=says, output="")]
    return joined


def name_all(matcher: Matcher) -> list[Finding]:
    """Name the mistakes in all outputs that are wrong, in their order. Plumbing."""
    count = len(labels(matcher.exercise))
    found = (matcher.name(k) for k in range(count) if matcher.wrong(k))
    return merged([finding for finding in found if finding], count)
