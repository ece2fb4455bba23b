"""Symbols in the place of all that a step reads and writes, and everything back again.

A step works on parameters, on the optimizer's arrays and numbers, on what modules keep.
While it is recorded, symbols stand there. What they have become in the end is what the
step leaves behind; the rest of an object's attributes is watched, since a plan is made
for what they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from course_utils.compiler.around import (
    LENGTH,
    MISSING,
    Around,
    attributes_of_class,
    slots_of,
)
from course_utils.compiler.calls import called
from course_utils.compiler.lines import CannotCompile, Line, Slot
from course_utils.compiler.symbols import Recorder, Symbol
from course_utils.tape import Node


def modules_of(model: Any) -> list[tuple[str, Any]]:
    """Names like `layers.0`, and the modules, each once; the model itself has none.

    Plumbing.
    """
    found, waiting = {}, [("", model)]
    while waiting:
        name, module = waiting.pop(0)
        if id(module) in found:
            continue
        found[id(module)] = name, module
        for keys, part in leaves(dict(getattr(module, "__dict__", {}))):
            if hasattr(part, "forward"):
                waiting.append((".".join([name, *map(str, keys)]).strip("."), part))
    return list(found.values())


def parameters_of(model: Any, optimizer: Any) -> dict[str, Node]:
    """All parameters by name; what only the optimizer knows has a number. Plumbing."""
    find = getattr(model, "named_parameters", dict)
    found: dict[Node, str] = {}
    for name, p in dict(find()).items():
        found.setdefault(p, name)
    for k, p in enumerate(getattr(optimizer, "parameters", ())):
        found.setdefault(p, f"parameters.{k}")
    return {name: p for p, name in found.items()}


class Draws:
    """Stands in for a random generator: each draw becomes a line. Plumbing.

    While it is recorded, a copy of the generator draws; the plan asks the real one.
    """

    def __init__(
        self, recorder: Recorder, slot: Slot, rng: np.random.Generator, made: list
    ):
        self._recorder, self._slot, self._made = recorder, slot, made
        self._copy = np.random.Generator(type(rng.bit_generator)())
        self._copy.bit_generator.state = rng.bit_generator.state

    def __getattr__(self, name: str) -> Any:
        def draw(*args: Any, **options: Any) -> Any:
            self._made.append(Draw(self._slot, name, self._copy))
            return called(self._recorder, self._made[-1], args, options)

        return draw


class Draw:
    """A call of a random generator, which is never the same twice. Plumbing."""

    def __init__(self, slot: Slot, name: str, copy: np.random.Generator | None):
        self.slot, self.__name__, self.copy = slot, name, copy

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Draw."""
        rng = self.copy or self.slot.get()
        return getattr(rng, self.__name__)(*args, **options)


