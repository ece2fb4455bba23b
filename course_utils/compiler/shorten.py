"""A shorter program with the same answers.

What is known before the step is computed once and for all; what is computed twice is
computed once; what nobody asks for is left out. No line is changed otherwise: a sum
keeps its order, and what is rounded stays rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np

from course_utils.compiler.calls import Call
from course_utils.compiler.lines import Line, Program
from course_utils.compiler.standins import Draw
from course_utils.compiler.turning import turned


def shortened(program: Program) -> Program:
    """The same program in fewer lines. Plumbing."""
    program = program.made_of(*turned(program.lines))
    short = program.made_of(*rewritten(program.lines))
    wanted = needed(short)
    short.lines = [line for line in short.lines if line in wanted]
    return short


def rewritten(lines: list[Line]) -> tuple[list[Line], Callable[[Line], Line]]:
    """Lines without those that are known, or there already; and what each became.

    Plumbing.
    """
    became: dict[Line, Line] = {}
    there: dict[Hashable, Line] = {}

    def new(line: Line) -> Line:
        return became.get(line, line)

    # One element a row is asked of an array, not of another array's axes.
    picked = {line.inputs[0] for line in lines if line.kind == "pick"}
    kept = []
    for line in lines:
        line.inputs = tuple(map(new, line.inputs))
        see_at_once(line)
        known = answer(line)
        if line in picked and known is not None and new(known).kind == "axes":
            known = None
        twin = there.setdefault(key_of(line) or id(line), line)
        if known is not None:
            became[line] = new(known)
        elif twin is not line:
            became[line] = twin
        else:
            kept.append(line)
    return kept, new


def answer(line: Line) -> Line | None:
    """A line that is known to hold the same numbers, or None.

    x⁰ is 1; a product with 1 is the other factor; a copy that nobody changes is the
    array itself; and what is computed from known numbers is known.
    Plumbing.
    """
    inputs = line.inputs
    if line.kind == "copy" or (line.shares and is_whole(line)):
        return inputs[0]
    if line.kind in ("map", "number", "axes") and inputs and line.shape == ():
        first_power = line.function is np.power and is_one(inputs[1], 0)
        if first_power or all(x.is_known for x in inputs):
            return Line("constant", value=line.value)
    factor = None
    if line.function in (np.multiply, np.true_divide) and is_one(inputs[1], 1):
        factor = inputs[0]
    elif line.function is np.multiply and is_one(inputs[0], 1):
        factor = inputs[1]
    alike = factor is not None and (factor.shape, factor.dtype) == (
        line.shape,
        line.dtype,
    )
    return factor if alike else None


def see_at_once(line: Line) -> None:
    """Let a view of a view look at what that one looks at, if it can. Plumbing."""
    inner = line.inputs[0] if line.shares else line
    if inner is not line and None not in (axes_seen(line), axes_seen(inner)):
        axes = [None if k is None else axes_seen(inner)[k] for k in axes_seen(line)]
        line.options = line.options | {"axes": tuple(axes)}
        line.inputs = inner.inputs
    elif line.function is inner.function is np.reshape and inner is not line:
        line.inputs = inner.inputs


def axes_seen(line: Line) -> tuple[int | None, ...] | None:
    """Which axis of its input each axis of a line is; None where it shows a part.

    Plumbing.
    """
    return line.options.get("axes") if line.kind == "axes" else None


def is_whole(line: Line) -> bool:
    """Whether a view shows all of its input as it is. Plumbing."""
    same = line.shape == line.inputs[0].shape
    plain = axes_seen(line) == tuple(range(len(line.shape)))
    return same and (plain or line.function is np.reshape)


def is_one(line: Line, number: float) -> bool:
    """Whether a line is this number, and known to be. Plumbing."""
    return line.is_known and line.shape == () and line.value == number


def key_of(line: Line) -> Hashable:
    """Equal for two lines that compute the same; None is equal to none. Plumbing."""
    inputs = tuple(constant_key(x) or id(x) for x in line.inputs)
    if line.kind == "call" and isinstance(line.function, Call):
        return line.function.key() and (line.function.key(), inputs)
    if line.kind in ("call", "input", "constant"):
        return id(line)
    options = tuple(sorted((name, str(x)) for name, x in line.options.items()))
    return line.kind, line.function, inputs, options


def constant_key(line: Line) -> Hashable:
    """Equal for two constants of one element that are equal. Plumbing."""
    if not line.is_known:
        return None
    return (
        line.shape,
        str(line.dtype),
        type(line.value),
        np.asarray(line.value).tobytes(),
    )


def needed(program: Program) -> set[Line]:
    """The lines that an answer depends on; a random number is drawn in any case.

    Plumbing.
    """
    drawn = [line for line in program.lines if is_draw(line)]
    found: set[Line] = set()
    waiting = [*program.outputs(), *drawn]
    while waiting:
        line = waiting.pop()
        if line not in found:
            found.add(line)
            waiting += line.inputs
    return found


def is_draw(line: Line) -> bool:
    """Whether a line asks a random generator. Plumbing."""
    return line.kind == "call" and isinstance(line.function.function, Draw)
