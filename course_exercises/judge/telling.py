"""What is told of a call and of its result: in words that a student knows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .comparing import Trouble
from .running import Stopped, place, shortened


def difference(
    name: str, got: np.ndarray, wanted: np.ndarray, index: tuple[int, ...] | None
) -> list[tuple[str, str]]:
    """The first difference as facts: shapes, or the two numbers. Plumbing."""
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


# NumPy tells of a product in terms of its inside: "gufunc signature (n?,k),(k,m?)…".
_LENGTHS = re.compile(
    r"matmul: Input operand 1 has a mismatch in its core dimension \d.*"
    r"\(size (\d+) is different from (\d+)\)"
)
_MULTIPLIED = (
    r"these two cannot be multiplied: the rows of the first have \2 entries, "
    r"the columns of the second \1"
)


# An `if` was asked about an array: NumPy's own words speak of a.any() and a.all().
_AMBIGUOUS = re.compile(r"The truth value of an array with more than one element.*")
_ONE_QUESTION = (
    "an `if`, `and` or `or` asks one question of many numbers at once. `np.where`, or "
    "a mask, asks each of them"
)


def last_line(error: BaseException) -> str:
    """The last line of a traceback. Plumbing."""
    try:
        message = _LENGTHS.sub(_MULTIPLIED, shortened(str(error).strip(), 3))
        message = _AMBIGUOUS.sub(_ONE_QUESTION, message)
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
    """Say in one or two sentences why a function did not return. Plumbing.

    Trouble comes from the exercise itself, and has said it.
    """
    if isinstance(error, Trouble):
        return error
    if type(error) is NotImplementedError:
        return Trouble("not attempted")
    if isinstance(error, Stopped):
        return Trouble("stopped", _STOPPED[str(error)].format(seconds))
    says = next((text for kind, text in _REASONS if isinstance(error, kind)), None)
    where = place(error, answer)
    says = says or f"It raised {last_line(error).rstrip('.')}."
    line = " Line {} of {}: `{}`.".format(*where) if where else ""
    return Trouble("raised", says + line)
