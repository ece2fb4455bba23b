"""What else an answer shows when it is called again, where its numbers have no name.

It may be right on inputs of one kind alone, give another result each time, or take no
notice of one of its arguments. Each is tried on new inputs before it is said: a draw of
five may look like anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..general import SENTENCES
from .answer import Finding
from .fitting import equal_or_same

if TYPE_CHECKING:
    from .judging import Judge, Trial

Kind = Callable[["Trial"], bool]
NEW = (1, 2)  # draws that are not those of the check


class Behaviour:
    """Look at an answer to which no mistake was found for certain. Plumbing."""

    def __init__(self, judge: Judge, trials: list[Trial], bad: list[Trial]) -> None:
        self.judge, self.exercise = judge, judge.exercise
        self.trials, self.bad = trials, bad
        self.good = [t for t in trials if t not in bad]
        self.works = judge.right_ones
        if not self.good:  # all wrong: then look where it runs at all
            self.works = running
            self.good, self.bad = running(trials), [t for t in trials if not t.fine]

    def pattern(self) -> tuple[Finding, ...]:
        """See whether exactly the inputs of one kind go wrong."""
        if not self.trials[0].args or not self.good or not self.bad:
            return ()
        for name, special in self._kinds():
            if self._divides(special, self.trials, self.good) and self._again(special):
                return (self._finding(name, certain=False),)
        return ()

    def _kinds(self) -> Iterator[tuple[str, Kind]]:
        """Kinds of inputs, and what it means when only those are right."""
        n, matrices = self.exercise.examples, changing(self.trials)
        lengths = {n(t.args) for t in self.good}
        if matrices:
            yield "square-only", lambda t: square(t.args, matrices)
        yield "single-only", lambda t: n(t.args) == 1
        yield "single-example", lambda t: n(t.args) != 1
        if matrices:
            yield "square-only", lambda t: square(t.args, matrices) or n(t.args) == 1
        if len(lengths) == 1:
            yield "one-length", lambda t: n(t.args) in lengths

    def _divides(self, special: Kind, trials: list[Trial], good: list[Trial]) -> bool:
        return all(special(t) == (t in good) for t in trials)

    def _again(self, special: Kind) -> bool:
        """Whether the same holds for inputs that it was not read off."""
        draws = [self.judge.tried(self.exercise.draw(new)) for new in NEW]
        return all(self._divides(special, ts, self.works(ts)) for ts in draws)

    def unsteady(self) -> tuple[Finding, ...]:
        """See whether the same numbers give two results: then no pattern holds."""
        for trial in self.trials[0].args and running(self.trials):
            (again,) = self.judge.tried([trial.args])
            if not again.fine or not same(again.got, trial.got):
                return (self._finding("random"),)
        return ()

    def facts(self) -> tuple[Finding, ...]:
        """What is certain of an answer whose numbers say nothing."""
        if not self.trials[0].args or not self.trials[0].fine:
            return ()
        names = self.exercise.arguments[: len(self.trials[0].args)]
        ignored = [name for k, name in enumerate(names) if self._ignores(k)]
        if not 0 < len(ignored) < len(names):
            return ()
        return (self._finding("argument-ignored", ", ".join(ignored)),)

    def _ignores(self, k: int) -> bool:
        """Whether argument k may be anything, where the right answer depends on it."""
        seen, values = False, [args[k] for args in self.exercise.draw(NEW[0])]
        for i, old in enumerate(self.trials):
            new = next(filter(partial(differs, old.args[k]), values[i:] + values), None)
            if not old.fine or new is None:
                continue
            args = (*old.args[:k], new, *old.args[k + 1 :])
            (trial,) = self.judge.tried([args])
            if not trial.fine or not same(trial.got, old.got):
                return False
            pairs = zip(trial.expected, old.expected, strict=True)
            seen |= not all(equal_or_same(*pair) for pair in pairs)
        return seen

    def _finding(self, name: str, output: str = "", certain: bool = True) -> Finding:
        says, where = SENTENCES[name]
        return Finding((name,), says, self.exercise.reached(where), output, certain)


def running(trials: list[Trial]) -> list[Trial]:
    """Those that gave something to compare. Plumbing."""
    return [t for t in trials if t.fine]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Whether all outputs are the same to the last digit, NaN as NaN. Plumbing."""
    pairs = zip(one, other, strict=True)
    return all(
        a.shape == b.shape and np.all((a == b) | ((a != a) & (b != b)))
        for a, b in pairs
    )


def changing(trials: list[Trial]) -> list[int]:
    """The arguments that are matrices of which both lengths change. Plumbing.

    Three customers with three numbers each are no square matrix.
    """
    found = []
    for k in range(len(trials[0].args)):
        shapes = [shape_of(t.args[k]) for t in trials]
        if all(len(s) == 2 for s in shapes):
            rows, columns = (set(lengths) for lengths in zip(*shapes, strict=True))
            found += [k] * (len(rows) > 1 and len(columns) > 1)
    return found


def differs(one: Any, other: Any) -> bool:
    """Whether one value may stand for another, and is not the same. Plumbing."""
    try:
        alike = not callable(one) and np.shape(one) == np.shape(other)
    except ValueError:  # rows of different lengths
        return False
    return alike and not np.array_equal(one, other)


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array; nothing else has one. Plumbing."""
    return value.shape if isinstance(value, np.ndarray) else ()


def square(args: tuple, matrices: list[int]) -> bool:
    """Whether these arguments are all square. Plumbing."""
    return all(len(set(args[k].shape)) == 1 for k in matrices)
