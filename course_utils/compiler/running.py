"""A plan that runs: arrays bound to names, loops compiled, the step as a function."""

from __future__ import annotations

import time
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from course_utils.compiler.buffers import block
from course_utils.compiler.jit import compiled, numba, plus
from course_utils.compiler.lines import Line, Program, Slot
from course_utils.compiler.plan import Plan
from course_utils.compiler.shorten import is_draw
from course_utils.compiler.source import Source
from course_utils.compiler.stages import base_of


@cache
def function_of(text: str, formulas: tuple[FunctionType, ...]) -> FunctionType:
    """The function of a text; two loops of one text are one, compiled once. Plumbing."""
    space = {"np": np, "plus": plus} | {f.__name__: f for f in formulas}
    exec(compile(text, "<a loop of a plan>", "exec"), space)
    return next(reversed(space.values()))


class Runner:
    """Runs a plan again and again. Plumbing.

    - `seconds`: what compiling took.
    """

    def __init__(self, program: Program, x: np.ndarray, y: np.ndarray):
        self.program, self.plan = program, Plan(program)
        self.source = Source(self.plan)
        self.space = dict(self.source.space)
        self.batch: list[np.ndarray] | None = None
        draws = [line.function.function for line in program.lines if is_draw(line)]
        self.drawn = [draw.slot for draw in draws]
        self.bound: list[tuple[str, Slot, np.ndarray]] = []
        self.make_room()
        for line, slot in program.inputs:
            if slot is not None and not line.is_number:
                self.bound.append((self.plan.names(line), slot, None))
        self.bind()
        began = time.perf_counter()
        self.compile({"x": x, "y": y})
        self.seconds = time.perf_counter() - began
        exec(compile(self.source.step, "<the step of a plan>", "exec"), self.space)

    def make_room(self) -> None:
        """Lay all arrays of the plan into one block."""
        plan = self.plan
        memory = block(plan.size)
        for line in [*plan.kept, *plan.program.lines]:
            name = plan.names.given.get(line)
            if name in plan.places:
                shape = line.shape[-1:] if line in plan.rows else line.shape
                start, size = plan.places[name], plan.lives[name].size
                raw = memory[start : start + size]
                self.space[name] = raw.view(line.dtype).reshape(shape)

    def bind(self) -> None:
        """Let the names of parameters and states mean the arrays that are there now."""
        for k, (name, slot, _) in enumerate(self.bound):
            array = slot.get()
            if not isinstance(array, np.ndarray):  # a number of NumPy has no memory
                slot.set(array := np.array(array))
            self.space[name] = array
            self.bound[k] = (name, slot, array)

    def fits(self) -> bool:
        """Whether everything that the plan was made for is as it was."""
        return all(map(unchanged, self.program.watched)) and all(map(alike, self.bound))

    def compile(self, batch: dict[str, np.ndarray]) -> None:
        """Compile the loops for the kinds of arrays that they get."""
        for name, text, loop in self.source.loops:
            function = compiled(
                function_of(text, tuple(loop.formulas.values())), "numpy"
            )
            known, names = self.space | batch, self.plan.names
            arrays = [known.get(names(x), np.asarray(x.value)) for x in loop.arrays]
            numbers = [known.get(names(x), x.value) for x in loop.numbers]
            function.compile(tuple(map(numba().typeof, [*arrays, *numbers])))
            self.space[name] = function

    def __call__(self, x: np.ndarray, y: np.ndarray) -> float | None:
        """Run the step; None where a guard does not hold, and nothing has changed."""
        for _, slot, array in self.bound:
            if slot.get() is not array:
                self.bind()
                break
        before = [(rng, rng.bit_generator.state) for rng in self.generators()]
        loss = None
        try:
            loss = self.space["step"](x, y)
        finally:
            if loss is None:  # what was drawn has not been drawn
                for rng, state in before:
                    rng.bit_generator.state = state
        if loss is not None:
            self.leave()
        return loss

    def of_rows(self, x: np.ndarray, y: np.ndarray, rows: Any) -> float | None:
        """Run the step for some rows, which are gathered into a batch of its own."""
        if self.batch is None:
            n = len(rows)
            self.batch = [np.empty((n, *a.shape[1:]), a.dtype) for a in (x, y)]
        for a, part in zip((x, y), self.batch, strict=True):
            np.take(a, rows, axis=0, out=part)
        return self(*self.batch)

    def generators(self) -> list[np.random.Generator]:
        """The random generators that are asked, each once."""
        return list({id(rng := slot.get()): rng for slot in self.drawn}.values())

    def leave(self) -> None:
        """Leave behind what is no number and no array that was there before."""
        for slot, new in self.plan.schedule.left:
            if not isinstance(new, Line):
                slot.set(new)
            elif not new.is_number:
                kept = np.array(self.space[self.plan.names(base_of(new))])
                slot.set(kept)


def unchanged(watched: tuple[Any, Any, Any]) -> bool:
    """Whether an attribute is what it was. Plumbing."""
    holder, key, value = watched
    if isinstance(holder, dict):
        now = holder.get(key, watched)
    elif isinstance(holder, list | tuple):
        now = holder[key] if key < len(holder) else watched
    else:
        now = getattr(holder, key)
    if now is value:
        return True
    return type(now) is type(value) and isinstance(now, PLAIN) and now == value


PLAIN = (int, float, str, tuple)


def alike(bound: tuple[str, Slot, np.ndarray]) -> bool:
    """Whether a slot holds the array it held, or one like it. Plumbing."""
    now = bound[1].get()
    return now is bound[2] or kind_of(now) == kind_of(bound[2])


def kind_of(array: Any) -> tuple:
    """What an array has to share with another one to take its place. Plumbing."""
    if not isinstance(array, np.ndarray | np.generic):
        return (type(array),)
    return array.shape, array.dtype, array.flags.c_contiguous
