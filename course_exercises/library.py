"""Where the exercises are found: by notebook, and by number."""

from __future__ import annotations

import difflib
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .judge import Exercise

ROOM = Path(__file__).parent
# What is meant by 6.1, "6.1", "06.1 ", "06,1" and "Exercise 06.1" is clear.
_NUMBER = re.compile(
    r"\s*(?:exercise\s+)?(\d{1,2})[.,](\d{1,2})[.,:]?\s*", re.IGNORECASE
)


def notebooks() -> list[str]:
    """The two digits of each notebook that has exercises. Plumbing."""
    return sorted(path.name[2:] for path in ROOM.glob("nb[0-9][0-9]"))


@cache
def exercises(notebook: str) -> list[Exercise]:
    """The exercises of one notebook, such as "05", in order. Plumbing."""
    room = f"nb{notebook}"
    names = [p.stem for p in (ROOM / room).glob("*.py")]
    made = (import_module(f".{room}.{name}", __package__) for name in sorted(names))
    return sorted((m.ex for m in made if hasattr(m, "ex")), key=lambda ex: ex.number)


def written(number: Any) -> str:
    """The number of an exercise as it is written here, such as "06.1". Plumbing."""
    found = _NUMBER.fullmatch(str(number)) if is_number(number) else None
    return f"{int(found[1]):02}.{found[2]}" if found else str(number)


def is_number(thing: Any) -> bool:
    """Whether it can be meant as the number of an exercise. Plumbing."""
    return isinstance(thing, str | int | float) and not isinstance(thing, bool)


def find(number: Any) -> Exercise:
    """Give an exercise by its number; ValueError names the near ones. Plumbing."""
    asked = written(number)
    notebook = asked.partition(".")[0]
    own = exercises(notebook) if notebook in notebooks() else []
    for exercise in own:
        if exercise.number == asked:
            return exercise
    known = [e.number for e in own] or [
        e.number for n in notebooks() for e in exercises(n)
    ]
    near = difflib.get_close_matches(asked, known, n=6, cutoff=0) or known
    raise ValueError(
        f"There is no exercise {number!r}: expected a number such as {near[0]} "
        f"(near: {', '.join(sorted(near))})."
    )
