"""A plan: what is done in which order, and where each value lies meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from course_utils.compiler.buffers import Life, placed
from course_utils.compiler.lines import Line, Program, Slot
from course_utils.compiler.loops import Loop, is_single
from course_utils.compiler.naming import Names
from course_utils.compiler.nests import ELEMENT, Nest, nested
from course_utils.compiler.shorten import axes_seen
from course_utils.compiler.stages import GIVEN, Schedule, base_of

ALONE = ("call", "part", "view")  # their memory is that of NumPy, or of another value


class Plan:
    """A program as loops and calls in order, and its values in one block. Plumbing.

    - `parts`: what is done, in order: a `Loop`, or a line for Python.
    - `kept`: lines of loops that have an array; `rows`: those of which one row is
      enough, since nobody needs them when it is done.
    - `lives`: from when to when an array is needed; `places`: where it begins in a
      block of `size` bytes; `lent`: those that lie in an array of the optimizer, which
      it has for intermediate results. `laid`: which lie in memory with their axes in
      another order, the one in which they are read.
    """

    def __init__(self, program: Program):
        self.program, self.schedule = program, Schedule(program)
        self.names = Names([x for x, _ in program.inputs], program.lines)
        self.batch = (program.inputs[0][0].shape or (1,))[0]
        self.kept: set[Line] = set()
        self.rows: set[Line] = set()
        self.parts = list(self.in_order())
        self.followed: set[Line] = set()
        self.times = {x: t for t, part in enumerate(self.parts) for x in lines_of(part)}
        for time, part in enumerate(self.parts):
            for nest in part.nests if is_loop(part) else ():
                self.inherit(nest, time)
        self.lives = self.lifetimes()
        self.lent = self.borrowed()
        own = {name: x for name, x in self.lives.items() if name not in self.lent}
        self.places, self.size = placed(own)
        self.laid = {self.names(x): axes for x in self.times if (axes := self.turn(x))}

    def in_order(self) -> Iterator[Line | Loop]:
        """Stage by stage: the loop of an odd one, the lines of an even one."""
        stages: dict[int, list[Line]] = {}
        for line in self.schedule.lines:
            if line.kind not in GIVEN:
                stages.setdefault(self.schedule.stage[line], []).append(line)
        for k, lines in sorted(stages.items()):
            if k % 2 == 0:
                yield from lines
                continue
            for nests in grouped(nested(lines)):
                own = {x for nest in nests for x in nest.lines}
                for nest in nests:
                    for line in nest.lines:
                        self.keep(line, nest, own)
                guards = self.guards_of(own)
                yield Loop(nests, self.kept, self.rows, guards, self.names, self.batch)

    def guards_of(self, lines: set[Line]) -> list[tuple[Line, bool]]:
        """The guards whose answer is known when these lines are done."""
        asked = [(base_of(line), answer) for line, answer in self.program.guards]
        return [(line, answer) for line, answer in asked if line in lines]

    def keep(self, line: Line, nest: Nest, loop: set[Line]) -> None:
        """Decide whether a value needs an array, for those who want it later."""
        users = self.schedule.users.get(line, [])
        within = [x for x in users if x in nest.axes]
        around = [x for x in users if x in loop and x not in nest.axes]
        single = is_single(nest, line)
        told = line in self.schedule.told or (
            line in self.schedule.asked and not single
        )
        asked = told or len(within) + len(around) < len(users)
        again = nest.when[line][0] == ELEMENT and any(
            nest.at[x] != nest.when[line] for x in within
        )
        if asked or again or (around and not single):
            self.kept.add(line)
        if again and not (asked or around):
            self.rows.add(line)

    def has_array(self, line: Line) -> bool:
        """Whether a value lies in the block."""
        loop = is_loop(self.parts[self.times[line]])
        return line in self.kept if loop else line.kind not in ALONE

    def inherit(self, nest: Nest, time: int) -> None:
        """Let values take the arrays of others that are read here for the last time.

        Element by element the new value is written when the old one has been read; so
        both have one name.
        """
        for line in [x for x in nest.lines if x in self.kept - self.rows]:
            if nest.when[line][0] != ELEMENT or nest.axes[line] != nest.identity:
                continue
            for old in nest.sources:
                if self.can_follow(line, old, nest, time):
                    self.names.given[line] = self.names(old)
                    self.followed.add(old)
                    break

    def can_follow(self, line: Line, old: Line, nest: Nest, time: int) -> bool:
        """Whether a line may be written over an older one, element by element."""
        if old not in self.times or not self.has_array(old) or old in self.followed:
            return False
        if (old.shape, old.dtype) != (line.shape, line.dtype):
            return False
        order = nest.lines.index
        readers = self.schedule.users[old]
        return (
            self.death(old) == time
            and nest.sources[old] == {nest.identity}
            and all(
                x in nest.at
                and nest.at[x][0] == ELEMENT
                and (nest.at[x][1], order(x)) <= (nest.at[line][1], order(line))
                for x in readers
            )
        )

    def lifetimes(self) -> dict[str, Life]:
        """From when to when each array is needed."""
        lives: dict[str, Life] = {}
        for line, born in self.times.items():
            if not self.has_array(line):
                continue
            shape = line.shape[-1:] if line in self.rows else line.shape
            life = Life(born, self.death(line), math.prod(shape) * line.dtype.itemsize)
            if (older := lives.get(self.names(line))) is not None:
                life = life._replace(born=older.born)
            lives[self.names(line)] = life
        return lives

    def borrowed(self) -> dict[str, Slot]:
        """Which values lie in arrays that are there anyway: one each, of their kind."""
        spare = {
            (old.shape, old.dtype, k): slot
            for k, (slot, old) in enumerate(self.schedule.spare)
        }
        lent: dict[str, Slot] = {}
        for line in self.times:
            if self.has_array(line) and line not in self.rows:
                fits = [x for x in spare if x[:2] == (line.shape, line.dtype)]
                if fits and self.names(line) not in lent:
                    lent[self.names(line)] = spare.pop(fits[0])
        return lent

    def turn(self, line: Line) -> tuple[int, ...] | None:
        """The order of axes in which a product is read, if only a reshape reads it.

        Laid down in this order, it needs no copy: BLAS writes rows wherever they are.
        """
        alone = line.kind == "product" and self.names(line) in self.places
        users = self.schedule.users.get(line, [])
        if not alone or len(users) != 1:
            return None
        last, seen = len(line.shape) - 1, users[0].inputs[0]
        axes = axes_seen(seen)
        if users[0].kind != "view" or axes is None or line not in seen.inputs:
            return None
        fits = set(axes) == set(range(last + 1)) and axes[-1] == last
        return axes if fits and len(axes) == last + 1 else None

    def place_of(self, line: Line) -> Line | None:
        """The line in whose array a view looks, if that lies in the block."""
        while line.shares:
            if line.kind not in ("axes", "view"):  # a call gives a new one each time
                return None
            line = line.inputs[0]
        return line if self.names.given.get(line) in self.places else None

    def room(self, line: Line, memory: np.ndarray) -> np.ndarray:
        """The array of a line in its bytes."""
        shape = line.shape[-1:] if line in self.rows else line.shape
        axes = self.laid.get(self.names(line), range(len(shape)))
        array = memory.view(line.dtype).reshape([shape[k] for k in axes])
        return array.transpose(np.argsort(axes))

    def death(self, line: Line) -> int:
        """When a value is read for the last time, views of it included."""
        if line in self.schedule.told:
            return len(self.parts)
        users = self.schedule.users.get(line, [])
        views = [self.death(x) for x in users if x.shares]
        return max([self.times[line], *views, *(self.times[x] for x in users)])


def lines_of(part: Line | Loop) -> list[Line]:
    """The lines of a part. Plumbing."""
    return [x for nest in part.nests for x in nest.lines] if is_loop(part) else [part]


def grouped(nests: list[Nest]) -> list[list[Nest]]:
    """Each nest with the numbers that are computed from its sums. Plumbing."""
    groups: list[list[Nest]] = []
    for nest in nests:
        if groups and not nest.shape:
            groups[-1].append(nest)
        else:
            groups.append([nest])
    return groups


def is_loop(part: Line | Loop) -> bool:
    """Whether a part of a plan is a loop. Plumbing."""
    return isinstance(part, Loop)
