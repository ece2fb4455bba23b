"""Judging from outside: the student's function is called over the wire.

The numbers that come back are compared here, where the student's code cannot reach:
with right ones for inputs that the student has not seen, and with those of all mistakes
that have a name.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from course_exercises.judge.answer import Answer, Finding
from course_exercises.judge.comparing import Trouble
from course_exercises.judge.exercise import Exercise
from course_exercises.judge.judging import Judge, Trial
from course_exercises.judge.running import Run

from . import wire

Ask = Callable[[str], Any]  # run an expression in the student's kernel, give its text
TROUBLES = ("raised", "stopped", "not attempted", "wrong type", "returned None")
STATUSES = (*TROUBLES, "passed", "wrong arguments", "wrong shape", "wrong value")
SILENT = "No answer came back: the notebook did not run on, or was stopped."
WIRE = "__import__('course_exercises.wire', fromlist=['wire'])"


class Remote:
    """A function that is called in the student's kernel."""

    def __init__(self, takes: list | None) -> None:
        if takes is not None:
            self.__signature__ = signature(takes)

    def __call__(self, *args: Any) -> None:
        """Never called in here."""
        raise TypeError("this function is called in the student's kernel")


def signature(takes: list) -> inspect.Signature:
    """The signature that the kernel told of."""
    kinds = list(inspect._ParameterKind)
    try:
        made = [
            inspect.Parameter(
                str(name), kinds[kind], default=None if has else inspect.Parameter.empty
            )
            for name, kind, has in takes
        ]
        return inspect.Signature(made)
    except (ValueError, TypeError, IndexError):
        raise wire.Garbage("no signature") from None


class FromOutside(Judge):
    """Judge an answer that stays in the student's kernel."""

    def __init__(self, exercise: Exercise, answer: Any, name: str, ask: Ask) -> None:
        super().__init__(exercise, answer)
        self.name, self.ask, self.left = name, ask, exercise.seconds

    def run(self, args: tuple) -> Run:
        """Give what one call did, over there."""
        started = time.monotonic()
        asked = wire.dumps(
            {
                "args": [wire.pack(arg) for arg in args],
                "seconds": max(self.left, 0.1),
                "limit": self.exercise.seconds,
            }
        )
        try:
            said = wire.loads(self.ask(f"call(globals(), {self.name!r}, {asked!r})"))
            run = read_run(said)
        except (ValueError, TypeError, KeyError, RecursionError):
            run = Run(error=Trouble("stopped", SILENT))
        self.left -= time.monotonic() - started
        return run

    def _read(self, trial: Trial, value: Any) -> None:
        if isinstance(trial.run.error, Trouble):
            trial.trouble = trial.run.error
        else:
            super()._read(trial, value)


def read_run(said: dict) -> Run:
    """Read what a call left behind; a verdict is not taken from there."""
    run = Run(printed=str(said["printed"]), warned=str(said["warned"])[:500])
    run.changed = tuple(int(k) for k in said["changed"])
    if said["trouble"] is not None:
        status, says = map(str, said["trouble"])
        status = status if status in TROUBLES else "raised"
        run.error = Trouble(status, says[:2000])
    else:
        run.value = wire.unpack(said["value"])
    return run


def with_other_inputs(exercise: Exercise, seed: int) -> Exercise:
    """The same exercise, with inputs that nobody has seen before those of the course.

    Both: by chance the new ones may fail to tell some mistake from the right answer.
    """
    if exercise.inputs is None:
        return exercise
    seeds = [seed, *(int(part) for part in exercise.number.split("."))]
    new = list(exercise.inputs(np.random.default_rng(seeds)))
    return replace(exercise, inputs=lambda rng: [*new, *exercise.inputs(rng)])


def can_be_asked(exercise: Exercise) -> bool:
    """Whether single calls with arrays and numbers are all that judging needs."""
    if exercise.kind == "value":
        return True
    if not exercise.called_plainly:
        return False
    packed = [wire.pack(arg) for args in exercise.draw() for arg in args]
    return not any({"function", "other"} & set(p) for p in packed)


def judge(exercise: Exercise, name: str, ask: Ask, seed: int) -> Answer:
    """Judge what stands under a name in the student's kernel."""
    exercise = with_other_inputs(exercise, seed)
    try:
        found = wire.loads(ask(f"look(globals(), {name!r})"))
        if found.get("missing"):
            return undefined(exercise, name)
        answer = wire.unpack(found["value"])
        if "takes" in found:
            answer = Remote(found["takes"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return stopped(exercise)
    return FromOutside(exercise, answer, name, ask).verdict()


def judge_within_reach(
    exercise: Exercise, name: str, ask: Ask, names: str = "globals()"
) -> Answer:
    """Judge in the student's kernel; only words of this file's kind come back.

    `names` is where the answer stands: among what there is now, or what was kept.
    """
    try:
        said = wire.loads(ask(f"judge_here({names}, {name!r}, {exercise.number!r})"))
        if said.get("missing"):
            return undefined(exercise, name)
        findings = tuple(
            Finding(
                tuple(map(str, f["ids"])),
                str(f["says"]),
                str(f["where"]),
                str(f["output"]),
                bool(f["certain"]),
            )
            for f in said["findings"]
        )
        status = said["status"] if said["status"] in STATUSES else "wrong value"
        says = str(said["says"])[:2000]
    except (ValueError, TypeError, KeyError, RecursionError):
        return stopped(exercise)
    return Answer(exercise.number, exercise.title, status, says, findings)


def better(first: Answer, again: Answer, exercise: Exercise, name: str) -> Answer:
    """The better of two verdicts: the first, unless it failed and the second helps."""
    silent = undefined(exercise, name), stopped(exercise)
    says_little = first.status == "not attempted" or first in silent
    return again if again.passed or (says_little and again not in silent) else first


def undefined(exercise: Exercise, name: str) -> Answer:
    """The answer where nothing has the name that is asked for."""
    says = f"`{name}` does not exist: its cell is missing, or did not run."
    return Answer(exercise.number, exercise.title, "raised", says)


def stopped(exercise: Exercise) -> Answer:
    """The answer where the kernel says nothing sensible."""
    return Answer(exercise.number, exercise.title, "stopped", SILENT)
