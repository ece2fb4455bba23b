"""Who is to blame: the line, the operation or the module that an error comes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_utils.compiler.calls import Call
from course_utils.compiler.lines import Line, Place, Program
from course_utils.compiler.symbols import Recorder


def first_not_finite(recorder: Recorder) -> str | None:
    """Say where the first number that is not finite comes from, or None.

    An infinity that comes from outside may be meant, as in a mask; NaN is not.
    Plumbing.
    """
    given: set[Line] = set()
    read = {x for line in recorder.lines for x in line.inputs}  # no spare buffers
    for line in recorder.lines:
        if line.kind == "input" and line not in read:
            continue
        if (
            line.dtype is None
            or line.dtype.kind != "f"
            or np.isfinite(line.value).all()
        ):
            continue
        inputs = [x for x in line.inputs if x.kind != "constant" and x not in given]
        meant = line.kind == "input" and not np.isnan(line.value).any()
        if meant or not all(finite(x) for x in inputs):
            given |= {line} if meant else set()
            continue
        place = line.options["label"] if line.kind == "input" else line.place
        return f"The first value that is not finite is that of {place}"
    return None


def finite(line: Line) -> bool:
    """Whether a line holds finite numbers, if it holds any. Plumbing."""
    return line.dtype is None or line.dtype.kind != "f" or np.isfinite(line.value).all()


def differing(program: Program, twin: Program) -> Place | None:
    """Where two recordings of one step differ, or None. Plumbing."""
    numbers = {line: k for k, line in enumerate(program.lines)}
    numbers |= {line: k for k, line in enumerate(twin.lines)}
    for line, other in zip(program.lines, twin.lines, strict=False):
        pairs = zip(line.inputs, other.inputs, strict=False)
        alike = same_call(line, other) and len(line.inputs) == len(other.inputs)
        if not alike or not all(same_input(x, y, numbers) for x, y in pairs):
            return line.place
    if len(program.lines) != len(twin.lines):
        return program.lines[-1].place
    return None


def same_programs(old: Program, new: Program, arrays: list[np.ndarray]) -> bool:
    """Whether two recordings are one, and read some arrays at the same places.

    Plumbing.
    """
    answers = [[answer for _, answer in x.guards] for x in (old, new)]
    slots = [[slot for slot, _ in x.changes] for x in (old, new)]
    if differing(old, new) or answers[0] != answers[1] or slots[0] != slots[1]:
        return False
    numbers = {line: k for p in (old, new) for k, line in enumerate(p.lines)}
    left = [
        (x, y)
        for (_, x), (_, y) in zip(old.changes, new.changes, strict=True)
        if not isinstance(x, Line) or not isinstance(y, Line)
    ]
    pairs = list(zip(old.outputs(), new.outputs(), strict=False))
    if not all(same(x, y) for x, y in left) or not all(
        same_input(x, y, numbers) for x, y in pairs
    ):
        return False
    pairs += [
        pair
        for a, b in zip(old.lines, new.lines, strict=True)
        for pair in zip(a.inputs, b.inputs, strict=True)
    ]
    both = [(x.value, y.value) for x, y in pairs if x.kind == y.kind == "constant"]
    return all(
        x.__array_interface__ == y.__array_interface__
        for x, y in both
        if isinstance(x, np.ndarray)
        and any(np.may_share_memory(z, a) for a in arrays for z in (x, y))
    )


def same_call(line: Line, other: Line) -> bool:
    """Whether two lines do the same to their inputs. Plumbing."""
    if (line.kind, line.shape, line.dtype) != (other.kind, other.shape, other.dtype):
        return False
    if isinstance(line.function, Call):
        return same(line.function.tree(), other.function.tree())
    if line.kind == "constant":
        return same(line.value, other.value)
    return same_or_equal(line.function, other.function) and same(
        line.options, other.options
    )


def same_input(x: Line, y: Line, numbers: dict[Line, int]) -> bool:
    """Whether two inputs are the same line, or equal constants. Plumbing."""
    if x in numbers or y in numbers:
        return numbers.get(x) == numbers.get(y)
    return same(x.value, y.value)


def same(a: Any, b: Any) -> bool:
    """Whether two trees of arrays and numbers are equal, NaN included. Plumbing."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray | np.generic | float):
        return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")
    return same_or_equal(a, b)


def same_or_equal(a: Any, b: Any) -> bool:
    """Whether two objects are one, equal, or functions of one code. Plumbing."""
    code = getattr(a, "__code__", a)
    return a is b or code is getattr(b, "__code__", b) or a == b


def blamed(error: Exception, modules: list[tuple[str, Any]]) -> str:
    """The innermost module at work when an error arose, as `layers.1: `. Plumbing."""
    names = {id(module): name for name, module in modules}
    found, trace = "", error.__traceback__
    while trace is not None:
        own = trace.tb_frame.f_locals.get("self")
        if id(own) in names:
            found = f"{names[id(own)] or 'the model'} ({type(own).__name__}): "
        trace = trace.tb_next
    return found
