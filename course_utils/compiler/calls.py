"""A call that stays a call: a function, and its arguments with holes for symbols."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from course_utils.compiler.lines import CannotCompile, Line, several


class Hole(int):
    """The place of a symbol in the arguments of a call. Plumbing."""


class Call:
    """A function and its arguments, to be called with values in the holes. Plumbing.

    Where there is an `order`, the result has its axes in this order, one run in memory.
    """

    def __init__(self, function: Callable, args: tuple, options: dict):
        self.function, self.args, self.options = function, args, options
        self.__name__ = getattr(function, "__name__", str(function))
        self.order: tuple[int, ...] | None = None

    def tree(self) -> tuple:
        """Function and arguments, holes included, to be compared."""
        function = getattr(self.function, "slot", self.function)
        return function, self.args, self.options, self.order

    def key(self) -> Hashable:
        """Equal for two calls that give the same for the same inputs; else None.

        Of functions of NumPy and of `functional` we know that they do; not of chance.
        """
        home = getattr(self.function, "__module__", None) or ""
        known = home.startswith(("numpy", "course_utils.functional"))
        arguments = signed((self.args, self.options))
        if not known or "random" in home or arguments is None:
            return None
        return repr(self.function), self.order, arguments

    def __call__(self, *values: Any) -> Any:
        """The result for values in the holes."""
        args, options = replaced(
            (self.args, self.options),
            lambda x: isinstance(x, Hole),
            lambda hole: values[hole],
        )
        value = self.function(*args, **options)
        if self.order is None:
            return value
        return np.ascontiguousarray(np.transpose(value, self.order))


def signed(tree: Any) -> str | None:
    """Arguments as text, holes apart from numbers; None if something else is there.

    Plumbing.
    """
    if isinstance(tree, dict):
        tree = list(tree.items())
    if isinstance(tree, list | tuple):  # a size may be either
        parts = list(map(signed, tree))
        return None if None in parts else f"({', '.join(parts)})"
    if isinstance(tree, Hole):
        return f"<{int(tree)}>"
    return repr(tree) if isinstance(tree, int | float | str | None) else None


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
    shares = any(looks_at(part, x.value) for part in parts_of(value) for x in lines)
    call.order = None if shares else order_in_memory(value)
    if call.order is not None:
        value = np.transpose(value, call.order)
    line = Line("call", call, tuple(lines), {}, value, recorder.place)
    line.shares = shares
    out = opened(recorder, recorder.add(line))
    return out if call.order is None else np.transpose(out, np.argsort(call.order))


def order_in_memory(value: Any) -> tuple[int, ...] | None:
    """The order of axes in which an array is one run, if it is not so as it is.

    Plumbing.
    """
    if not isinstance(value, np.ndarray) or value.flags.c_contiguous:
        return None
    order = tuple(map(int, np.argsort([-n for n in value.strides], kind="stable")))
    return order if np.transpose(value, order).flags.c_contiguous else None


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
