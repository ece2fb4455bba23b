"""From a student's function to an answer: run it, compare, name what went wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from .answer import Answer, Finding
from .comparing import Trouble, as_array, computing, labels, parts, right, scale_of
from .exercise import Exercise, Mistake, plainly
from .general import SENTENCES
from .matching import Matcher, name_all
from .running import Run, Runner, Stopped, place, shortened

Facts = tuple[tuple[str, str], ...]


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
        judge = {"value": self._value, "function": self._function}
        return judge.get(self.exercise.kind, self._challenge)()

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
        compute, trials = computing(self.exercise, self.exercise.reference), []
        for args in self.exercise.draw():
            run = self.run(args)
            trial = Trial(args, compute(args), run)
            self._read(trial, run.value)
            trials.append(trial)
            if trial.trouble and trial.trouble.status in ("stopped", "not attempted"):
                return self._failed(trial, trials)
        self._note_output(trials)
        return self._compare(trials)

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
        bounds = self._bounds(trials)
        bad = [t for t, b in zip(trials, bounds, strict=True) if not self._right(t, b)]
        changed = self._changed(trials)
        if not bad and not changed:
            return self._answer("passed")
        findings = (*changed, *self._findings(trials, bad)) if bad else changed
        shown = bad[0] if bad else next(t for t in trials if t.run.changed)
        if shown.trouble:
            return self._failed(shown, trials, findings)
        facts = self._facts(shown, bounds[trials.index(shown)])
        status = self._status(bad)
        return self._answer(status, self._unnamed(findings, shown), findings, facts)

    def _bounds(self, trials: list[Trial]) -> list[list[float]]:
        """The greatest error allowed, for each input and output."""
        tolerance = self.exercise.tolerance
        columns = zip(*(t.expected for t in trials), strict=True)
        sizes = [_bounds_of(list(column), tolerance) for column in columns]
        return [list(row) for row in zip(*sizes, strict=True)]

    def _right(self, trial: Trial, bounds: list[float]) -> bool:
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
            says, where = written.says or says, written.where or where
        where = self.exercise.reached(where)
        return (Finding(("in-place",), says, where, ", ".join(sorted(hit))),)

    def _findings(self, trials: list[Trial], bad: list[Trial]) -> tuple[Finding, ...]:
        found: list[Finding] = []
        if any(t.fine for t in trials):
            matcher = Matcher(
                self.exercise, [t.args for t in trials], [t.got for t in trials]
            )
            found = name_all(matcher)
        if any(f.certain for f in found):
            return tuple(found)
        return (*self._pattern(trials, bad), *found)

    def _pattern(self, trials: list[Trial], bad: list[Trial]) -> tuple[Finding, ...]:
        """See whether exactly the inputs of one kind go wrong."""
        if not trials[0].args:
            return ()
        good = [t for t in trials if t not in bad]
        if not good:  # all wrong: then look where it runs at all
            good, bad = [t for t in trials if t.fine], [t for t in trials if not t.fine]
        if not good or not bad:
            return ()
        for name, special in self._kinds():
            if all(special(t) for t in good) and not any(special(t) for t in bad):
                says, where = SENTENCES[name]
                where = self.exercise.reached(where)
                return (Finding((name,), says, where, certain=False),)
        return ()

    def _kinds(self) -> list[tuple[str, Callable[[Trial], bool]]]:
        """Kinds of inputs, and what it means when only those are right."""
        n = self.exercise.examples
        return [
            ("square-only", lambda t: square(t.args)),
            ("single-only", lambda t: n(t.args) == 1),
            ("single-example", lambda t: n(t.args) != 1),
            ("square-only", lambda t: square(t.args) or n(t.args) == 1),
        ]

    def _unnamed(self, findings: tuple[Finding, ...], shown: Trial) -> str:
        if findings:
            return ""
        if self.exercise.kind == "value" and (word := self._slip_of_the_pen(shown.got)):
            return (
                f"“{word}” is none of the words to choose from. How is it spelt there?"
            )
        return "The result is not right, and this mistake has no name here."

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

    # --- a challenge

    def _challenge(self) -> Answer:
        runs = []

        def run(*args: Any, of: Any = None) -> Any:
            """Call the student's function (or `of`) within the limits."""
            runs.append(self.runner(_called, self.answer if of is None else of, args))
            self.printed = shortened(runs[0].printed)
            if runs[-1].error is not None:
                raise told(runs[-1].error, self.answer, self.exercise.seconds)
            return runs[-1].value

        try:
            said = self.exercise.judge(self.answer, run)
        except Trouble as trouble:
            return self._trouble(trouble)
        except (TypeError, ValueError, AttributeError, LookupError) as why:
            says = f"What came back cannot be used: {last_line(why)}."
            return self._answer("wrong type", says)
        return self._judged(said)

    def _judged(self, said: Mistake | str | bool | None) -> Answer:
        if said is None or said is True:
            return self._answer("passed")
        if isinstance(said, Mistake):
            says, where = SENTENCES.get(said.id, ("", ""))
            says, where = said.says or says, said.where or where
            return self._answer("wrong value", "", (Finding((said.id,), says, where),))
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

    def _facts(self, trial: Trial, bounds: list[float]) -> Facts:
        facts = [("input", self._shapes(trial.args))] if trial.args else []
        place_of = first_difference(trial, bounds)
        if place_of is None:
            return tuple(facts)
        k, index = place_of
        got, wanted = trial.got[k], trial.expected[k]
        facts += _difference(labels(self.exercise)[k], got, wanted, index)
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


