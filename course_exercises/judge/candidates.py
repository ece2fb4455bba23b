"""Candidates for what was done, level by level, from simple to far-fetched."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from typing import Any

from .changes import changes
from .comparing import computing
from .exercise import Exercise, Mistake
from .fitting import Base
from .mixups import ALONE
from .once import Compute, Remembering, on_copies, tried
from .slips import slips

_ELSEWHERE = (  # slips of other right answers, too
    *("assigned", "incoming-partly", "brackets", "axis", "keepdims", "off-by-one"),
    *("inner-sign", "mean-or-sum", "factor-missing", "function-missing"),
    *("index-fixed", "indices", "power-inside", "power-missing", "factor-twice"),
    *("upside-down", "other-function"),
)


class Candidates:
    """What may have been made of the right answer to an exercise. Plumbing.

    Each is computed when it is asked for, and once.
    """

    def __init__(self, exercise: Exercise, inputs: list[tuple]) -> None:
        self.exercise, self.inputs = exercise, inputs
        self.changes = list(changes(exercise, inputs)) if inputs[0] else []
        self.compute = self._computing(exercise.reference)
        self.right = Base((), self.compute, inputs)
        self._kept: dict[int, list[Base]] = {}

    def _computing(self, function: Any) -> Compute:
        """What a function computes, each input once."""
        return Remembering(on_copies(computing(self.exercise, function)), self.inputs)

    @cached_property
    def written(self) -> list[tuple[Mistake, Compute]]:
        """The written mistakes, and what each computes."""
        return [(m, self._computing(m.code)) for m in self.exercise.mistakes if m.code]

    def _simple(self) -> Iterator[Base]:
        """The written mistakes, and the reference, which may have a wrong factor."""
        for mistake, compute in self.written:
            yield Base((mistake.id,), compute, self.inputs, mistake)
        yield self.right

    def _changed(self) -> Iterator[Base]:
        """The reference with one general mistake; that of all axes looks like B A."""
        for name, function in slips(self.exercise.reference, ("factors-exchanged",)):
            yield Base((name,), self._computing(function), self.inputs)
        for change in self.changes:
            wrong = change.make(self.compute, self.exercise)
            yield Base((change.id,), wrong, self.inputs)

    def _slipped(self) -> Iterator[Base]:
        """The reference with one slip inside, or another right answer with one."""
        reference = slips(self.exercise.reference)
        others = (slips(right, _ELSEWHERE) for right in self.exercise.variants)
        made = sorted(chain(reference, *others), key=lambda slip: slip[0] in ALONE)
        for name, function in made:
            compute = on_copies(computing(self.exercise, function))
            yield Base((name,), compute, self.inputs, detail=function.detail)

    def _both(self) -> Iterator[Base]:
        """A written mistake and a general one together."""
        for mistake, compute in self.written:
            for change in self.changes:
                if change.id != mistake.id:
                    wrong = change.make(compute, self.exercise)
                    yield Base((mistake.id, change.id), wrong, self.inputs, mistake)

    def _two_changes(self) -> Iterator[Base]:
        """The reference with two general mistakes."""
        for first in self.changes:
            once = Remembering(first.make(self.compute, self.exercise), self.inputs)
            made = tried(once, self.inputs[0])
            if made is None or not any(y is not None for y in made):
                continue  # it cannot be made here, so no second one on top of it
            for second in self.changes:
                if first.id != second.id:
                    twice = second.make(once, self.exercise)
                    yield Base((first.id, second.id), twice, self.inputs)

    def level(self, number: int) -> list[Base]:
        """The candidates of one level, the lowest first."""
        if number not in self._kept:
            makers = (self._simple, self._changed, self._slipped)
            makers += (self._both, self._two_changes)
            self._kept[number] = list(makers[number]())
        return self._kept[number]
