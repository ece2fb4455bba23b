"""A plan that runs: arrays bound to names, loops compiled, the step as a function."""

from __future__ import annotations

import keyword
import time
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from course_utils.compiler.around import LENGTH, MISSING
from course_utils.compiler.blame import same, same_programs
from course_utils.compiler.buffers import block
from course_utils.compiler.jit import compiled, numba, plus
from course_utils.compiler.lines import CannotCompile, Line, Program
from course_utils.compiler.plan import Plan
from course_utils.compiler.rows import gather, outside
from course_utils.compiler.shorten import is_draw
from course_utils.compiler.source import Source
from course_utils.tape import Node


@cache
def function_of(text: str, formulas: tuple[FunctionType, ...]) -> FunctionType:
    """The function of a text; two loops of one text are compiled once. Plumbing."""
    space = {"np": np, "plus": plus} | {f.__name__: f for f in formulas}
    exec(compile(text, "<a loop of a plan>", "exec"), space)
    return next(reversed(space.values()))


class Runner:
    """Runs a plan again and again. Plumbing.

    - `seconds`: what making and compiling the plan took.
    - `used`: small arrays around, which NumPy may have computed with; their content.
    - `twin`: the program as it was recorded, to be compared where these have changed.
    """

    def __init__(
        self, program: Program, *given: np.ndarray, twin: Program | None = None
    ):
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
        self.twin = without_values(twin) if twin and self.used else None
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
        tests, space = [], {"now": now}
        for k, (name, slot) in enumerate(self.slots.items()):
            array = slot.get()
            if not isinstance(array, np.ndarray):  # a number of NumPy has no memory
                slot.set(array := np.array(array))
            self.space[name] = space[f"a{k}"] = array
            space[f"o{k}"] = slot.owner
            found = attribute(f"o{k}", slot.name)
            for i, key in enumerate(slot.keys):
                space[f"k{k}_{i}"] = key
                found += f"[k{k}_{i}]"
            tests.append(f"{found} is a{k}")
            if slot in self.stored and slot.name == "data":
                tests.append(f"a{k}.flags.writeable")
        for k, (holder, key, _) in enumerate(self.program.watched):
            space[f"h{k}"], space[f"v{k}"] = holder, now(holder, key)
            space[f"q{k}"] = key  # it may be anything, as a class or a nan
            tests.append(test_of(k, holder, key, space[f"v{k}"]))
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
        if self.is_stale() or not self.fits_but_for_content():
            return False
        self.refuse()
        self.bind()
        return True

    def is_stale(self) -> bool:
        """Whether an array around has been changed in place."""
        return any(array.tobytes() != content for array, content in self.used)

    def fits_but_for_content(self) -> bool:
        """Whether all is as it was, whatever arrays around may hold."""
        if not all(map(unchanged, self.program.watched)):
            return False
        slots = self.slots.items()
        return all(kind_of(slot.get()) == self.kinds[name] for name, slot in slots)

    def renewed(self, program: Program) -> bool:
        """Whether the plan fits after all: a new recording is the one it was made of.

        So it is where an array around was changed in place, and only lines read it.
        """
        arrays = [array for array, _ in self.used]
        if self.twin is None or not self.fits_but_for_content():
            return False
        if not same_programs(self.twin, program, arrays):
            return False
        self.used = [(array, array.tobytes()) for array in arrays]
        self.refuse()
        self.bind()
        return True

    def misfit(self) -> str:
        """Name an attribute that is not as it was, or else a guard."""
        for watched in self.program.watched:
            if not unchanged(watched):
                if watched[1] is LENGTH:
                    return f"the length of a {type(watched[0]).__name__}"
                return f"the attribute {watched[1]!r}"
        if self.is_stale():
            return "an array around, which NumPy computes with"
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
    """Small arrays around, with what they hold.

    In 2 * y with y from around, NumPy computes before anything is recorded, and what is
    recorded is its result. Where a line reads y itself, it finds what is there then;
    but NumPy may have read it, too. (A tensor's data are for operations of the tape.)
    Plumbing.
    """
    lines = {x for line in program.lines for x in line.inputs if x.kind == "constant"}
    read = [x.value for x in lines if isinstance(x.value, np.ndarray)]
    found = {}
    for holder, _, x in program.watched:
        if isinstance(x, np.ndarray) and x.size <= COMPARED_SIZE:
            tensor = isinstance(holder, Node)
            if not tensor or not any(np.may_share_memory(x, a) for a in read):
                found[id(x)] = x
    return [(array, array.tobytes()) for array in found.values()]


def without_values(program: Program) -> Program:
    """The program, without the numbers that its lines had when it was recorded.

    Plumbing.
    """
    for line in program.lines:
        if line.kind != "constant":
            line.value = None
    return program


COMPARED_SIZE = 4096  # numbers of an array that is compared in each step
COMPARED = (int, float, str, tuple)


def attribute(owner: str, name: str) -> str:
    """The source that asks for an attribute, whatever its name is. Plumbing."""
    usual = name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
    return f"{owner}.{name}" if usual else f"getattr({owner}, {name!r})"


def test_of(k: int, holder: Any, key: Any, value: Any) -> str:
    """The source that asks whether watched thing k is what it was. Plumbing."""
    if key is LENGTH:
        return f"len(h{k}) == v{k}"
    if value is MISSING:  # to ask for it would raise an error
        return f"now(h{k}, q{k}) is v{k}"
    if type(holder) in (dict, list, tuple):
        return f"h{k}[q{k}] is v{k}"
    if isinstance(holder, dict | list | tuple):
        return f"now(h{k}, q{k}) is v{k}"  # to ask a defaultdict would put it there
    return f"{attribute(f'h{k}', key)} is v{k}"


def now(holder: Any, key: Any) -> Any:
    """What a dict, a list or an object has there; its length for LENGTH. Plumbing."""
    if key is LENGTH:
        return len(holder)
    if isinstance(holder, dict):
        return holder.get(key, MISSING)
    if isinstance(holder, list | tuple):
        return holder[key] if key < len(holder) else MISSING
    return getattr(holder, key, MISSING)


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
