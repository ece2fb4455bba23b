"""A call that stays a call: a function, and its arguments with holes for symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.compiler.lines import CannotCompile, Line, several


class Hole(int):
    """The place of a symbol in the arguments of a call. Plumbing."""


class Call:
    """A function and its arguments, to be called with values in the holes. Plumbing."""

    def __init__(self, function: Callable, args: tuple, options: dict):
        self.function, self.args, self.options = function, args, options
        self.__name__ = getattr(function, "__name__", str(function))

    def tree(self) -> tuple:
        """Function and arguments, holes included, to be compared."""
        return getattr(self.function, "slot", self.function), self.args, self.options

    def __call__(self, *values: Any) -> Any:
        """The result for values in the holes."""
        args, options = replaced(
            (self.args, self.options),
            lambda x: isinstance(x, Hole),
            lambda hole: values[hole],
        )
        return self.function(*args, **options)


def is_symbol(x: Any) -> bool:
    """Whether x stands for a line. Plumbing."""
    return isinstance(getattr(x, "line", None), Line)


def replaced(tree: Any, found: Callable[[Any], bool], new: Callable) -> Any:
    """A tree of tuples, lists and dicts with new leaves for those that are `found`.

    Plumbing.
    """
    if found(tree):
        return new(tree)
    if type(tree) in (list, tuple):
        return type(tree)([replaced(x, found, new) for x in tree])
    if type(tree) is dict:
        return {key: replaced(x, found, new) for key, x in tree.items()}
    return tree


def called(
    recorder: Any, function: Callable, args: tuple, options: dict[str, Any]
) -> Any:
    """Write a call as it was; of several results each has a line. Plumbing."""
    lines: list[Line] = []

    def hole(symbol: Any) -> Hole:
        lines.append(symbol.line)
        return Hole(len(lines) - 1)

    call = Call(function, *replaced((args, options), is_symbol, hole))
    value = call(*[line.value for line in lines])
    if value is None:
        raise CannotCompile(
            f"{call.__name__} changes an array in place; compute a new one instead"
        )
    value = value if several(value) else np.asarray(value)[()]
    line = Line("call", call, tuple(lines), {}, value, recorder.place)
    line.shares = any(
        looks_at(part, x.value) for part in parts_of(value) for x in lines
    )
    return opened(recorder, recorder.add(line))


def opened(recorder: Any, out: Any) -> Any:
    """Give each of several results a symbol of its own; None is no result. Plumbing."""
    values = out.line.value
    if not several(values):
        return out
    parts = []
    for k, value in enumerate(values):
        symbol = None if value is None else recorder.note("part", part, out, k=k)
        if symbol is not None:
            symbol.line.shares = out.line.shares
            symbol = opened(recorder, symbol)
        parts.append(symbol)
    kind = type(values)
    return getattr(kind, "_make", kind)(parts)  # np.linalg gives tuples with names


def parts_of(value: Any) -> list:
    """Several results, however nested, or the only one. Plumbing."""
    if several(value):
        return [x for inner in value for x in parts_of(inner)]
    return [value]


def looks_at(value: Any, other: Any) -> bool:
    """Whether an array looks at the memory of another one. Plumbing."""
    both = isinstance(value, np.ndarray) and isinstance(other, np.ndarray)
    return both and np.may_share_memory(value, other)


def part(values: tuple, k: int) -> Any:
    """One of several results. Plumbing."""
    return values[k] if several(values[k]) else np.asarray(values[k])[()]
