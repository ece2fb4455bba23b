"""What functions take from around them: names they read, and what is behind these.

A plan is made for the numbers that were there when it was recorded. Those of the model
and of the optimizer are told by `standins`; here are the others: global names, cells of
closures, defaults, what an object holds that is named there, functions that are called.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from course_utils.tape import Node

SIMPLE = (bool, int, float, str, np.ndarray, np.generic)
MANY_THINGS = 64  # a list that is longer holds data, which are not gone through


class Around:
    """Watches what functions take from around them. Plumbing.

    - `watched`: (holder, key, value): what has to stay for a plan to fit.
    - `held`: ids of what symbols stand in for, which is told elsewhere.
    """

    def __init__(self, held: set[int]):
        self.held = held
        self.watched: list[tuple[Any, Any, Any]] = []
        self.functions: dict[int, FunctionType] = {}
        self.seen: set[tuple[int, Any]] = set()

    def watch(self, things: list[Any]) -> list[tuple[Any, Any, Any]]:
        """Watch what functions read, and what is in objects."""
        for x in things:
            self.reach(x)
        codes = [f.__code__ for f in self.functions.values()]
        self.words = set().union(*map(words_of, codes))
        for x in things:
            self.look_into(x)
        for f in self.functions.values():
            for holder, key, value in taken(f):
                self.look_at(holder, key, value)
        return self.watched

    def reach(self, x: Any) -> None:
        """Find the functions that x is, holds or calls, but for those of packages."""
        if isinstance(x, FunctionType):
            if id(x) in self.functions or is_foreign(
                x.__module__, x.__code__.co_filename
            ):
                return
            self.functions[id(x)] = x
            for *_, value in taken(x):
                self.reach(value)
        elif (id(x), "reached") not in self.seen:
            self.seen.add((id(x), "reached"))
            for part in belongings_of(x):
                self.reach(part)

    def look_at(self, holder: Any, key: Any, value: Any) -> None:
        """Watch one thing, and what is in it."""
        if (here := (id(holder), key)) in self.seen:
            return
        self.seen.add(here)
        if not isinstance(value, ModuleType):
            self.watched.append((holder, key, value))
        self.look_into(value)

    def look_into(self, x: Any) -> None:
        """Watch what an object holds, as far as a function names it."""
        if id(x) in self.held or isinstance(x, (*SIMPLE, FunctionType)):
            return
        if isinstance(x, Node):
            for name in ("data", "requires_grad"):
                self.look_at(x, name, getattr(x, name))
        elif type(x) is tuple:
            for value in () if len(x) > MANY_THINGS else x:
                self.look_into(value)
        elif type(x) in (list, dict):
            if len(x) <= MANY_THINGS:
                self.look_at_length(x)
                for key, value in x.items() if type(x) is dict else enumerate(x):
                    self.look_at(x, key, value)
        elif isinstance(x, MethodType):
            self.look_into(x.__self__)
        elif isinstance(x, partial):
            self.look_into((x.func, x.args, x.keywords))
        elif isinstance(x, ModuleType | type):
            kind = x.__name__ if isinstance(x, ModuleType) else x.__module__
            if not is_foreign(kind, getattr(x, "__file__", None)):
                self.look_at_attributes(x, vars(x).keys() & self.words)
        else:
            names = vars(x).keys() if hasattr(x, "__dict__") else set()
            names |= attributes_of_class(type(x)).keys()
            every = hasattr(x, "named_parameters")  # parts of a model: all of them
            self.look_at_attributes(x, names if every else names & self.words)

    def look_at_length(self, x: list | dict) -> None:
        """Watch how many things a list or a dict holds."""
        if (here := (id(x), None)) not in self.seen:
            self.seen.add(here)
            self.watched.append((x, None, len(x)))

    def look_at_attributes(self, x: Any, names: set[str]) -> None:
        """Watch attributes of an object."""
        for name in sorted(names):
            self.look_at(x, name, getattr(x, name, None))


def attributes_of_class(kind: type) -> dict[str, Any]:
    """Numbers and the like that a class gives to its objects. Plumbing."""
    every = [pair for base in reversed(kind.__mro__) for pair in vars(base).items()]
    simple = (*SIMPLE, tuple)
    return {k: x for k, x in every if isinstance(x, simple) and not k.startswith("_")}


def taken(f: FunctionType) -> Iterator[tuple[Any, Any, Any]]:
    """What a function reads from around it: (holder, key, value). Plumbing."""
    for name in globals_of(f.__code__) & f.__globals__.keys():
        yield f.__globals__, name, f.__globals__[name]
    for cell in f.__closure__ or ():
        try:
            yield cell, "cell_contents", cell.cell_contents
        except ValueError:  # nothing is in it yet
            continue
    for name in ("__defaults__", "__kwdefaults__"):
        if (value := getattr(f, name)) is not None:
            yield f, name, value


def belongings_of(x: Any) -> list[Any]:
    """Where functions may be that belong to x. Plumbing."""
    if isinstance(x, MethodType):
        return [x.__func__, x.__self__]
    if isinstance(x, partial):
        return [x.func, *x.args, *x.keywords.values()]
    if type(x) in (list, tuple, dict):
        parts = x.values() if isinstance(x, dict) else x
        return list(parts) if len(x) <= MANY_THINGS else []
    if isinstance(x, (*SIMPLE, ModuleType, type, Node, CodeType)) or x is None:
        return []
    if is_foreign(type(x).__module__):
        return []
    every = [pair for kind in type(x).__mro__ for pair in vars(kind).items()]
    run = [f for name, f in every if name == "__call__" or not name.startswith("__")]
    methods = [f for f in run if isinstance(f, FunctionType)]
    return methods + list(getattr(x, "__dict__", {}).values())


def is_foreign(module: str | None, file: str | None = None) -> bool:
    """Whether something is part of a package, which is not gone through. Plumbing."""
    root = (module or "").partition(".")[0]
    known = root in sys.stdlib_module_names or root in ("numpy", "course_utils")
    return "site-packages" in (file or "") or (known and root != "__main__")


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """A code, and those of the functions that it makes. Plumbing."""
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from codes_in(part)


def globals_of(code: CodeType) -> set[str]:
    """The global names that a code reads. Plumbing."""
    return {
        line.argval
        for inner in codes_in(code)
        for line in dis.get_instructions(inner)
        if line.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }


def words_of(code: CodeType) -> set[str]:
    """The names and texts in a code, and in the functions that it makes. Plumbing."""
    inner = list(codes_in(code))
    texts = {part for c in inner for part in c.co_consts if isinstance(part, str)}
    return texts.union(*(c.co_names for c in inner))
