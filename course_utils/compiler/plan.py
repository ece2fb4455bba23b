"""A plan: what is done in which order, and where each value lies meanwhile."""

from __future__ import annotations

import math
from collections.abc import Iterator

from course_utils.compiler.buffers import Life, placed
from course_utils.compiler.lines import Line, Program
from course_utils.compiler.loops import Loop, is_single
from course_utils.compiler.naming import Names
from course_utils.compiler.nests import ELEMENT, LATER, Nest, nested
from course_utils.compiler.stages import GIVEN, Schedule, base_of

ALONE = ("call", "part", "view")  # their memory is that of NumPy, or of another value


class Plan:
    """A program as loops and calls in order, and its values in one block. Plumbing.

    - `parts`: what is done, in order: a `Loop`, or a line for Python.
    - `kept`: lines of loops that have an array; `rows`: those of which one row is
      enough, since nobody needs them when it is done.
    - `lives`: from when to when an array is needed; `places`: where it begins in a
      block of `size` bytes.
    """

    def __init__(self, program: Program):
        self.program, self.schedule = program, Schedule(program)
        self.names = Names([x for x, _ in program.inputs], self.schedule.lines)
        self.batch = (program.inputs[0][0].shape or (1,))[0]
        self.kept: set[Line] = set()
        self.rows: set[Line] = set()
        self.parts = list(self.in_order())
        self.lives = dict(self.lifetimes())
        self.places, self.size = placed(self.lives)

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
        """Decide whether a value needs an array: who wants it when it is gone?"""
        users = self.schedule.users.get(line, [])
        within = [x for x in users if x in nest.axes]
        around = [x for x in users if x in loop and x not in nest.axes]
        asked = line in self.schedule.told or len(within) + len(around) < len(users)
        single = is_single(nest, line)
        column = nest.when[line][0] == LATER and not single
        again = nest.when[line][0] == ELEMENT and any(
            nest.at[x] != nest.when[line] for x in within
        )
        if line.kind == "store" or not (asked or again or column or around):
            return
        if asked or again or column or not single:
            self.kept.add(line)
        if again and not (asked or around):
            self.rows.add(line)

    def lifetimes(self) -> Iterator[tuple[str, Life]]:
        """From when to when each array is needed."""
        times: dict[Line, int] = {}
        for time, part in enumerate(self.parts):
            lines = (
                [x for n in part.nests for x in n.lines] if is_loop(part) else [part]
            )
            times |= dict.fromkeys(lines, time)
        for line, born in times.items():
            whole = (
                line in self.kept
                if is_loop(self.parts[born])
                else line.kind not in ALONE
            )
            if whole:
                shape = line.shape[-1:] if line in self.rows else line.shape
                size = math.prod(shape) * line.dtype.itemsize
                yield self.names(line), Life(born, self.death(line, times), size)

    def death(self, line: Line, times: dict[Line, int]) -> int:
        """When a value is read for the last time, views of it included."""
        if line in self.schedule.told:
            return len(self.parts)
        users = self.schedule.users.get(line, [])
        views = [self.death(x, times) for x in users if x.kind == "view"]
        return max([times[line], *views, *(times[x] for x in users)])


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