def _bounds_of(expected: list[np.ndarray], tolerance: float) -> list[float]:
    if any(e.dtype.kind == "U" for e in expected):
        return [0.0] * len(expected)
    return [tolerance * size for size in scale_of(expected)]


def first_difference(
    trial: Trial, bounds: list[float]
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


def _difference(
    name: str, got: np.ndarray, wanted: np.ndarray, index: tuple[int, ...] | None
) -> list[tuple[str, str]]:
    """The first difference as facts: shapes, or the two numbers."""
    if index is None:
        return [
            ("shape", f"{name}: got {got.shape}, expected {wanted.shape}"),
        ]
    place_of = f"{name}[{', '.join(map(str, index))}]" if index else name
    one, other = two_numbers(got[index], wanted[index])
    shape = [("shape", f"{name}: {got.shape}, as expected")] if got.shape else []
    return [*shape, ("first difference", place_of), ("got", one), ("expected", other)]


def two_numbers(got: Any, wanted: Any) -> tuple[str, str]:
    """Write two different numbers so that they look different. Plumbing."""
    if got.dtype.kind == "U":
        return str(got), str(wanted)
    for digits in (6, 10, 17):
        pair = f"{got:.{digits}g}", f"{wanted:.{digits}g}"
        if pair[0] != pair[1]:
            break
    return pair


def described(value: Any) -> str:
    """The shape of an array; a number, a text itself; a name; a type. Plumbing."""
    if isinstance(value, np.ndarray):
        return str(value.shape)
    if isinstance(value, int | float | str | np.number | None):
        return f"{value:.6g}" if isinstance(value, float) else repr(value)
    if isinstance(value, list | tuple):
        return f"({', '.join(map(described, value))})"
    return getattr(value, "__name__", type(value).__name__)


def square(args: tuple) -> bool:
    """Whether all matrices among the arguments are square. Plumbing."""
    matrices = [a for a in args if isinstance(a, np.ndarray) and a.ndim > 1]
    return bool(matrices) and all(len(set(a.shape)) == 1 for a in matrices)


def last_line(error: BaseException) -> str:
    """The last line of a traceback. Plumbing."""
    try:
        message = shortened(str(error).strip(), 3)
    except Exception:  # an exception of the student's own, which cannot be written
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


_REASONS = (
    (
        RecursionError,
        "It calls itself without end (RecursionError). Where does it stop?",
    ),
    (MemoryError, "It asks for more memory than there is (MemoryError)."),
    (SystemExit, "It wants to end Python (`exit`). That was not done; leave it out."),
)


_STOPPED = {
    "time": "Stopped after {:g} s; is there a loop that does not end?",
    "output": "Stopped: it printed more than 100,000 characters. Print less.",
}


def told(error: BaseException, answer: Any, seconds: float) -> Trouble:
    """Say in one or two sentences why a function did not return. Plumbing."""
    if type(error) is NotImplementedError:
        return Trouble("not attempted")
    if isinstance(error, Stopped):
        return Trouble("stopped", _STOPPED[str(error)].format(seconds))
    says = next((text for kind, text in _REASONS if isinstance(error, kind)), None)
    where = place(error, answer)
    says = says or f"It raised {last_line(error).rstrip('.')}."
    line = " Line {} of {}: `{}`.".format(*where) if where else ""
    return Trouble("raised", says + line)


def judge(exercise: Exercise, answer: Any) -> tuple[Answer, str]:
    """Judge an answer; give also what the student's function printed. Plumbing."""
    judging = Judge(exercise, answer)
    return judging.verdict(), judging.printed
