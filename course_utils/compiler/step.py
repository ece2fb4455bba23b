"""A step of training as a plan: `compile_step`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from course_utils import tape
from course_utils.compiler.lines import CannotCompile, Line, Place, Program
from course_utils.compiler.replays import Replays, as_array
from course_utils.compiler.standins import StandIns, modules_of, parameters_of
from course_utils.compiler.symbols import Recorder, Symbol
from course_utils.compiler.watching import watching
from course_utils.tape import Node, _count


def compile_step(model: Callable, loss: Callable, optimizer: Any) -> CompiledStep:
    """Compile a step of training: `step(x, y)` does what `training.train_step` does.

    `step(x, y, rows)` does it for x[rows] and y[rows], which it gathers itself. It
    returns the loss before the step. Weights and the optimizer's state change in
    place; gradients live in the plan, and `.grad` stays as it was.

    The step is recorded when it is first called, with symbols in the place of numbers,
    and again for each new shape, and where something has changed that the plan was made
    for: an attribute of a module, what the loss reads from around it, which parameters
    learn, the outcome of an `if`. Not seen are changes in sets and in containers of
    one's own, an attribute that does not exist yet, a method that is replaced, and what
    is used before a line is recorded from lists of more than 64 things and arrays of
    more than 4,096 numbers. Small arrays around that change in place in each step are
    right, but each time the step is recorded again: give them in x or y.

    Raises CannotCompile, a TypeError, where a plan could not do the same: if numbers
    are printed or leave NumPy, or chance comes from elsewhere than a generator that is
    an attribute; FloatingPointError if the loss is not finite. An error names the step,
    and the operation or the module; parameters are then as before.
    Plumbing.
    """
    return CompiledStep(model, loss, optimizer)


class CompiledStep(Replays):
    """Runs steps of training as plans. Plumbing."""

    name = "step"

    def __init__(self, model: Callable, loss: Callable, optimizer: Any):
        super().__init__()
        check_parts(model, loss, optimizer)
        self.model, self.loss, self.optimizer = model, loss, optimizer

    def __call__(self, x: Any, y: Any, rows: Any = None) -> float:
        """Take one step; give the loss before it."""
        loss = self.run((as_array(x), as_array(y)), rows)
        for p in getattr(self.optimizer, "parameters", ()):
            moved(p)
        return loss

    def record(self, recorder: Recorder, *given: np.ndarray) -> Program:
        """Run the step on symbols; nothing outside is changed."""
        with ExitStack() as stack:
            stack.enter_context(np.errstate(all="ignore"))
            held = stack.enter_context(StandIns(recorder))
            self.hold(held)
            stack.enter_context(watching(recorder, self.around()))
            batch = list(map(recorder.input, given, ("x", "y")))
            result = self.played(recorder, *batch)
            changes = held.changes()
        inputs = [(symbol.line, None) for symbol in batch]
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

    def hold(self, held: StandIns) -> None:
        """Let symbols stand in for parameters, states and the optimizer's numbers."""
        functions = self.functions()
        for name, p in parameters_of(self.model, self.optimizer).items():
            held.parameter(p, name)
        for name, module in self.modules:
            held.attributes(module, name)
        held.attributes(self.optimizer, "optimizer", numbers=True)
        held.around(*functions)
        for name in ("model", "loss", "optimizer"):
            held.watched.append((self, name, getattr(self, name)))
        held.watched.append((vars(tape), "_recording", tape._recording))  # no_grad

    def functions(self) -> list[Any]:
        """What is run: the model and its modules, the loss and the optimizer."""
        return [self.model, self.loss, self.optimizer, *(m for _, m in self.modules)]

    def around(self) -> list[dict]:
        """The global names that these functions see."""
        forwards = [getattr(type(m), "forward", None) for _, m in self.modules]
        every = [self.model, self.loss, *forwards]
        return [f.__globals__ for f in every if hasattr(f, "__globals__")]

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
            raise FloatingPointError(f"the loss is {line.value}")
        total.backward()
        recorder.place = Place("step of the optimizer")
        self.optimizer.step()
        return line

    @property
    def modules(self) -> list[tuple[str, Any]]:
        """The modules of the model, with their names."""
        return modules_of(self.model)

    @modules.setter
    def modules(self, value: list) -> None:
        """They are those of the model, whatever is said."""


def check_parts(model: Any, loss: Any, optimizer: Any) -> None:
    """Raise TypeError for what cannot be the three parts of a step. Plumbing."""
    steps = callable(getattr(optimizer, "step", None))
    for use, part, fits in (
        ("model(x)", model, callable(model)),
        ("loss(output, y)", loss, callable(loss)),
        ("optimizer.step()", optimizer, steps and not isinstance(optimizer, type)),
    ):
        if not fits:
            kind = "the class " if isinstance(part, type) else ""
            name = part.__name__ if kind else type(part).__name__
            raise TypeError(
                f"compile_step(model, loss, optimizer): expected something to call as "
                f"{use}, found {kind}{name}"
            )


def moved(p: Any) -> None:
    """Forget the gradient of a parameter, and note that its data have changed.

    As `Parameter` does where data are set, and a step when it is done. Plumbing.
    """
    object.__setattr__(p, "grad", None)
    if hasattr(p, "changed"):
        object.__setattr__(p, "changed", next(_count))
