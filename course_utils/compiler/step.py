"""A compiled step of training: recorded when it is first run, then run as a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.compiler.blame import blamed, differing, first_not_finite
from course_utils.compiler.lines import CannotCompile, Program
from course_utils.compiler.recording import Step
from course_utils.compiler.running import Runner
from course_utils.compiler.shorten import shortened
from course_utils.compiler.source import placed_error
from course_utils.compiler.symbols import Recorder
from course_utils.tape import Node

MOST = 8  # plans for batches of one shape


def compile_step(model: Callable, loss: Callable, optimizer: Any) -> CompiledStep:
    """Compile a step of training: `step(x, y)` does what `training.train_step` does.

    `step(x, y, rows)` does it for x[rows] and y[rows], which it gathers itself. It
    returns the loss before the step. Weights and the optimizer's state change in
    place; gradients live in the plan, and `.grad` is None afterwards.

    The step is recorded when it is first called, with symbols in the place of numbers,
    and again for each new shape, and where something has changed that the plan was made
    for: an attribute of a module, the outcome of an `if`.

    Raises CannotCompile, a TypeError, where a plan could not do the same: if numbers
    are printed or leave NumPy, or chance comes from elsewhere than a generator that is
    an attribute; FloatingPointError if the loss is not finite. An error names the step,
    the operation and the module; parameters are then as before.
    Taught in: 12_compiled_tape.
    """
    return CompiledStep(model, loss, optimizer)


class CompiledStep:
    """Runs steps of training as plans. Plumbing.

    - `plans`: those made so far, by shapes and dtypes of the batch.
    - `count`: the steps so far; `seconds`: what recording and compiling took.
    """

    def __init__(self, model: Callable, loss: Callable, optimizer: Any):
        self.step = Step(model, loss, optimizer)
        self.plans: dict[tuple, list[Runner]] = {}
        self.count, self.latest = 0, None

    @property
    def source(self) -> str:
        """The source of the plan that ran last."""
        if self.latest is None:
            raise ValueError("there is no source before the first step")
        return str(self.latest.source)

    @property
    def seconds(self) -> float:
        """What recording and compiling took, all plans together."""
        return sum(plan.seconds for plans in self.plans.values() for plan in plans)

    def __call__(self, x: Any, y: Any, rows: Any = None) -> float:
        """Take one step; the loss before it."""
        x, y = as_array(x), as_array(y)
        n = x.shape[0] if rows is None else len(rows)
        kind = (n, x.shape[1:], x.dtype, y.shape[1:], y.dtype)
        plans = self.plans.setdefault(kind, [])
        for k, plan in enumerate(plans):
            loss = self.tried(plan, x, y, rows)
            if loss is not None:
                plans.insert(0, plans.pop(k))
                return self.done(plan, loss)
        if rows is not None:
            x, y = x[rows], y[rows]
        plan = self.made(plans, x, y)
        loss = plan(x, y)
        if loss is None:
            raise CannotCompile(f"{self.name}: a guard fails where it was recorded")
        return self.done(plan, loss)

    def done(self, plan: Runner, loss: float) -> float:
        """Count a step that was taken."""
        self.count, self.latest = self.count + 1, plan
        return loss

    def tried(self, plan: Runner, x: np.ndarray, y: np.ndarray, rows: Any):
        """The loss, if a plan fits and its guards hold, else None."""
        if not plan.fits():
            return None
        try:
            return plan(x, y) if rows is None else plan.of_rows(x, y, rows)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise placed_error(error, self.name) from error

    def made(self, plans: list[Runner], x: np.ndarray, y: np.ndarray) -> Runner:
        """Record the step, twice, and make a plan of it."""
        if len(plans) == MOST:
            raise CannotCompile(
                f"{self.name}: {MOST} plans were made for batches of this shape, and "
                f"none fits. What changes all the time is {plans[0].misfit()}"
            )
        program, twin = self.recorded(x, y), self.recorded(x, y)
        if (place := differing(program, twin)) is not None:
            raise CannotCompile(
                f"{self.name}: the operation {place} has other constants each time it "
                f"is recorded: chance, or a counter. Let random numbers come from a "
                f"generator that is an attribute of the module, as in self.rng"
            )
        plans.insert(0, Runner(shortened(program), x, y))
        return plans[0]

    def recorded(self, x: np.ndarray, y: np.ndarray) -> Program:
        """Record the step; an error names step, operation and module."""
        recorder = Recorder()
        try:
            return self.step.recorded(recorder, x, y)
        except (ArithmeticError, ValueError) as error:
            place = first_not_finite(recorder)
            if place is None:
                module = recorder.failed.module
                where = f"{self.name}, {module}" if module else self.name
                raise placed_error(error, where) from error
            raise FloatingPointError(f"{self.name}: {error}. {place}") from error
        except CannotCompile as error:
            where = blamed(error, self.step.model)
            raise CannotCompile(f"{self.name}: {where}{error}") from error

    @property
    def name(self) -> str:
        """The step at work, for an error."""
        return f"step {self.count + 1}"


def as_array(x: Any) -> np.ndarray:
    """An array, that of a tensor, or a sequence as one. Plumbing."""
    return np.asarray(x.data if isinstance(x, Node) else x)
