"""Exercises that say which mistake was made: check, hint, solution, progress.

    from course_exercises import check, hint, progress, solution

Each exercise has a file of its own (`nb05/a_factor_for_each_row.py`): the right answer,
and wrong ones, each beside what a tutor would say. They are imported when a notebook is
asked for. `judge/` is the machine, `general.py` has the mistakes of every gradient.
"""

from __future__ import annotations

import difflib
import html
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .judge import Exercise
    from .judge.answer import Answer

__all__ = ["check", "hint", "progress", "solution"]

ROOM = Path(__file__).parent
_given: dict[str, int] = {}  # hints given so far, by number


class Page:
    """A text for a notebook and for a terminal. Plumbing."""

    def __init__(self, text: str, rich: str) -> None:
        self.text, self.rich = text, rich

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.rich


# --- finding --------------------------------------------------------------------------


def notebooks() -> list[str]:
    """The two digits of each notebook that has exercises. Plumbing."""
    return sorted(path.name[2:] for path in ROOM.glob("nb[0-9][0-9]"))


@cache
def exercises(notebook: str) -> list[Exercise]:
    """The exercises of one notebook, such as "05", in order. Plumbing."""
    room = f"nb{notebook}"
    names = [p.stem for p in (ROOM / room).glob("*.py") if p.stem[0] != "_"]
    made = (import_module(f"{__name__}.{room}.{name}") for name in sorted(names))
    return sorted((m.ex for m in made if hasattr(m, "ex")), key=lambda ex: ex.number)


def find(number: str) -> Exercise:
    """Give an exercise by its number; ValueError names the near ones. Plumbing."""
    notebook = str(number).partition(".")[0]
    own = exercises(notebook) if notebook in notebooks() else []
    for exercise in own:
        if exercise.number == number:
            return exercise
    known = [e.number for e in own] or [
        e.number for n in notebooks() for e in exercises(n)
    ]
    near = difflib.get_close_matches(str(number), known, n=6, cutoff=0) or known
    raise ValueError(
        f"there is no exercise {number!r}; expected a text such as {near[0]!r} "
        f"(near: {', '.join(sorted(near))})"
    )


# --- what a notebook calls ------------------------------------------------------------


def check(number: str, answer: Any, *, keep: bool = True) -> Answer:
    """Say whether an answer is right, and if not, which mistake was made. Plumbing.

    `answer` is a function, or the value where one is asked for. The result is true only
    if the exercise is passed. With `keep=False`, `progress` does not remember the
    attempt. Raises ValueError for a number that does not exist.
    """
    from .judge.judging import judge
    from .record import note

    verdict, printed = judge(find(number), answer)
    message = ""
    if keep and verdict.status != "not attempted":
        message = note(number, verdict.passed)
    for text in filter(None, (printed, message)):
        print(text)
    return verdict


def hint(number: str) -> Page:
    """Give the next hint: the first call gives the mildest one. Plumbing.

    After the last it stays at the last. Raises ValueError for an unknown number.
    """
    exercise = find(number)
    count = len(exercise.hints)
    if not count:
        return Page("There are no hints here.", "<i>There are no hints here.</i>")
    k = _given[number] = min(_given.get(number, 0) + 1, count)
    text = f"Hint {k} of {count} · {exercise.hints[k - 1]}"
    from .judge.answer import marked

    return Page(text, f"<div style='max-width:46em'>{marked(text)}</div>")


def solution(number: str) -> Page:
    """Show a solution as code, and explain it. Plumbing.

    Raises ValueError for an unknown number.
    """
    from .judge.answer import marked

    exercise = find(number)
    text = f"{exercise.source}\n\n{exercise.explanation}"
    code = f"<pre style='margin:4px 0'>{html.escape(exercise.source)}</pre>"
    why = f"<div style='max-width:46em'>{marked(exercise.explanation)}</div>"
    return Page(text.rstrip(), code + why)


def progress() -> Page:
    """Show which exercises are done, tried and open, by notebook. Plumbing."""
    from .record import load

    states, message = load()
    rows = [
        (n, [(e.number, states.get(e.number, "open")) for e in exercises(n)])
        for n in notebooks()
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
