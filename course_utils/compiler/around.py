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
from types import CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

from course_utils.tape import Node

SIMPLE = (bool, int, float, str, np.ndarray, np.generic)
MANY_THINGS = 64  # a list that is longer holds data, which are not gone through
SEVERAL = (list, tuple, dict)
BEGIN = ("__init__", "__new__", "__post_init__", "__eq__", "__repr__", "__hash__")
ANY_NAME = {"getattr", "vars", "__dict__", "attrgetter"}  # these read names unseen


class Mark:
    """Something that is no key and no value of anybody else. Plumbing."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


LENGTH = Mark("length")  # in the place of a key: how many things there are
MISSING = Mark("missing")  # in the place of a value: there is none


class Around:
    """Watches what functions take from around them. Plumbing.

    - `watched`: (holder, key, value): what has to stay for a plan to fit. The key
      LENGTH means how many things there are, the value MISSING that there is none.
    - `held`: ids of what symbols stand in for, which is told elsewhere.
    """

    def __init__(self, held: set[int]):
        self.held = held
        self.watched: list[tuple[Any, Any, Any]] = []
        self.functions: dict[int, FunctionType] = {}
        self.seen: set[tuple[int, Any]] = set()
        self.reached: set[int] = set()

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
        elif id(x) not in self.reached:
            self.reached.add(id(x))
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
        elif type(x) in SEVERAL:
            self.look_at_items(x)
        elif isinstance(x, MethodType):
            self.look_into(x.__self__)
        elif isinstance(x, partial):
            self.look_into((x.func, x.args, x.keywords))
        elif isinstance(x, ModuleType | type):
            kind = x.__name__ if isinstance(x, ModuleType) else x.__module__
            if not is_foreign(kind, getattr(x, "__file__", None)):
                self.look_at_attributes(x, vars(x).keys() & self.words)
        else:
            if isinstance(x, SEVERAL):  # an heir of them, as OrderedDict
                self.look_at_items(x)
            names = vars(x).keys() if hasattr(x, "__dict__") else set()
            names |= attributes_of_class(type(x)).keys() | slots_of(type(x))
            mine = not is_of_package(type(x)) and len(names) <= MANY_THINGS
            every = mine and not self.words.isdisjoint(ANY_NAME)
            every |= hasattr(x, "named_parameters")  # parts of a model: all of them
            self.look_at_attributes(x, names if every else names & self.words)

    def look_at_items(self, x: list | tuple | dict) -> None:
        """Watch what a list or a dict holds, and how much; look into a tuple."""
        if len(x) > MANY_THINGS:
            return
        if isinstance(x, tuple):
            for value in x:
                self.look_into(value)
            return
        if (here := (id(x), LENGTH)) not in self.seen:
            self.seen.add(here)
            self.watched.append((x, LENGTH, len(x)))
        for key, value in x.items() if isinstance(x, dict) else enumerate(x):
            self.look_at(x, key, value)

    def look_at_attributes(self, x: Any, names: set[str]) -> None:
        """Watch attributes of an object; those of a list or a dict are no items."""
        for name in sorted(names):
            if not isinstance(x, SEVERAL):
                self.look_at(x, name, getattr(x, name, MISSING))
                continue
            self.look_at(type(x), name, getattr(type(x), name, MISSING))
            if hasattr(x, "__dict__"):
                self.look_at(vars(x), name, vars(x).get(name, MISSING))


def attributes_of_class(kind: type) -> dict[str, Any]:
    """Numbers and the like that a class gives to its objects; None, too. Plumbing."""
    every = [pair for base in reversed(kind.__mro__) for pair in vars(base).items()]
    known = (*SIMPLE, *SEVERAL, type(None))
    return {k: x for k, x in every if isinstance(x, known) and not k.startswith("__")}


def slots_of(kind: type) -> set[str]:
    """The attributes that `__slots__` of a class, and of those above it, name.

    Plumbing.
    """
    every = [pair for base in kind.__mro__ for pair in vars(base).items()]
    return {name for name, x in every if isinstance(x, MemberDescriptorType)}


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
    parts = []
    if isinstance(x, SEVERAL) and len(x) <= MANY_THINGS:
        parts = list(x.values() if isinstance(x, dict) else x)
    if isinstance(x, (*SIMPLE, ModuleType, type, Node, CodeType)) or x is None:
        return []
    if is_of_package(type(x)):
        return parts
    every = [pair for kind in type(x).__mro__ for pair in vars(kind).items()]
    # A property has its function in fget, a static method in __func__.
    run = [
        getattr(f, "fget", getattr(f, "__func__", f))
        for k, f in every
        if k not in BEGIN
    ]
    parts += [f for f in run if isinstance(f, FunctionType)]
    parts += getattr(x, "__dict__", {}).values()
    return parts + [getattr(x, name, None) for name in slots_of(type(x))]


def is_of_package(kind: type) -> bool:
    """Whether a class is part of a package. Plumbing."""
    module = sys.modules.get(kind.__module__)
    return is_foreign(kind.__module__, getattr(module, "__file__", None))


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
