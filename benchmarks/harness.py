"""Measure several entrants on the same work: in turn, after they have agreed.

A case builds its entrants; `measure` lets each of them work once without a clock and
compares what they found, then times them round by round. Within a round all entrants
work one after the other, and every round begins with another one, so that a slow moment
of the machine hits them all. Nothing here imports NumPy: thread counts have to be set
before anybody does (see `worker`).
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

ROUNDS = 7
PAUSE = 0.05  # seconds; threads of the entrant before have gone to sleep by then


class Disagreement(AssertionError):
    """Two entrants did not do the same work: their times cannot be compared."""


class Unavailable(RuntimeError):
    """A peer cannot take part here; the message says why."""


@dataclass
class Entrant:
    """One way of doing the work.

    - `work()` is what the clock sees; its result is not kept.
    - `reset()` comes before each `work()`, outside the clock, for the round ahead.
    - `answer()` says what the work found: name → numbers, compared with the others'.
      Where it is None, there is nothing to compare (the matrix products alone).
    - `repeat`: so many calls of `work` are timed together where one is too short.
    - `gauge`: `work` itself returns what counts: the seconds, or the megabytes, of a
      process of its own.
    """

    name: str
    work: Callable[[], Any]
    reset: Callable[[int], Any] = lambda number: None
    answer: Callable[[], dict[str, Any]] | None = None
    repeat: int = 1
    gauge: bool = False


@dataclass
class Case:
    """A piece of work, its entrants, and how well their answers have to agree.

    - `tolerance`: (rtol, atol) for each name in an answer, and then
      |a − b| ≤ atol + rtol·max|b| with b of the first entrant that has that name.
    - `warm_up`: rounds that do not count, after the answers of round 0 agreed.
    - `rounds`: how many count, if not as many as usual; `unit`: of what is measured.
    - `missing`: the peers that cannot take part, and why.
    - `facts`: numbers worth telling that are no times.
    """

    name: str
    what: str
    entrants: list[Entrant]
    tolerance: dict[str, tuple[float, float]] = field(default_factory=dict)
    warm_up: int = 1
    rounds: int | None = None
    unit: str = "s"
    missing: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


# --- agreement ------------------------------------------------------------------------


def flatten(numbers: Any) -> list[float]:
    """Give the numbers of a nested sequence, an array or a single number in order."""
    if hasattr(numbers, "tolist"):
        numbers = numbers.tolist()
    if isinstance(numbers, Iterable):
        return [x for part in numbers for x in flatten(part)]
    return [float(numbers)]


def distance(found: Any, expected: Any) -> tuple[float, float]:
    """Largest |found − expected| and largest |expected|; infinite for another count.

    NaN counts as infinitely far.
    """
    a, b = flatten(found), flatten(expected)
    if len(a) != len(b) or not a:
        return math.inf, 0.0
    gaps = [abs(x - y) for x, y in zip(a, b, strict=True)]
    if any(math.isnan(gap) for gap in gaps):
        return math.inf, 0.0
    return max(gaps), max(map(abs, b))


def compare(case: Case, answers: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Compare answers of one name; name → largest difference over the largest number.

    Raises Disagreement that says who differs in what, and by how much.
    """
    expected: dict[str, tuple[str, Any]] = {}
    worst: dict[str, float] = {}
    for name, found in answers.items():
        for key, numbers in found.items():
            first, reference = expected.setdefault(key, (name, numbers))
            gap, size = distance(numbers, reference)
            rtol, atol = case.tolerance[key]
            if not gap <= atol + rtol * size:
                raise Disagreement(
                    f"{case.name}: {name} and {first} differ in their {key} by "
                    f"{gap:.3g} where {first} has up to {size:.3g}; allowed are "
                    f"{rtol:g} of that, plus {atol:g}"
                )
            worst[key] = max(worst.get(key, 0.0), gap / size if size else gap)
    return worst


def agreement(case: Case) -> dict[str, float]:
    """Let all who have an answer do round 0, without a clock, and compare."""
    for entrant in case.entrants:
        if entrant.answer is None:
            continue
        entrant.reset(0)
        entrant.work()
    return compare(case, answers_of(case))


def answers_of(case: Case) -> dict[str, dict[str, Any]]:
    """Give the answers of all entrants that have one."""
    return {e.name: e.answer() for e in case.entrants if e.answer is not None}


# --- the clock ------------------------------------------------------------------------


def rotated(entrants: Sequence[Any], number: int) -> list[Any]:
    """Give the entrants in the order of a round: each begins with another."""
    start = number % len(entrants)
    return [*entrants[start:], *entrants[:start]]


def timed(entrant: Entrant, number: int, pause: float = PAUSE) -> float:
    """Give the seconds of one round; earlier garbage is not its own."""
    entrant.reset(number)
    gc.collect()
    time.sleep(pause)
    start = time.perf_counter()
    if entrant.gauge:
        return entrant.work()
    for _ in range(entrant.repeat):
        entrant.work()
    return (time.perf_counter() - start) / entrant.repeat


def measure(case: Case, rounds: int = ROUNDS, pause: float = PAUSE) -> dict[str, Any]:
    """Check that the entrants agree, warm them up, time them in turn; give a record.

    The answers are compared in round 0 and after the last one, so an entrant that goes
    another way later is found as well.
    """
    rounds, agreed = case.rounds or rounds, agreement(case)
    measured: dict[str, list[float]] = {entrant.name: [] for entrant in case.entrants}
    for number in range(1, case.warm_up + rounds + 1):
        for entrant in rotated(case.entrants, number):
            measured[entrant.name].append(timed(entrant, number, pause))
    measured = {name: values[case.warm_up :] for name, values in measured.items()}
    agreed |= compare(case, answers_of(case))
    return {
        "case": case.name,
        "what": case.what,
        "rounds": rounds,
        "warm_up": case.warm_up,
        "unit": case.unit,
        "rounds_of": measured,
        "median": {name: median(values) for name, values in measured.items()},
        "tolerance": {key: list(pair) for key, pair in case.tolerance.items()},
        "largest_difference": agreed,
        "missing": case.missing,
        "facts": case.facts,
    }


def gather(
    case: Case, peers: dict[str, Callable[[], Entrant]], only: Sequence[str] = ()
) -> Case:
    """Add the peers to a case; one that is `Unavailable` goes under `missing`.

    With `only`, no others are made, and nothing else is imported.
    """
    for name, make in peers.items():
        if only and name not in only:
            continue
        try:
            case.entrants.append(make())
        except (Unavailable, ImportError) as error:
            case.missing[name] = str(error).splitlines()[0]
    return case
