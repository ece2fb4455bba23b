"""A loss that is recorded once, and replayed for other numbers: `compile_loss`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from course_utils.compiler.lines import CannotCompile, Program
from course_utils.compiler.replays import Replays, as_array
from course_utils.compiler.standins import StandIns
from course_utils.compiler.symbols import Recorder, Symbol
from course_utils.compiler.watching import watching
from course_utils.tape import Node


def compile_loss(f: Callable) -> CompiledLoss:
    """Compile a function of arrays that gives one number, such as a loss.

    `gradcheck(compile_loss(f), inputs, grads)` records f once and replays it for every
    nudge. f gets arrays and gives a number or a tensor of one element; it is recorded
    anew for other shapes, and where the outcome of an `if` is another one.
    Raises CannotCompile where a replay could not do the same: see `compile_step`.
    Plumbing.
    """
    return CompiledLoss(f)


class CompiledLoss(Replays):
    """Replays a function of arrays. Plumbing."""

    def __init__(self, f: Callable):
        super().__init__()
        update_wrapper(self, f)  # gradcheck takes the names of f's inputs from it
        self.f = f

    def __call__(self, *arrays: Any) -> float:
        """The value of f for these arrays."""
        return self.run(tuple(map(as_array, arrays)))

    def record(self, recorder: Recorder, *given: np.ndarray) -> Program:
        """Run f on symbols."""
        held = StandIns(recorder)
        held.around(self.f)
        around = getattr(self.f, "__globals__", {})
        with np.errstate(all="ignore"), watching(recorder, [around]):
            symbols = list(map(recorder.input, given, self.names(len(given))))
            out = self.f(*symbols)
        out = out.data if isinstance(out, Node) else out
        if not isinstance(out, Symbol) or np.size(out.line.value) != 1:
            shape = (
                f"shape {out.shape}" if isinstance(out, Symbol) else type(out).__name__
            )
            raise CannotCompile(
                f"f has to give one number computed from its inputs; found {shape}"
            )
        inputs = [(symbol.line, None) for symbol in symbols]
        lines, guards = recorder.lines, recorder.guards
        return Program(lines, inputs, out.line, [], guards, held.watched)

    def names(self, count: int) -> list[str]:
        """Names for the inputs: those that f gives them."""
        names = list(inspect.signature(self.f).parameters)
        return names if len(names) == count else [f"x{k}" for k in range(count)]
