"""How long a student waits for an answer: passed, named, or without a name.

Every exercise whose answer is a function that is called with numbers takes part, with
its right answer, the last of its written mistakes, and the right answer with noise,
for which the judge tries all it knows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness import Case, Entrant
from course_exercises.judge import Exercise
from course_exercises.judge.comparing import computing
from course_exercises.judge.judging import Judge
from course_exercises.library import exercises, notebooks


def measured() -> list[Exercise]:
    """The exercises that take part."""
    return [
        exercise
        for notebook in notebooks()
        for exercise in exercises(notebook)
        if exercise.called_plainly and not exercise.slow and numbers(exercise)
    ]


def numbers(exercise: Exercise) -> bool:
    """Whether all that it returns are numbers."""
    outputs = computing(exercise, exercise.reference)(exercise.draw()[0])
    return all(out.dtype.kind != "U" for out in outputs)


def noisy(exercise: Exercise) -> Callable:
    """A wrong answer that nobody has a name for, the same at every call."""
    compute = computing(exercise, exercise.reference)

    def wrong(*args: Any) -> Any:
        right = compute(args)
        rng = np.random.default_rng(int(1e6 * abs(np.sum(right[0]))))
        outputs = [out + rng.normal(size=out.shape) for out in right]
        return tuple(outputs) if exercise.outputs else outputs[0]

    return wrong


def answers(exercise: Exercise) -> dict[str, Callable]:
    """What is handed in, by what becomes of it."""
    written = [m.code for m in exercise.mistakes if m.code]
    named = {"named": written[-1]} if written else {}
    return {"passed": exercise.reference, **named, "no name": noisy(exercise)}


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """One entrant for each exercise and each kind of answer."""
    chosen = measured()[:1] if quick else measured()
    entrants = [
        Entrant(f"{exercise.number} {kind}", partial(judged, exercise, answer))
        for exercise in chosen
        for kind, answer in answers(exercise).items()
    ]
    return Case(name, "one answer of a check, all that it imports at hand", entrants)


def judged(exercise: Exercise, answer: Callable) -> None:
    """Let one answer be judged."""
    Judge(exercise, answer).verdict()
