"""A plan that runs: arrays bound to names, loops compiled, the step as a function."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from course_utils.compiler.blame import same
from course_utils.compiler.buffers import block
from course_utils.compiler.jit import compiled, numba, plus
from course_utils.compiler.lines import CannotCompile, Line, Program
from course_utils.compiler.plan import Plan
from course_utils.compiler.rows import gather, outside
from course_utils.compiler.shorten import is_draw
from course_utils.compiler.source import Source


@cache
def function_of(text: str, formulas: tuple[FunctionType, ...]) -> FunctionType:
    """The function of a text; two loops of one text are compiled once. Plumbing."""
    space = {"np": np, "plus": plus} | {f.__name__: f for f in formulas}
    exec(compile(text, "<a loop of a plan>", "exec"), space)
    return next(reversed(space.values()))


class Runner:
    """Runs a plan again and again. Plumbing.

    - `seconds`: what making and compiling the plan took.
    """

    def __init__(self, program: Program, *given: np.ndarray):
        began = time.perf_counter()
        self.program, self.plan = program, Plan(program)
        self.source = Source(self.plan)
        self.space = dict(self.source.space)
        self.batch: list[np.ndarray] | None = None
        self.dtypes = [a.dtype for a in given]
        draws = [line.function.function for line in program.lines if is_draw(line)]
        self.drawn = [draw.slot for draw in draws]
        self.slots = {
            self.plan.names(line): slot
            for line, slot in program.inputs
            if slot is not None and not line.is_number
        }
        self.slots |= self.plan.lent
        self.stored = set(self.plan.schedule.stores.values())
        self.kinds = {name: kind_of(slot.get()) for name, slot in self.slots.items()}
        self.used = used_before(program)
        self.refuse()
        self.make_room()
        self.bind()
        lines = [line for line, slot in program.inputs if slot is None]
        self.compile(dict(zip(map(self.plan.names, lines), given, strict=True)))
        exec(compile(self.source.step, "<the step of a plan>", "exec"), self.space)
        self.step = self.space["step"]
        self.seconds = time.perf_counter() - began

    def refuse(self) -> None:
        """Raise CannotCompile if what is written cannot be, or is written elsewhere."""
        for slot in self.stored:
            if (
                isinstance(array := slot.get(), np.ndarray)
                and not array.flags.writeable
            ):
                raise CannotCompile(f"{slot.label} cannot be written: copy it first")
            for other in self.slots.values():
                if other is not slot and np.may_share_memory(array, other.get()):
                    raise CannotCompile(
                        f"{' and '.join(sorted([slot.label, other.label]))} share "
                        f"memory; give each an array of its own"
                    )

    # --- once -------------------------------------------------------------------------

    def make_room(self) -> None:
        """Lay all arrays of the plan into one block, and look at them."""
        plan = self.plan
        memory = block(plan.size)
        for line in [*plan.kept, *plan.program.lines]:
            name = plan.names.given.get(line)
            if name in plan.places:
                start, size = plan.places[name], plan.lives[name].size
                self.space[name] = plan.room(line, memory[start : start + size])
        exec("\n".join(self.source.once), self.space)

    def compile(self, given: dict[str, np.ndarray]) -> None:
        """Compile the loops for the kinds of arrays that they get."""
        known, names = self.space | given, self.plan.names
        for name, text, loop in self.source.loops:
            function = compiled(
                function_of(text, tuple(loop.formulas.values())), "numpy"
            )
            arrays = [known.get(names(x), np.asarray(x.value)) for x in loop.arrays]
            numbers = [known.get(names(x), x.value) for x in loop.numbers]
            try:
                function.compile(tuple(map(numba().typeof, [*arrays, *numbers])))
            except (numba().core.errors.NumbaError, NotImplementedError) as error:
                kinds = sorted({a.dtype.name for a in arrays})
                raise CannotCompile(
                    f"Numba cannot compile {name}, for arrays of {', '.join(kinds)}: "
                    f"it takes float32, float64, integers and booleans"
                ) from error
            self.space[name] = function

    def bind(self) -> None:
        """Let names mean the arrays that are there now; note what has to stay."""
        tests, space = [], {}
        for k, (name, slot) in enumerate(self.slots.items()):
            array = slot.get()
            if not isinstance(array, np.ndarray):  # a number of NumPy has no memory
                slot.set(array := np.array(array))
            self.space[name] = space[f"a{k}"] = array
            space[f"o{k}"] = slot.owner
            keys = "".join(f"[{key!r}]" for key in slot.keys)
            tests.append(f"o{k}.{slot.name}{keys} is a{k}")
            if slot in self.stored and slot.name == "data":
                tests.append(f"a{k}.flags.writeable")
        for k, (holder, key, _) in enumerate(self.program.watched):
            space[f"h{k}"], space[f"v{k}"] = holder, now(holder, key)
            known = isinstance(holder, dict | list | tuple)
            inner = f"h{k}[{key!r}]" if known else f"h{k}.{key}"
            tests.append(f"len(h{k}) == v{k}" if key is None else f"{inner} is v{k}")
        for k, (array, content) in enumerate(self.used):
            space[f"u{k}"], space[f"c{k}"] = array, content
            tests.append(f"u{k}.tobytes() == c{k}")
        test = " and ".join(tests) or "True"
        self.is_same: Callable[[], bool] = eval(f"lambda: {test}", space)

    # --- again and again --------------------------------------------------------------

    def fits(self) -> bool:
        """Whether everything that the plan was made for is as it was."""
        try:
            if self.is_same():
                return True
        except (AttributeError, LookupError, TypeError):
            pass
        if not all(map(unchanged, self.program.watched)):
            return False
        if any(array.tobytes() != content for array, content in self.used):
            return False
        slots = self.slots.items()
        if any(kind_of(slot.get()) != self.kinds[name] for name, slot in slots):
            return False
        self.refuse()
        self.bind()
        return True

    def misfit(self) -> str:
        """Name an attribute that is not as it was, or else a guard."""
        for watched in self.program.watched:
            if not unchanged(watched):
                return f"the attribute {watched[1]!r}"
        return "the outcome of an `if`"

    def __call__(self, *given: np.ndarray) -> float | None:
        """Run the step; None where a guard does not hold, and nothing has changed."""
        if self.drawn:
            return self.drawing(*given)
        loss = self.step(*given)
        if loss is not None and self.plan.schedule.left:
            self.leave()
        return loss

    def drawing(self, *given: np.ndarray) -> float | None:
        """The same with random numbers: what is drawn in vain has not been drawn."""
        generators = {id(rng := slot.get()): rng for slot in self.drawn}.values()
        before = [(rng, rng.bit_generator.state) for rng in generators]
        loss = None
        try:
            loss = self.step(*given)
        finally:
            if loss is None:
                for rng, state in before:
                    rng.bit_generator.state = state
        if loss is not None:
            self.leave()
        return loss

    def of_rows(self, given: tuple[np.ndarray, ...], rows: Any) -> float | None:
        """Run the step for some rows, which are gathered into a batch of its own."""
        rows, n = np.asarray(rows), len(given[0])
        if self.batch is None:
            shapes = [(len(rows), *a.shape[1:]) for a in given]
            self.batch = [
                np.empty(*pair) for pair in zip(shapes, self.dtypes, strict=True)
            ]
        if (wrong := compiled(outside)(rows, n)) >= 0:
            raise IndexError(f"there is no row {rows[wrong]} among {n}")
        for a, part in zip(given, self.batch, strict=True):
            flat, out = a.reshape(n, -1), part.reshape(len(part), -1)
            if out.size:
                compiled(gather, "numpy")(rows, flat, out)
        return self(*self.batch)

    def leave(self) -> None:
        """Leave behind what is no number and no array that was there before."""
        for k, (slot, new) in enumerate(self.plan.schedule.left):
            if isinstance(new, Line) and not new.is_number:
                value = np.array(self.space["left"].pop(k))
                slot.set(slot.kind(value) if slot.kind else value)
            elif not isinstance(new, Line):
                slot.set(new)


def used_before(program: Program) -> list[tuple[np.ndarray, bytes]]:
    """Small arrays around that no line reads, with what they held.

    In 2 * y with y from around, NumPy computes before anything is recorded, and what is
    recorded is its result. Where a line reads y itself, it finds what is there then.
    Plumbing.
    """
    lines = {x for line in program.lines for x in line.inputs if x.kind == "constant"}
    read = [x.value for x in lines if isinstance(x.value, np.ndarray)]
    around = [x for *_, x in program.watched if isinstance(x, np.ndarray)]
    return [
        (array, array.tobytes())
        for array in around
        if array.size <= COMPARED_SIZE
        and not any(np.may_share_memory(array, x) for x in read)
    ]


COMPARED_SIZE = 4096  # numbers of an array that is compared in each step
COMPARED = (int, float, str, tuple)


def now(holder: Any, key: Any) -> Any:
    """What a dict, a list or an object has there; its length for None. Plumbing."""
    if key is None:
        return len(holder)
    if isinstance(holder, dict):
        return holder.get(key)
    if isinstance(holder, list | tuple):
        return holder[key] if key < len(holder) else None
    return getattr(holder, key, None)


def unchanged(watched: tuple[Any, Any, Any]) -> bool:
    """Whether an attribute is what it was. Plumbing."""
    holder, key, value = watched
    found = now(holder, key)
    return found is value or (isinstance(found, COMPARED) and same(found, value))


def kind_of(array: Any) -> tuple:
    """What an array has to share with another one to take its place. Plumbing."""
    if not isinstance(array, np.ndarray | np.generic):
        return (type(array),)
    flags = array.flags
    return array.shape, array.dtype, flags.c_contiguous, flags.writeable