class StandIns:
    """What symbols stand in for, so that it can be given back. Plumbing.

    - `lines`: the line of each slot that is read.
    - `watched`: (dict, list or object, key, value) that have to be the same for a plan
      to fit; the key LENGTH means how many there are.
    """

    def __init__(self, recorder: Recorder):
        self.recorder = recorder
        self.lines: dict[Slot, Line] = {}
        self.watched: list[tuple[Any, Any, Any]] = []
        self.nodes: list[tuple[Node, Any, Any]] = []
        self.before: list[tuple[Any, dict[str, Any]]] = []
        self.owners: list[tuple[Any, str, dict[str, Any]]] = []
        self.draws: list[Draw] = []

    def __enter__(self) -> StandIns:
        return self

    def __exit__(self, *error: object) -> None:
        for p, data, changed in self.nodes:
            p.data, p.grad = data, None
            if changed is not None:
                p.changed = changed
        for owner, before in self.before:
            vars(owner).clear()
            vars(owner).update(before)
        for draw in self.draws:
            draw.copy = None

    # --- in ---------------------------------------------------------------------------

    def parameter(self, p: Node, name: str) -> None:
        """Let a symbol stand in for a parameter's data; it has no gradient yet."""
        self.nodes.append((p, p.data, getattr(p, "changed", None)))
        p.data, p.grad = self.symbol(Slot(p, "data", name), p.data), None
        self.watched.append((p, "requires_grad", p.requires_grad))

    def attributes(self, owner: Any, label: str, numbers: bool = False) -> None:
        """Let symbols stand in for arrays among the attributes, and for numbers."""
        if not hasattr(owner, "__dict__"):
            return
        before = dict(vars(owner))
        self.before.append((owner, before))
        for name, value in before.items():
            slot = Slot(owner, name, f"{label}.{name}".strip("."))
            new = self.stand_in(slot, value, numbers)
            if new is value:
                self.watched.append((vars(owner), name, value))
            setattr(owner, name, new)
        self.owners.append((owner, label, dict(vars(owner))))
        kind = type(owner)
        for name in sorted({*attributes_of_class(kind), *slots_of(kind)} - {*before}):
            self.watched.append((owner, name, getattr(owner, name, MISSING)))

    def around(self, *functions: Any) -> None:
        """Watch what functions take from around them, and what is in objects."""
        held = {id(owner) for owner, *_ in self.owners}
        held |= {id(p) for p, *_ in self.nodes}
        objects = [
            value
            for (_, before), (*_, stood) in zip(self.before, self.owners, strict=True)
            for name, value in before.items()
            if stood[name] is value
        ]
        self.watched += Around(held).watch([*functions, *objects])

    def stand_in(self, slot: Slot, value: Any, numbers: bool) -> Any:
        """Symbols for arrays and numbers, in lists, tuples and dicts as well."""
        if isinstance(value, np.ndarray):
            return self.symbol(slot, value)
        if numbers and isinstance(value, int | float) and not isinstance(value, bool):
            return self.symbol(slot, value)
        if isinstance(value, np.random.Generator):
            return Draws(self.recorder, slot, value, self.draws)
        if type(value) not in (list, tuple, dict):
            return value
        items = list(value.items() if isinstance(value, dict) else enumerate(value))
        new = {k: self.stand_in(inside(slot, k), x, numbers) for k, x in items}
        if not slot.keys:
            self.watched.append((vars(slot.owner), slot.name, value))
        self.watched.append((value, LENGTH, len(value)))
        self.watched += [
            (value, k, x)
            for k, x in items
            if new[k] is x or type(x) in (list, tuple, dict)
        ]
        return new if isinstance(value, dict) else type(value)(new.values())

    def symbol(self, slot: Slot, value: Any) -> Symbol:
        """A symbol for what a slot holds."""
        symbol = self.recorder.input(value, slot.label)
        self.lines[slot] = symbol.line
        return symbol

    # --- out --------------------------------------------------------------------------

    def changes(self) -> list[tuple[Slot, Any]]:
        """What the step leaves behind: slots, and their new lines or values."""
        known = {slot.place: slot for slot in self.lines}
        found = [(x, x.owner.data.line) for x in self.lines if x.name == "data"]
        for owner, label, stood in self.owners:
            for name, value in vars(owner).items():
                parts = list(leaves(value))
                symbols = [(k, x) for k, x in parts if self.symbol_in(x) is not None]
                for keys, x in symbols:
                    slot = known.get((id(owner), name, keys))
                    if slot is None and keys:
                        raise CannotCompile(
                            f"{label}.{name}".strip(".") + " gathers values during the "
                            "step; keep the newest alone, or gather them outside"
                        )
                    kind = type(x) if isinstance(x, Node) else None
                    slot = slot or Slot(owner, name, name, kind=kind)
                    found.append((slot, self.symbol_in(x).line))
                if not symbols and value is not stood.get(name, self):
                    found.append((Slot(owner, name, name), value))
        return [(slot, x) for slot, x in found if self.lines.get(slot) is not x]

    def symbol_in(self, x: Any) -> Symbol | None:
        """The symbol itself, or that in a tensor which is no parameter."""
        if isinstance(x, Node):
            x = None if any(x is p for p, *_ in self.nodes) else x.data
        return x if isinstance(x, Symbol) else None


def inside(slot: Slot, key: Any) -> Slot:
    """The slot of an element. Plumbing."""
    return replace(slot, label=f"{slot.label}.{key}", keys=(*slot.keys, key))


def leaves(tree: Any, keys: tuple = ()) -> Iterator[tuple[tuple, Any]]:
    """The leaves of lists, tuples and dicts, with the keys to them. Plumbing."""
    if type(tree) not in (list, tuple, dict):
        yield keys, tree
        return
    for key, x in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from leaves(x, (*keys, key))
