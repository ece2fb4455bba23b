"""Exercises that say which mistake was made: check, hint, solution, progress.

    from course_exercises import check, hint, progress, solution

Each exercise has a file of its own (`nb05/row_factor.py`): the right answer,
and wrong ones, each beside what a tutor would say. They are imported when a notebook is
asked for. `judge/` is the machine, `general.py` has the mistakes of every gradient.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .judge.answer import Answer

__all__ = ["check", "hint", "progress", "solution"]

_given: dict[str, int] = {}  # hints given so far, by number
_MISSING: Any = object()


class Page:
    """A text for a notebook and for a terminal. Plumbing."""

    def __init__(self, text: str, rich: str) -> None:
        self.text, self.rich = text, rich

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.rich


# --- what a notebook calls ------------------------------------------------------------


def check(
    number: Any = _MISSING, answer: Any = _MISSING, *, keep: bool = True
) -> Answer:
    """Say whether an answer is right, and if not, which mistake was made. Plumbing.

    `answer` is a function, or the value where one is asked for. The result is true only
    if the exercise is passed. With `keep=False`, `progress` does not remember the
    attempt. A call that cannot be understood is answered by one sentence.
    """
    from . import library
    from .judge.answer import Answer
    from .judge.judging import judge
    from .record import note

    if says := _misused(number, answer):
        return Answer("", "", "not understood", says)
    try:
        exercise = library.find(number)
    except ValueError as unknown:
        return Answer("", "", "not understood", str(unknown))
    verdict, printed = judge(exercise, answer)
    message = ""
    if keep and verdict.status != "not attempted":
        message = note(exercise.number, verdict.passed)
    for text in filter(None, (printed, message)):
        print(text)
    return verdict


def _misused(number: Any, answer: Any) -> str:
    """What to say of a call that lacks something, or has it in another order."""
    from .library import is_number, written

    if number is _MISSING:
        return (
            'Say which exercise, and hand the answer in: check("06.1", softplus_vjp).'
        )
    if not is_number(number):
        name = getattr(number, "__name__", "answer")
        asked = written(answer) if is_number(answer) else "06.1"
        return f'The number comes first, then the answer: check("{asked}", {name}).'
    if answer is _MISSING:
        asked = written(number)
        return f'The answer is missing: hand it in as well, check("{asked}", …).'
    return ""


def hint(number: Any = _MISSING) -> Page:
    """Give the next hint: the first call gives the mildest one. Plumbing.

    After the last it stays at the last. An unknown number is answered by one sentence.
    """
    from .judge.answer import marked

    exercise = _asked("hint", number)
    if isinstance(exercise, Page):
        return exercise
    count = len(exercise.hints)
    if not count:
        return Page("There are no hints here.", "<i>There are no hints here.</i>")
    k = _given[exercise.number] = min(_given.get(exercise.number, 0) + 1, count)
    text = f"Hint {k} of {count} · {exercise.hints[k - 1]}"
    return Page(text, f"<div style='max-width:46em'>{marked(text)}</div>")


def solution(number: Any = _MISSING) -> Page:
    """Show a solution as code, and explain it. Plumbing.

    An unknown number is answered by one sentence.
    """
    from .judge.answer import marked

    exercise = _asked("solution", number)
    if isinstance(exercise, Page):
        return exercise
    text = f"{exercise.source}\n\n{exercise.explanation}"
    code = f"<pre style='margin:4px 0'>{html.escape(exercise.source)}</pre>"
    why = f"<div style='max-width:46em'>{marked(exercise.explanation)}</div>"
    return Page(text.rstrip(), code + why)


def _asked(name: str, number: Any) -> Any:
    """The exercise of a number, or a page with one sentence."""
    from . import library

    says = f'Say which exercise: {name}("06.1").'
    try:
        if library.is_number(number):
            return library.find(number)
    except ValueError as unknown:
        says = str(unknown)
    return Page(says, html.escape(says, quote=False))


def progress() -> Page:
    """Show which exercises are done, tried and open, by notebook. Plumbing."""
    from . import library
    from .record import load

    states, message = load()
    rows = [
        (n, [(e.number, states.get(e.number, "open")) for e in library.exercises(n)])
        for n in library.notebooks()
    ]
    return _table(rows, message)


_MARKS = {"done": "✓", "tried": "✗", "open": "○"}


def _table(rows: list[tuple[str, list[tuple[str, str]]]], message: str) -> Page:
    """Write the progress down, as text and as HTML."""
    states = [state for _, row in rows for _, state in row]
    counts = ", ".join(f"{states.count(state)} {state}" for state in _MARKS)
    head = f"{counts} of {len(states)} exercises"
    lines = [
        f"{n}  " + "  ".join(f"{_MARKS[state]} {number}" for number, state in row)
        for n, row in rows
    ]
    legend = "  ".join(f"{mark} {state}" for state, mark in _MARKS.items())
    text = "\n".join([*filter(None, [message]), head, *lines, legend])
    body = html.escape("\n".join([*lines, legend]))
    notes = "".join(f"<div>{html.escape(x)}</div>" for x in filter(None, [message]))
    return Page(text, f"{notes}<b>{html.escape(head)}</b><pre>{body}</pre>")
