"""Results as arrays, and when two of them are the same."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from .exercise import Exercise


class Trouble(Exception):
    """A result that cannot be compared: a status, and what to say about it. "
    "Plumbing.
    """

    def __init__(self, status: str, says: str = "") -> None:
        super().__init__(says)
        self.status, self.says = status, says


def _results(count: int, names: tuple[str, ...]) -> str:
    return f"{count} results, in this order: {', '.join(names)}"


def parts(value: Any, names: tuple[str, ...], it: str = "The result") -> list:
    """Split what was returned into its outputs; raise Trouble. Plumbing."""
    if value is None:
        raise Trouble("returned None", f"{it} is None. Is a `return` missing?")
    if not names:
        return [value]
    if isinstance(value, dict) and set(names) <= set(value):
        return [value[name] for name in names]
    many = isinstance(value, tuple | list) or np.ndim(value) > 0
    if many and len(value) == len(names):
        return list(value)
    kind = type(value).__name__
    found = str(len(value)) if isinstance(value, tuple | list) else f"one ({kind})"
    expected = _results(len(names), names)
    raise Trouble("wrong type", f"Expected {expected}. {it} has {found}.")


def _of_course(thing: Any) -> bool:
    """Whether it is a number or an array on a tape, or a parameter."""
    return type(thing).__module__.startswith("course_utils") and hasattr(thing, "data")


def unwrapped(thing: Any, name: str = "It") -> Any:
    """Take the numbers out of torch's tensors; raise Trouble for ours. Plumbing."""
    if type(thing).__module__.partition(".")[0] == "torch" and hasattr(thing, "detach"):
        return thing.detach().cpu().numpy()
    if _of_course(thing):
        kind = type(thing).__name__
        raise Trouble("wrong type", f"{name} is a {kind}; return its numbers, `.data`.")
    return thing


def _refuse(thing: Any, name: str) -> None:
    """Raise Trouble for what is no number at all."""
    if thing is None:
        says = f"{name} is None. Is a `return` missing, or a result not filled in?"
        raise Trouble("returned None", says)
    if thing is Ellipsis:
        raise Trouble("not attempted")
    if callable(thing) and not isinstance(thing, np.ndarray):
        says = f"{name} is a function (or a class). Is a call, with its `()`, missing?"
        raise Trouble("wrong type", says)


def as_array(thing: Any, name: str = "It") -> np.ndarray:
    """Make an array of numbers (or of texts, in lower case); raise Trouble. "
    "Plumbing.
    """
    thing = unwrapped(thing, name)
    _refuse(thing, name)
    found = type(thing).__name__
    try:
        if isinstance(thing, list | tuple):
            thing = [unwrapped(part, name) for part in thing]
        array = np.asarray(thing)
    except (ValueError, TypeError):
        says = f"{name} is a {found} whose rows differ in length: no array of numbers."
        raise Trouble("wrong type", says) from None
    if array.dtype.kind == "O" and all(
        isinstance(x, numbers.Number) for x in array.flat
    ):
        array = array.astype(float)
    if array.dtype.kind == "U":
        return np.char.lower(np.char.strip(array))
    if array.dtype.kind not in "biufc":
        if any(part is Ellipsis for part in array.flat):
            raise Trouble("not attempted")
        says = (
            f"{name} is of type {found}; expected numbers (a float, a list, an array)."
        )
        raise Trouble("wrong type", says)
    return array


def labels(exercise: Exercise) -> tuple[str, ...]:
    """What to call the outputs. Plumbing."""
    return exercise.outputs or ("the result",)


def computing(exercise: Exercise, function: Any) -> Callable[[tuple], list[np.ndarray]]:
    """Make of a function one that gives its outputs as arrays. Plumbing."""

    def compute(args: tuple) -> list[np.ndarray]:
        value = exercise.call(function, *args)
        return [as_array(part) for part in parts(value, exercise.outputs)]

    return compute


def allowed(exercise: Exercise, expected: list[np.ndarray]) -> list:
    """The largest error allowed in one output, on each input. Plumbing.

    A part of the size of the output, or of each of its entries where the smallest count
    as much as the largest. Texts have to be equal.
    """
    if exercise.entrywise:
        return [exercise.tolerance * np.abs(e) for e in expected]
    return [exercise.tolerance * size for size in scale_of(expected)]


def scale_of(expected: list[np.ndarray]) -> list[float]:
    """The size that errors are measured by, for one output on each input. Plumbing.

    The largest number of the output on that input. Where this is nearly zero, rounding
    is not: then a small part of the largest one on any input. Texts have no size.
    """
    if any(e.dtype.kind == "U" for e in expected):
        return [0.0] * len(expected)
    sizes = [float(np.max(np.abs(e[np.isfinite(e)]), initial=0.0)) for e in expected]
    least = 1e-3 * max(sizes, default=0.0) or 1.0
    return [max(size, least) for size in sizes]


def right(got: np.ndarray, expected: np.ndarray, bound: float) -> np.ndarray:
    """Where two arrays of one shape agree up to a bound; NaN only with NaN. "
    "Plumbing.
    """
    if "U" in (got.dtype.kind, expected.dtype.kind):
        return np.asarray(got == expected)
    got, expected = got + 0.0, expected + 0.0  # booleans have no difference
    with np.errstate(all="ignore"):
        near = np.abs(got - expected) <= bound
    return near | (got == expected) | (np.isnan(got) & np.isnan(expected))
