"""Which lines become loops, which stay calls, and in what order they are done.

Stages alternate: in the even ones Python calls NumPy (matrix products, what has no
rule), in the odd ones a compiled loop runs. A line stands in a loop as late as it may,
if that leaves nothing to be kept for it, and as early as it can otherwise. What a step
leaves behind is written last, when every guard has been looked at and every call has
come back: an error before that leaves everything as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from course_utils.compiler.lines import Line, Program, Slot
from course_utils.compiler.writing import MANY, SLOW

LOOPED = ("map", "fold", "spread", "pick", "put", "store")
RISKY = ("pick", "put", "call", "store")  # not to be run before guards hold
GIVEN = ("input", "constant", "number")  # there before the first stage


def base_of(line: Line) -> Line:
    """The line whose numbers these are, in other axes or in part. Plumbing."""
    while line.kind == "axes":
        line = line.inputs[0]
    return line


def is_looped(line: Line) -> bool:
    """Whether a line becomes part of a loop. Plumbing."""
    if line.kind == "map":
        return not (line.function in SLOW and np.prod(line.shape) >= MANY)
    if line.kind == "fold":
        return folds_well(line)
    return line.kind in LOOPED


def folds_well(line: Line) -> bool:
    """Whether a sum is over the last axis, over all others, or over all. Plumbing."""
    shape = line.inputs[0].shape
    wide = [k for k, n in enumerate(shape) if n != 1]
    folded = [k for k in line.options["axis"] if shape[k] != 1]
    last = [len(shape) - 1]
    others = [k for k in wide if k != last[0]]
    return folded in (wide, others) or (folded == last)


class Schedule:
    """The lines of a program with their stages. Plumbing.

    - `stores`: pseudo-lines that write a value into the array of a slot.
    - `left`: what is set at the end, by Python; `told`: lines needed then.
    - `spare`: arrays that a step may use as it likes.
    """

    def __init__(self, program: Program):
        self.program = program
        self.slots = {line: slot for line, slot in program.inputs if slot is not None}
        self.stores: dict[Line, Slot] = {}
        self.left: list[tuple[Slot, Any]] = []
        self.spare: list[tuple[Slot, Line]] = []
        self.read = users_of(program.lines).keys()
        for slot, new in program.changes:
            self.enter(slot, new)
        self.lines = [x for x in program.lines if x.kind != "axes"] + list(self.stores)
        self.users = users_of(self.lines)
        left = [x for _, x in self.left if isinstance(x, Line)]
        self.told = set(map(base_of, [program.result, *left]))
        self.asked = {base_of(line) for line, _ in program.guards}
        self.stage: dict[Line, int] = {}
        for k, line in enumerate(self.lines):
            self.stage[line] = self.earliest(line, k)
        for line in reversed(self.lines):
            if line not in self.asked | self.told:
                self.stage[line] = self.latest(line)

    def enter(self, slot: Slot, new: Any) -> None:
        """Plan how a slot gets what it holds in the end."""
        old = next((x for x, s in self.slots.items() if s == slot), None)
        if old in self.program.scratch and old not in self.read:
            self.spare.append((slot, old))
            return
        fits = isinstance(new, Line) and old is not None and new.dtype is not None
        if fits and (old.shape, old.dtype) == (new.shape, new.dtype):
            store = Line("store", None, (new, old), {}, new.value, new.place)
            self.stores[store] = slot
        else:
            self.left.append((slot, new))

    def earliest(self, line: Line, k: int) -> int:
        """The first stage in which everything that a line needs is there."""
        if line.kind in GIVEN:
            return -1
        looped = is_looped(line)
        inputs = [base_of(x) for x in line.inputs]
        if line.kind == "store":
            inputs += self.before_a_store(line)
        before = [self.after(x, looped) for x in inputs if x in self.stage]
        if line.kind in RISKY:
            before += [self.stage[x] + 2 for x in self.guards_of(line, k)]
        first = max(before, default=0)
        return first + (first % 2 != looped)

    def after(self, line: Line, looped: bool) -> int:
        """The stage from which on a line's result can be used."""
        stage = self.stage[line]
        same = looped == is_looped(line) or line.kind in GIVEN
        return stage if same else stage + 1

    def before_a_store(self, store: Line) -> list[Line]:
        """Those who read the old value, also through a view of it, and every call."""
        found = [x for x in self.lines if x.kind == "call"]
        waiting = [store.inputs[1]]
        while waiting:
            readers = [x for x in self.users.get(waiting.pop(), ()) if x is not store]
            found += readers
            waiting += [x for x in readers if x.shares]
        return found

    def guards_of(self, line: Line, k: int) -> list[Line]:
        """The guards that have to hold before line k: those above it.

        An index has to wait for those that are about integers only, as its bounds are.
        """
        above = [x for x in self.lines[:k] if x in self.asked and x.kind not in GIVEN]
        index = line.kind in ("pick", "put")
        return [x for x in above if self.is_whole(x)] if index else above

    def is_whole(self, line: Line) -> bool:
        """Whether a line comes from integers alone, as the bounds of an index do."""
        whole = line.dtype is None or line.dtype.kind in "iub"
        return whole and all(x.is_known or self.is_whole(x) for x in line.inputs)

    def latest(self, line: Line) -> int:
        """A later stage, if nothing has to be kept for it until then."""
        stage, users = self.stage[line], self.users.get(line, [])
        inputs = [base_of(x) for x in line.inputs]
        moved = is_looped(line) and line.kind != "store" and users
        if not moved or any(x.shares for x in inputs):
            return stage
        last = min(self.stage[x] - (not is_looped(x)) for x in users)
        last = min(
            [last, *(self.stage[s] for s in self.stores if s.inputs[1] in inputs)]
        )
        for x in inputs:
            if x in self.stage and is_looped(x):
                if any(self.stage[u] < last for u in self.users[x] if u is not line):
                    return stage
        if self.kept_for(line, inputs) > size_of(line):
            return stage
        return max(stage, last)

    def kept_for(self, line: Line, inputs: list[Line]) -> int:
        """The bytes that would be kept for a line alone, if it came later."""
        found = 0
        for x in set(inputs) & self.stage.keys() - self.told:
            later = [u for u in self.users[x] if u is not line]
            kept = any(self.stage[u] > self.stage[x] for u in later)
            free = all(base_of(y).kind in GIVEN for y in x.inputs)
            if is_looped(x) and not (kept or free):
                found += size_of(x)
        return found


def size_of(line: Line) -> int:
    """The bytes of a value. Plumbing."""
    return math.prod(line.shape) * line.dtype.itemsize if line.dtype else 0


def users_of(lines: Iterable[Line]) -> dict[Line, list[Line]]:
    """Who reads a line's numbers. Plumbing."""
    users: dict[Line, list[Line]] = {}
    for line in lines:
        for x in line.inputs:
            users.setdefault(base_of(x), []).append(line)
    return users
