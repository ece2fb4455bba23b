"""Record one step: run it once on symbols, and read off what it would have done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from course_utils.compiler.lines import CannotCompile, Line, Place, Program
from course_utils.compiler.standins import StandIns, modules_of, parameters_of
from course_utils.compiler.symbols import Recorder, Symbol
from course_utils.compiler.watching import watching
from course_utils.tape import Node


class Step:
    """A step of training that can be recorded. Plumbing."""

    def __init__(self, model: Callable, loss: Callable, optimizer: Any):
        self.model, self.loss, self.optimizer = model, loss, optimizer

    def recorded(self, recorder: Recorder, x: np.ndarray, y: np.ndarray) -> Program:
        """Run the step on symbols for x and y; nothing outside is changed."""
        modules = list(modules_of(self.model))
        recorder.names = {id(module): name or "the model" for name, module in modules}
        with ExitStack() as stack:
            stack.enter_context(np.errstate(all="ignore"))
            held = stack.enter_context(StandIns(recorder))
            for name, p in parameters_of(self.model, self.optimizer).items():
                held.parameter(p, name)
            for name, module in modules:
                held.attributes(module, name)
            held.attributes(self.optimizer, "optimizer", numbers=True)
            forwards = [getattr(type(m), "forward", None) for _, m in modules]
            for function in (self.model, self.loss, *forwards):
                held.names_in(function)
            stack.enter_context(watching(recorder))
            batch = recorder.input(x, "x"), recorder.input(y, "y")
            inputs = [(symbol.line, None) for symbol in batch]
            result = self.played(recorder, *batch)
            changes = held.changes()
        inputs += [(line, slot) for slot, line in held.lines.items()]
        return Program(
            recorder.lines,
            inputs,
            result,
            changes,
            recorder.guards,
            held.watched,
            recorder.scratch,
        )

    def played(self, recorder: Recorder, x: Symbol, y: Symbol) -> Line:
        """Loss, way back, step of the optimizer; gives the line of the loss."""
        total = self.loss(self.model(x), y)
        if not isinstance(total, Node) or not isinstance(total.data, Symbol):
            raise CannotCompile(
                f"loss(model(x), y) has to be a Tensor computed from x and the "
                f"parameters; found {type(total).__name__}"
            )
        line = total.data.line
        recorder.place = line.place
        if not np.isfinite(total.data):  # becomes a guard
            raise FloatingPointError(f"the loss is {total.data.line.value}")
        total.backward()
        recorder.place = Place("step of the optimizer")
        self.optimizer.step()
        return line
