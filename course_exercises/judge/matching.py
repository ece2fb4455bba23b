"""Which mistake makes these numbers? Candidates are computed and compared."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import chain, permutations

import numpy as np

from .answer import Finding
from .candidates import Candidates
from .changes import Scale, scales
from .comparing import allowed, labels, right
from .exercise import Exercise
from .fitting import (
    CERTAIN,
    FLOAT32,
    HALF,
    LOOSE,
    ROUGH,
    SINGLE,
    Base,
    Column,
    Fit,
    Match,
    Scales,
    equal_or_same,
    fit,
)
from .mixups import ALONE
from .once import Arrays
from .sight import at_sight, not_finite, reshaped
from .wording import either, merged, together, told

MOST_EXCHANGED = 4  # outputs
MOST_AT_ONCE = 3  # mistakes: more of them together fit by accident
_ROWS = ("first-only",), ("last-only",)  # which are said of one row as well
_LEAST = (1, 1, 1, 2, 2)  # from how many mistakes on to look at a level


class Matcher:
    """Name the mistakes of one answer. Plumbing.

    `rows[i]` holds the outputs of the student's function on input i, or None where it
    raised or returned something that cannot be compared.
    """

    def __init__(self, exercise: Exercise, inputs: list[tuple], rows: list) -> None:
        self.exercise, self.inputs, self.rows = exercise, inputs, rows
        self.is_value = not inputs[0]  # and has no arguments to be confused
        self.scales = Scales(_signs() if self.is_value else scales(exercise, inputs))
        self.candidates = Candidates(exercise, inputs)
        self.right = self.candidates.right
        self._near: dict[tuple[int, int], list[tuple[Base, Fit]]] = {}

    @property
    def levels(self) -> int:
        """How far to look: less far where every call takes its time."""
        if self.is_value:
            return 1
        return 2 if self.exercise.slow else len(_LEAST)

    # --- where it is wrong

    @property
    def expected(self) -> list[Arrays]:
        """The right outputs on each input."""
        return [self.right.result(i) for i in range(len(self.inputs))]

    def gots(self, k: int) -> Column:
        """Output k of the student's function on each input."""
        return [None if row is None else row[k] for row in self.rows]

    def wrong_at(self, k: int) -> list[int]:
        """The inputs on which output k is wrong, of those where it was compared."""
        expected = [row[k] for row in self.expected]
        bounds = allowed(self.exercise, expected)
        triples = zip(self.gots(k), expected, bounds, strict=True)
        return [
            i
            for i, (got, wanted, bound) in enumerate(triples)
            if got is not None
            and not (got.shape == wanted.shape and np.all(right(got, wanted, bound)))
        ]

    # --- what fits

    def _plausible(self, level: int, k: int) -> list[tuple[Base, Fit]]:
        """The candidates of a level that fit output k at all, and how well."""
        if (level, k) not in self._near:
            gots = self.gots(k)
            pairs = ((b, fit(gots, b, k, LOOSE)) for b in self.candidates.level(level))
            self._near[level, k] = [
                (base, found)
                for base, found in pairs
                if found.agrees and not found.differs
            ]
        return self._near[level, k]

    def exact(self, k: int, tolerance: float) -> Match | None:
        """Find the simplest candidate that fits on all inputs."""
        best: list[Match] = []
        for level in range(self.levels):
            if best and len(best[0].ids) <= _LEAST[level]:
                break
            for base, found in self._plausible(level, k):
                match = self._fitting(base, found, tolerance)
                if match and (not best or len(match.ids) <= len(best[0].ids)):
                    simpler = best and len(match.ids) < len(best[0].ids)
                    best = [match] if simpler else [*best, match]
        return self._read(best) if best else None

    def _read(self, matches: list[Match]) -> Match:
        """Of mistakes that give the same numbers here, take what fits everywhere.

        Where several do, or none, all of them are readings, and none is certain. Two
        slips that nobody has written down are both readings as well.
        """
        plain = [m for m in matches if m.base.mistake and len(m.ids) == 1]
        if not plain:
            return self._of_slips(matches) if matches[0].base.slipped else matches[0]
        whole = _saying_most([m for m in plain if self._explains(m.base)])
        readings: dict[str, Match] = {}
        for m in whole or plain:  # two that say the same are one
            readings.setdefault(told(m.ids[0], m.base.mistake)[0], m)
        one, *others = readings.values()
        by_itself = not self.is_value or one.base.mistake.about
        certain = not others and bool(whole or by_itself)
        return replace(one, others=tuple(others), certain=certain)

    @cached_property
    def _known(self) -> str:
        """The id of a written mistake that gives all that was found, or nothing."""
        for mistake, compute in self.candidates.written:
            base = Base((mistake.id,), compute, self.inputs, mistake)
            if self._explains(base) and self._ends_as(base):
                return mistake.id
        return ""

    def _ends_as(self, base: Base) -> bool:
        """Whether the answer fails where this one does, and nowhere else."""
        pairs = enumerate(self.rows)
        return all((base.result(i) is None) == (row is None) for i, row in pairs)

    def _of_slips(self, matches: list[Match]) -> Match:
        """One slip, or two readings; a detail only if it is the same, and known."""
        known, kinds = {*self.exercise.arguments, *self.exercise.outputs}, {}
        for m in matches:
            kinds.setdefault(m.ids, []).append(m)
        readings = []
        for same in kinds.values():
            detail, *more = {m.base.detail for m in same}
            clear = detail in known and not more
            readings.append(replace(same[0], detail=detail if clear else ""))
        one, *others = readings
        return replace(
            one, others=tuple(others[:1]), certain=one.certain and not others
        )

    def _explains(self, base: Base) -> bool:
        """Whether a written mistake gives all that was found, right results as well.

        Of those that speak of some outputs alone, only these are looked at.
        """
        rows = map(base.result, range(len(self.inputs)))
        names, about = labels(self.exercise), base.mistake.about
        at = [k for k, name in enumerate(names) if not about or name in about]
        return all(
            row is None
            or made is None
            or all(equal_or_same(row[k], made[k]) for k in at)
            for row, made in zip(self.rows, rows, strict=True)
        )

    def _fitting(self, base: Base, found: Fit, tolerance: float) -> Match | None:
        if found.misfit > tolerance:
            return None
        scale = self.scales.explaining(found.ratios, max(tolerance, CERTAIN))
        if scale is None and not self.inputs[0]:  # 0 was predicted, as in this mistake
            scale = self._no_factor if np.isnan(found.ratios).all() else None
        if scale is None or (scale.ids and base.ids[:1] and base.ids[0] in ALONE):
            return None
        extra = ("extra-axis",) * (found.reshaped and base.ids not in _ROWS)
        simple = len(base.ids) < 2 and not (base.slipped and scale.ids)
        match = Match(base, scale, extra, certain=simple)
        return match if 1 <= len(match.ids) <= MOST_AT_ONCE else None

    @property
    def _no_factor(self) -> Scale:
        return self.scales.choices[0]

    def mostly(self, k: int) -> Match | None:
        """Find a candidate that fits on most of the inputs that go wrong."""
        at = self.wrong_at(k)
        if len(at) < 2:
            return None
        gots, best, most = self.gots(k), None, max(1, len(at) / 2)
        for base in (
            *self.candidates.level(0),
            *self.candidates.level(min(1, self.levels - 1)),
        ):
            found = fit(gots, base, k, CERTAIN, at)
            scale, count = self.scales.commonest(found.ratios)
            if base.ids + scale.ids and count > most:
                best, most = Match(base, scale, certain=False), count
        return best

    def direction(self, k: int) -> Match | None:
        """Find a candidate that is right but for an unknown factor."""
        gots = self.gots(k)
        big = sum(got is not None and got.size > 2 for got in gots)
        for base in reversed(self.candidates.level(0)):
            found = fit(gots, base, k, CERTAIN)
            known = found.ratios[~np.isnan(found.ratios)]
            if found.differs or len(known) < (2 if big else 3):
                continue
            if np.ptp(known) <= 1e-6 * np.max(np.abs(known)):
                return Match(base, Scale(("factor",), found.ratios), certain=False)
            if big > 1 and min(known) > 0:
                return Match(base, Scale(("length",), found.ratios), certain=False)
        return None

    def nearly(self, k: int) -> Match | None:
        """Find a candidate that fits to few digits: float32, or something small."""
        if self.expected[0][k].dtype.kind in "iu":  # a count: right or wrong
            return None
        types = {got.dtype for got in self.gots(k) if got is not None}
        low = types <= {np.dtype("f4"), np.dtype("f2")}
        bound = HALF if np.dtype("f2") in types else SINGLE if low else ROUGH
        match = self._or_right(k, bound)
        if match is None:
            return None
        if low or self._or_right(k, FLOAT32) is not None:
            return replace(match, extra=(*match.extra, "float32"), certain=low)
        extra = match.extra if match.ids else ("imprecise",)
        return replace(match, extra=extra, certain=False)

    def roughly(self, k: int) -> Match | None:
        """See whether it is right but for a hundredth, as a coarse step makes it."""
        found = fit(self.gots(k), self.right, k, LOOSE)
        known = found.ratios[~np.isnan(found.ratios)]
        counted = self.is_value or self.expected[0][k].dtype.kind in "iu"
        if counted or found.differs or not len(known) or max(abs(known - 1)) > LOOSE:
            return None
        return Match(self.right, self._no_factor, ("imprecise",), certain=False)

    def _or_right(self, k: int, tolerance: float) -> Match | None:
        """The same as `exact`, but the reference without any factor counts."""
        found = fit(self.gots(k), self.right, k, tolerance)
        known = found.ratios[~np.isnan(found.ratios)]
        if not found.differs and len(known) and np.all(abs(known - 1) <= tolerance):
            return Match(self.right, self._no_factor, ("extra-axis",) * found.reshaped)
        return self.exact(k, tolerance)

    # --- what to say

    def name(self, k: int) -> Finding | None:
        """Name the mistake in output k, as well as it can be done."""
        gots, wanted = self.gots(k), [row[k] for row in self.expected]
        shown = "" if self.is_value else at_sight(gots, wanted)
        if shown:
            return self._general((self._known or shown,), k)
        if match := self.exact(k, max(CERTAIN, self.exercise.tolerance)):
            known = match.base.mistake and self._explains(match.base)
            if not (known or self.is_value) and self._copied(k):
                return self._general(("copied-output",), k)
            return self._finding(match, k)
        if not self.is_value and reshaped(gots, wanted):
            return self._general(("other-shape",), k)
        for guess in (self.nearly, self.mostly, self.direction, self.roughly):
            if match := guess(k):
                return self._finding(match, k)
        return self._general(("not-finite",), k) if not_finite(gots, wanted) else None

    def failing(self) -> Finding | None:
        """Name a written mistake that ends where this answer does, right elsewhere."""
        if self._known and None in self.rows:
            return self._general((self._known,), 0)
        return None

    def exchanged(self, wrong: list[int]) -> bool:
        """Whether the wrong outputs are the right ones in another order."""
        if self.is_value or len(wrong) > MOST_EXCHANGED:
            return False
        columns = [[row[k] for row in self.expected] for k in wrong]
        return any(
            all(map(_same_column, map(self.gots, wrong), order))
            for order in permutations(columns)
        )

    def exchange(self) -> Finding:
        """Say that all is right but the order."""
        return replace(self._general(("order",), 0), output="")

    def _copied(self, k: int) -> bool:
        """Whether another output has the same numbers, and rightly."""
        others = (j for j in range(len(self.exercise.outputs)) if j != k)
        return any(
            _same_column(self.gots(j), self.gots(k))
            for j in others
            if not self.wrong_at(j)
        )

    def _general(self, ids: tuple[str, ...], k: int) -> Finding:
        """Say a general sentence about output k, or the one that is written for it."""
        written = (m for m in self.exercise.mistakes if m.id == ids[0])
        base = Base(ids, self.candidates.compute, [], next(written, None))
        return self._finding(Match(base, self._no_factor), k)

    def _finding(self, match: Match, k: int) -> Finding:
        """Put a match into words."""
        name = labels(self.exercise)[k] if self.exercise.outputs else ""
        readings = (match, *match.others)
        ids = tuple(dict.fromkeys(chain(*(m.ids for m in readings))))
        said = [[told(i, m.base.mistake, m.detail) for i in m.ids] for m in readings]
        places = (self.exercise.reached(place) for _, place in chain(*said))
        where = next((place for place in places if place), "")
        return Finding(ids, either(map(together, said)), where, name, match.certain)


def _same_column(one: Column, other: Column) -> bool:
    return all(a is b or equal_or_same(a, b) for a, b in zip(one, other, strict=True))


def _saying_most(matches: list[Match]) -> list[Match]:
    """Of matches that are all there is to say, those about the most outputs."""
    counts = [len(m.base.mistake.about) for m in matches]
    most = 0 if 0 in counts else max(counts, default=0)  # nothing is said of: all
    return [m for m, n in zip(matches, counts, strict=True) if n == most]


def _signs() -> list[Scale]:
    """The only factor that one predicted value can be recognised by."""
    return [Scale((), np.ones(1)), Scale(("sign",), -np.ones(1))]


def name_all(matcher: Matcher) -> list[Finding]:
    """Name the mistakes in all outputs that are wrong, in their order. Plumbing."""
    count = len(labels(matcher.exercise))
    wrong = [k for k in range(count) if matcher.wrong_at(k)]
    found = [matcher.name(k) for k in wrong] if wrong else [matcher.failing()]
    said = merged([finding for finding in found if finding], count if wrong else 1)
    return [matcher.exchange()] if len(said) > 1 and matcher.exchanged(wrong) else said
