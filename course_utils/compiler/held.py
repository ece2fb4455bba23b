"""A loss of one of its inputs, while the others are held: `Held`.

What the other inputs give is computed once, and a plan is made for the rest. Where the
input is a matrix W that others are multiplied by, the rest is shortened once more: a
column of A @ W, and of what is computed from it element by element, depends on the same
column of W alone. So only the columns are computed anew that have changed, and always
in the same blocks: the same W gives the same numbers, however it came to be.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from course_utils.compiler.jit import compiled
from course_utils.compiler.lines import Line, Program
from course_utils.compiler.running import Runner

WORTH = 200  # numbers in an input, from which on a plan of its own pays
BLOCK = 8  # columns in a block


def changed(now: np.ndarray, before: np.ndarray, width: int) -> int:
    """The blocks of columns that have changed, as bits; `before` is brought up to date.

    Plumbing.
    """
    found = 0
    for i in range(now.shape[0]):
        differ = 0
        for j in range(now.shape[1]):
            differ |= now[i, j] ^ before[i, j]
        if differ:
            for j in range(now.shape[1]):
                if now[i, j] != before[i, j]:
                    before[i, j] = now[i, j]
                    found |= 1 << (j // width)
    return found


class Rest:
    """What depends on an input of a program. Plumbing.

    - `front`: lines that are computed column by column.
    - `given`: what all other lines take, of the front as well; `plan`: their plan.
    """

    def __init__(self, program: Program, input_: Line, lines: list[Line]):
        self.input = input_
        self.front = in_columns(lines, input_)
        others = [x for x in lines if x not in self.front]
        used = dict.fromkeys(x for line in others for x in line.inputs)
        self.given = [x for x in used if x not in others and x.kind != "constant"]
        alone = self.alone(program, others)
        self.plan = Runner(alone, *[np.asarray(x.value) for x in self.given])

    @classmethod
    def of(cls, program: Program, k: int) -> Rest | None:
        """What depends on input k, or None if the result does not."""
        depends = {program.inputs[k][0]}
        for line in program.lines:
            if depends.intersection(line.inputs):
                depends.add(line)
        lines = [x for x in program.lines if x in depends and x.inputs]
        found = program.result in lines
        return cls(program, program.inputs[k][0], lines) if found else None

    def alone(self, program: Program, lines: list[Line]) -> Program:
        """Some lines as a program of their own, with inputs for what is given."""
        new = {x: given(x, n) for n, x in enumerate(self.given)}
        inputs = [(x, None) for x in new.values()]
        for line in lines:
            new[line] = copy(line)
            new[line].inputs = tuple(new.get(x, x) for x in line.inputs)
        guards = [(new[x], answer) for x, answer in program.guards if x in lines]
        return Program(list(new.values()), inputs, new[program.result], [], guards)


def given(line: Line, number: int) -> Line:
    """An input in the place of a line. Plumbing."""
    label = line.options["label"] if line.kind == "input" else f"held_{number}"
    return Line("input", options={"label": label}, value=line.value)


def in_columns(lines: list[Line], W: Line) -> set[Line]:
    """The lines of which a column depends on that column of W alone; none in one block.

    Plumbing.
    """
    n = W.shape[-1]
    inside, front = set(lines), set()
    if len(W.shape) != 2 or n % BLOCK or not BLOCK < n < 64 * BLOCK:
        return front
    for line in lines:
        first = line.kind == "product" and line.inputs[1] is W is not line.inputs[0]
        first = first and len(line.shape) == 2 and line.inputs[0] not in inside
        later = line.kind == "map" and len(line.shape) == 2 and W not in line.inputs
        if first or (later and inside.intersection(line.inputs) <= front):
            front.add(line)
    return front


class Held:
    """The value of a loss while nothing changes but one array, in place. Plumbing.

    - `values`: what the plan of the rest is given.
    - `columns`: the calls for each block of columns, or an empty list.
    """

    def __init__(self, rest: Rest, program: Program, arrays: tuple[np.ndarray, ...]):
        self.step = rest.plan.step
        others = [x for x in rest.given if x not in rest.front]
        known = valued(program, arrays, [*others, *inputs_of(rest.front)])
        known |= {x: np.zeros_like(x.value) for x in rest.given if x in rest.front}
        self.columns: list[list[tuple]] = []
        if rest.front:
            self.now = known[rest.input].view(np.int64)
            self.before, self.changed = self.now.copy(), compiled(changed)
            order = [x for x in program.lines if x in rest.front]
            for k in range(0, rest.input.shape[1], BLOCK):
                self.columns.append(list(block_of(order, known, slice(k, k + BLOCK))))
            self.compute(-1)  # all bits: every block
        self.values = [np.asarray(known[x]) for x in rest.given]

    def compute(self, blocks: int) -> None:
        """Compute the blocks of columns that are among these bits."""
        for calls in self.columns:
            if blocks & 1:
                for function, args, out in calls:
                    function(*args, out)
            blocks >>= 1

    def __call__(self) -> float | None:
        """The value for what is in the array now; None where a guard does not hold."""
        if self.columns:
            self.compute(self.changed(self.now, self.before, BLOCK))
        return self.step(*self.values)


def inputs_of(lines: set[Line]) -> list[Line]:
    """What lines read that is none of them. Plumbing."""
    return [x for line in lines for x in line.inputs if x not in lines]


def valued(program: Program, arrays: tuple, wanted: list[Line]) -> dict[Line, Any]:
    """The values of lines for these arrays, as NumPy computes them. Plumbing."""
    known = {x: a for (x, _), a in zip(program.inputs, arrays, strict=True)}
    needs, waiting = set(), list(wanted)
    while waiting:
        line = waiting.pop()
        if line.kind == "constant":
            known[line] = line.value
        elif line not in needs:
            needs.add(line)
            waiting += line.inputs
    for line in program.lines:
        if line in needs and line not in known:
            known[line] = result_of(line)(*[known[x] for x in line.inputs])
    return known


def result_of(line: Line) -> Callable:
    """What a line does to its inputs, with its options. Plumbing."""
    options = dict(line.options)
    part = options.pop("part", None)

    def compute(*values: Any) -> Any:
        found = line.function(*values, **options)
        return found if part is None else found[part]

    return compute


def block_of(front: list[Line], known: dict[Line, Any], block: slice):
    """The calls that compute a block of columns, each with its inputs and its place.

    Plumbing.
    """
    made: dict[Line, np.ndarray] = {}

    def columns(line: Line, x: Line) -> Any:
        if x in made:
            return made[x]
        whole = known[x]
        left = line.kind == "product" and x is line.inputs[0]
        wide = not left and np.shape(whole)[-1:] == line.shape[-1:]
        part = whole[..., block] if wide else whole
        if line.kind == "product" or not np.ndim(part):
            return part
        # Written out, a row for all rows lets NumPy run through them without a stop.
        return np.ascontiguousarray(np.broadcast_to(part, (line.shape[0], BLOCK)))

    for line in front:
        args = [columns(line, x) for x in line.inputs]
        if line in known:  # it is asked for as a whole
            made[line] = known[line][:, block]
        else:
            made[line] = np.empty((line.shape[0], BLOCK), line.dtype)
        function = line.function
        if not isinstance(function, np.ufunc) or line.options:
            function = put_by(result_of(line))
        yield function, args, made[line]


def put_by(function: Callable) -> Callable:
    """A function that puts its result into its last argument. Plumbing."""

    def put(*args: Any) -> None:
        args[-1][...] = function(*args[:-1])

    return put
