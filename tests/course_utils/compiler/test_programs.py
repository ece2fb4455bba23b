"""Random programs of arrays, compiled: what the interpreter computes, a plan does.

The programs are those of `tests/course_utils/test_programs.py`, where the tape equals
torch on them.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, assume, find, given, note, settings

from course_utils.compiler import buffers, compile_step, nests, plan, shorten
from course_utils.tensor import Tensor
from tests.course_utils.compiler.plain import plain_loops
from tests.course_utils.test_programs import (
    MANY,
    SINGLE,
    Close,
    Program,
    array_programs,
    run,
)

# Numba keeps what it has compiled: 300 programs need 1.5 GB, and the 10,000 of
# `make fuzz` would need all that there is. So each 500 are a test, and have a process.
PARTS = max(1, MANY.max_examples // 500)
SHARE = settings(MANY, max_examples=MANY.max_examples // PARTS)
KINKS = {"relu", "max", "min", "maximum", "minimum", "abs", "clip", "where"}


class Keep:
    """An optimizer that keeps gradients, and changes nothing."""

    def __init__(self, parameters: list[Tensor]):
        self.parameters = parameters
        self.grads = [np.full_like(p.data, np.nan) for p in parameters]

    def step(self) -> None:
        """Copy the gradients."""
        for p, grad in zip(self.parameters, self.grads, strict=True):
            grad[...] = p.grad


def body(program: Program) -> str:
    """The lines of our side, but for the leaves that learn and the way back."""
    learnt = [f"x{i} = " for i in program.learnt()]
    lines = program.block(torchs=False).splitlines()[:-1]
    return "\n".join(x for x in lines if not x.startswith(tuple(learnt)))


def compare(program: Program) -> None:
    """Loss and gradients of a plan are those of the interpreter, twice."""
    names, scale = run(program)
    # A formula may compute more exactly than the tape: on a kink that decides.
    assume(program.rtol() != SINGLE or not KINKS & {x.name for x in program.lines})
    leaves = [names[f"x{i}"] for i in program.learnt()]
    code = compile(body(program), "<program>", "exec")

    def loss_of(x: Any) -> Tensor:
        exec(code, names)
        return names["x_loss"]

    keep = Keep(leaves)
    step = compile_step(loss_of, lambda loss, y: loss, keep)
    for shift in (0.0, 0.0625):
        for leaf in leaves:
            leaf.data += shift
        if not still_fine(loss_of):
            return
        found = step(np.zeros(1), np.zeros(1))
        loss = loss_of(None)
        loss.backward()
        size = float(max(scale, abs(loss.item()), *map(largest, leaves)))
        close = Close(program.rtol(), size)
        assert found == pytest.approx(
            loss.item(), rel=close.rtol, abs=close.rtol * size
        )
        for leaf, grad in zip(leaves, keep.grads, strict=True):
            close(grad, leaf.grad, "a gradient")


def largest(x: Tensor) -> float:
    """The largest absolute value of a gradient."""
    return np.abs(x.grad).max(initial=0)


def still_fine(loss_of) -> bool:
    """Whether a program is defined, and not steep, where its leaves are now."""
    with np.errstate(all="ignore"):
        try:
            loss = loss_of(None)
        except ValueError:
            return False
        loss.backward()
    return bool(np.isfinite(loss.data)) and abs(loss.item()) < 1e6


def share_of_programs() -> None:
    """Compare as many compiled programs as one process can hold."""

    @given(array_programs)
    @SHARE
    def equal_the_tape(program: Program) -> None:
        note(program.text())
        compare(program)

    equal_the_tape()


@pytest.mark.parametrize("part", range(PARTS))
def test_compiled_programs_of_arrays_equal_the_tape(part):
    if PARTS == 1:
        return share_of_programs()
    # The settings of Hypothesis come first: the programs are counted by them.
    how = {"initializer": import_module, "initargs": ("tests.conftest",)}
    with ProcessPoolExecutor(1, get_context("spawn"), **how) as process:
        process.submit(share_of_programs).result()


@given(array_programs)
@MANY
def test_plans_of_programs_equal_the_tape(program):
    """The same, with loops that Python runs: the compiler's part alone is left out."""
    note(program.text())
    with plain_loops():
        compare(program)


# --- the test itself ------------------------------------------------------------------


def agrees(program: Program) -> bool:
    """Whether a plan agrees with the interpreter."""
    try:
        with plain_loops():
            compare(program)
    except (
        AssertionError,
        ArithmeticError,
        LookupError,
        NameError,
        TypeError,
        ValueError,
    ):
        return False
    return True


def wrong_key(line):
    """A key that takes no notice of options: two sums over other axes are one."""
    return line.kind, str(line.function), tuple(map(id, line.inputs))


PLANTED = {
    "sums over other axes are one": (shorten, "key_of", wrong_key),
    "any constant is 1": (shorten, "is_one", lambda x, n: x.is_known and not x.shape),
    "nobody meets": (buffers.Life, "meets", lambda self, other: False),
    "who reads the old value is not asked": (
        *(plan.Plan, "can_follow"),
        lambda self, line, old, nest, time: (
            old in self.times
            and self.has_array(old)
            and (old.shape, old.dtype) == (line.shape, line.dtype)
        ),
    ),
    "no value is kept for a second pass": (
        *(nests.Nest, "time_of"),
        lambda self, uses: 0,
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found(name, monkeypatch):
    monkeypatch.setattr(*PLANTED[name])
    how = settings(max_examples=2000, database=None, phases=[Phase.generate])
    assert find(array_programs, lambda program: not agrees(program), settings=how)
