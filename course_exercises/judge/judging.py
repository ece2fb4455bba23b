"""From a student's function to an answer: run it, compare, name what went wrong."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from ..general import SENTENCES
from .answer import Answer, Finding
from .behaviour import Behaviour
from .comparing import Trouble, allowed, as_array, computing, labels, parts, right
from .exercise import Exercise, Mistake, plainly
from .fitting import equal_or_same
from .matching import Matcher, name_all
from .once import silence
from .running import Run, Runner, shortened
from .telling import described, difference, last_line, told
from .wording import told as sentence

Facts = tuple[tuple[str, str], ...]
ENDS = ("stopped", "not attempted")  # what makes further calls useless


@dataclass(eq=False)
class Trial:
    """One input: what was expected, what the run left, what it returned. Plumbing."""

    args: tuple
    expected: list[np.ndarray]
    run: Run
    got: list[np.ndarray] | None = None
    trouble: Trouble | None = None

    @property
    def fine(self) -> bool:
        """Whether there are numbers to compare."""
        return self.trouble is None


class Judge:
    """Judge one answer to one exercise. Plumbing."""

    def __init__(self, exercise: Exercise, answer: Any) -> None:
        self.exercise, self.answer = exercise, answer
        self.runner, self.printed = Runner(exercise.seconds), ""

    def verdict(self) -> Answer:
        """Give the answer that the student sees."""
        if early := self._unfit():
            return self._trouble(early)
        if self.exercise.judge is not None:
            return self._asked(self.exercise.judge)
        return self._value() if self.exercise.kind == "value" else self._function()

    # --- before anything runs

    def _unfit(self) -> Trouble | None:
        """See whether the answer is of the right kind at all."""
        if self.answer is Ellipsis:
            return Trouble("not attempted")
        if self.exercise.kind == "value":
            return None
        if not callable(self.answer) and self.exercise.inputs is not None:
            return Trouble("wrong type", self._pass_the_function())
        if self.exercise.call is not plainly or self.exercise.inputs is None:
            return None
        return self._wrong_arguments()

    def _pass_the_function(self) -> str:
        found = type(self.answer).__name__
        name = self.exercise.reference.__name__
        return (
            f"`check` was given: {found}. Give it the function itself, without "
            f'calling it: `check("{self.exercise.number}", {name})`.'
        )

    def _wrong_arguments(self) -> Trouble | None:
        """See whether the function can be called as the check does."""
        try:
            signature = inspect.signature(self.answer)
        except (TypeError, ValueError):  # nothing is known of built-in functions
            return None
        names = self.exercise.arguments
        try:
            signature.bind(*names)
        except TypeError:
            says = f"It takes `{signature}`, but the check calls it with {len(names)}: "
            return Trouble("wrong arguments", f"{says}`({', '.join(names)})`.")
        return None

    # --- a value

    def _value(self) -> Answer:
        expected = computing(self.exercise, self.exercise.reference)(())
        trial = Trial((), expected, self.runner(_itself, self.answer, ()))
        self._read(trial, trial.run.value)
        return self._trouble(trial.trouble) if trial.trouble else self._compare([trial])

    # --- a function

    def _function(self) -> Answer:
        trials = self.tried(self.exercise.draw())
        if trials[-1].trouble and trials[-1].trouble.status in ENDS:
            return self._failed(trials[-1], trials)
        self._note_output(trials)
        return self._compare(trials)

    def tried(self, inputs: list[tuple]) -> list[Trial]:
        """Call the answer with each of the inputs, up to one that ends everything."""
        compute, trials = computing(self.exercise, self.exercise.reference), []
        for args in inputs:
            run = self.run(args)
            trials.append(Trial(args, compute(args), run))
            self._read(trials[-1], run.value)
            if trials[-1].trouble and trials[-1].trouble.status in ENDS:
                break
        return trials

    def right_ones(self, trials: list[Trial]) -> list[Trial]:
        """Those of the trials that are right."""
        pairs = zip(trials, self._bounds(trials), strict=True)
        return [t for t, bounds in pairs if self._right(t, bounds)]

    def run(self, args: tuple) -> Run:
        """Give what one call did; all calls share one limit of time."""
        return self.runner(self.exercise.call, self.answer, args)

    def _read(self, trial: Trial, value: Any) -> None:
        """Make arrays of what was returned, or note why that cannot be done."""
        try:
            if trial.run.error is not None:
                raise told(trial.run.error, self.answer, self.exercise.seconds)
            pieces = parts(value, self.exercise.outputs, self._it())
            names = self.exercise.outputs or (self._it(),)
            pairs = zip(pieces, names, strict=True)
            trial.got = [as_array(piece, name) for piece, name in pairs]
            for got, wanted, name in zip(trial.got, trial.expected, names, strict=True):
                _same_kind(got, wanted, name)
            _split_rightly(value, trial)
        except Trouble as trouble:
            trial.got, trial.trouble = None, trouble

    def _it(self) -> str:
        return "The answer" if self.exercise.kind == "value" else "What it returns"

    def _note_output(self, trials: list[Trial]) -> None:
        """Keep what the function printed, of one input alone."""
        shown = next((t for t in trials if not t.fine), trials[0])
        self.printed = shortened(shown.run.printed)

    # --- comparing

    def _compare(self, trials: list[Trial]) -> Answer:
        bounds, good = self._bounds(trials), self.right_ones(trials)
        bad = [t for t in trials if t not in good]
        changed = self._changed(trials)
        if not bad and not changed:
            further = self.exercise.further
            return self._asked(further) if further else self._answer("passed")
        findings = (*changed, *self._findings(trials, bad)) if bad else changed
        shown = bad[0] if bad else next(t for t in trials if t.run.changed)
        if shown.trouble:
            return self._failed(shown, trials, findings)
        facts = self._facts(shown, bounds[trials.index(shown)])
        status = self._status(bad)
        return self._answer(status, self._unnamed(findings, shown), findings, facts)

    def _bounds(self, trials: list[Trial]) -> list[list]:
        """The greatest error allowed, for each input and output."""
        columns = zip(*(t.expected for t in trials), strict=True)
        sizes = [allowed(self.exercise, list(column)) for column in columns]
        return [list(row) for row in zip(*sizes, strict=True)]

    def _right(self, trial: Trial, bounds: list) -> bool:
        return trial.fine and first_difference(trial, bounds) is None

    def _status(self, bad: list[Trial]) -> str:
        if not bad:
            return "changed its input"
        pairs = zip(bad[0].got, bad[0].expected, strict=True)
        same = all(got.shape == wanted.shape for got, wanted in pairs)
        return "wrong value" if same else "wrong shape"

    def _changed(self, trials: list[Trial]) -> tuple[Finding, ...]:
        """Find the arguments that were changed and may not be."""
        names = self.exercise.arguments
        hit = {names[k] for t in trials for k in t.run.changed if k < len(names)}
        hit -= set(self.exercise.may_change)
        if not hit:
            return ()
        says, where = SENTENCES["in-place"]
        written = next((m for m in self.exercise.mistakes if m.id == "in-place"), None)
        if written is not None:
            says, where = written.sentence or says, written.where or where
        where = self.exercise.reached(where)
        return (Finding(("in-place",), says, where, ", ".join(sorted(hit))),)

    def _findings(self, trials: list[Trial], bad: list[Trial]) -> tuple[Finding, ...]:
        found: list[Finding] = []
        if any(t.fine for t in trials):
            args, got = [t.args for t in trials], [t.got for t in trials]
            with silence():
                found = name_all(Matcher(self.exercise, args, got))
        if any(f.certain for f in found):
            return tuple(found)
        behaviour = Behaviour(self, trials, bad)
        found = behaviour.unsteady() or (*behaviour.pattern(), *found)
        found = found or behaviour.facts()
        look = self.exercise.look
        return self._asked(look).findings if look and not found else found

    def _unnamed(self, findings: tuple[Finding, ...], shown: Trial) -> str:
        if findings:
            return ""
        if self.exercise.kind == "value" and (word := self._slip_of_the_pen(shown.got)):
            return (
                f"“{word}” is none of the words to choose from. How is it spelt there?"
            )
        if not self.exercise.outputs and _many_for_one(shown):
            count = len(shown.run.value)
            return f"Expected one number. What it returns has {count}, side by side."
        triples = zip(labels(self.exercise), shown.got, shown.expected, strict=True)
        wrong = (name for name, *pair in triples if not equal_or_same(*pair))
        way = self.exercise.otherwise.get(next(wrong, ""), "")
        return (
            f"The result is not right, and this mistake has no name here. {way}".strip()
        )

    def _slip_of_the_pen(self, got: list[np.ndarray]) -> str:
        """Give the first word that nobody can have meant, and almost one of those."""
        exercise = self.exercise
        written = (m.code for m in exercise.mistakes if m.code)
        values = (f() for f in (exercise.reference, *written))
        known = _words(
            [as_array(x) for v in values for x in parts(v, exercise.outputs)]
        )
        slips = (
            w for w in _words(got) if w not in known and get_close_matches(w, known)
        )
        return next(slips, "")

    # --- what the author judges

    def _asked(self, author: Callable) -> Answer:
        runs = []

        def run(*args: Any, of: Any = None) -> Any:
            """Call the student's function (or `of`) within the limits."""
            runs.append(self.runner(_called, self.answer if of is None else of, args))
            self.printed = shortened(runs[0].printed)
            if runs[-1].error is not None:
                raise told(runs[-1].error, self.answer, self.exercise.seconds)
            return runs[-1].value

        try:
            with warnings.catch_warnings():  # of the author's own wrong answers
                warnings.simplefilter("ignore")
                said = author(self.answer, run)
        except Trouble as trouble:
            return self._trouble(trouble)
        except (TypeError, ValueError, AttributeError, LookupError) as why:
            says = f"What came back cannot be used: {last_line(why)}."
            return self._answer("wrong type", says)
        return self._judged(said)

    def _judged(self, said: Mistake | list[Mistake] | str | bool | None) -> Answer:
        if said is None or said is True or said == []:
            return self._answer("passed")
        if isinstance(said, Mistake | list):
            mistakes = said if isinstance(said, list) else [said]
            findings = tuple(Finding((m.id,), *sentence(m.id, m)) for m in mistakes)
            return self._answer("wrong value", "", findings)
        return self._answer("wrong value", said or "It is not solved yet.")

    # --- what is shown

    def _trouble(self, trouble: Trouble) -> Answer:
        says = trouble.says
        if trouble.status == "not attempted":
            says = f'`hint("{self.exercise.number}")` gives a first hint.'
        return self._answer(trouble.status, says)

    def _failed(
        self, trial: Trial, trials: list[Trial], findings: tuple = ()
    ) -> Answer:
        """Tell why there is nothing to compare, and for which input."""
        self._note_output(trials)
        if trial.trouble.status == "not attempted":
            return self._trouble(trial.trouble)
        facts = (("input", self._shapes(trial.args)),)
        return self._answer(trial.trouble.status, trial.trouble.says, findings, facts)

    def _shapes(self, args: tuple) -> str:
        pairs = zip(self.exercise.arguments, args, strict=False)
        return ", ".join(f"{name} {described(value)}" for name, value in pairs)

    def _facts(self, trial: Trial, bounds: list) -> Facts:
        facts = [("input", self._shapes(trial.args))] if trial.args else []
        place_of = first_difference(trial, bounds)
        if place_of is None:
            return tuple(facts)
        k, index = place_of
        got, wanted = trial.got[k], trial.expected[k]
        facts += difference(labels(self.exercise)[k], got, wanted, index)
        if self.exercise.kind == "value":  # the right number, or how many numbers there
            told = "first difference", "got"  # are, would be the solution
            name = labels(self.exercise)[k]
            facts = [f for f in facts if f[0] in told] or [("first difference", name)]
        if trial.run.warned and not np.all(np.isfinite(got)):
            facts.append(("NumPy warned", trial.run.warned))
        return tuple(facts)

    def _answer(
        self, status: str, says: str = "", findings: tuple = (), facts: Facts = ()
    ) -> Answer:
        number, title = self.exercise.number, self.exercise.title
        return Answer(number, title, status, says, findings, facts)


# --- parts of the above ---------------------------------------------------------------


def _called(answer: Any, *args: Any) -> Any:
    return answer(*args)


def _itself(answer: Any) -> Any:
    return answer


def _many_for_one(trial: Trial) -> bool:
    """Whether a tuple came back where one number is asked for."""
    return isinstance(trial.run.value, tuple | list) and not trial.expected[0].ndim


def _words(arrays: list[np.ndarray]) -> list[str]:
    return [w for x in arrays if x.dtype.kind == "U" for w in x.ravel().tolist()]


def _same_kind(got: np.ndarray, wanted: np.ndarray, name: str) -> None:
    """Refuse a text for a number, and a number for a text."""
    text = wanted.dtype.kind == "U"
    if (got.dtype.kind == "U") != text:
        expected = "a text" if text else "a number, or an array of numbers"
        raise Trouble("wrong type", f"{name} should be {expected}.")


def _split_rightly(value: Any, trial: Trial) -> None:
    """Refuse an array that only happens to have as many rows as results are asked."""
    pairs = zip(trial.got, trial.expected, strict=True)
    fits = all(got.shape == wanted.shape for got, wanted in pairs)
    if isinstance(value, np.ndarray) and len(trial.got) > 1 and not fits:
        says = f"Expected {len(trial.got)} results. What it returns is one array."
        raise Trouble("wrong type", says)


def first_difference(
    trial: Trial, bounds: list
) -> tuple[int, tuple[int, ...] | None] | None:
    """Give output and index of the first wrong entry; no index if shapes differ.

    None where all is right. Plumbing.
    """
    for k, (got, wanted) in enumerate(zip(trial.got, trial.expected, strict=True)):
        if got.shape != wanted.shape:
            return k, None
        wrong = ~right(got, wanted, bounds[k])
        if np.any(wrong):
            return k, tuple(int(i) for i in np.argwhere(wrong)[0])
    return None


def judge(exercise: Exercise, answer: Any) -> tuple[Answer, str]:
    """Judge an answer; give also what the student's function printed. Plumbing."""
    judging = Judge(exercise, answer)
    return judging.verdict(), judging.printed
