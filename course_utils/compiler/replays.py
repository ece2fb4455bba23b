"""Plans for whatever comes: made when they are needed, run when they fit."""

from __future__ import annotations

from threading import RLock
from typing import Any

import numpy as np

from course_utils.compiler.blame import blamed, differing, first_not_finite
from course_utils.compiler.lines import CannotCompile, Program
from course_utils.compiler.running import Runner
from course_utils.compiler.shorten import shortened
from course_utils.compiler.source import placed_error
from course_utils.compiler.symbols import Recorder

MOST = 8  # plans for arrays of one kind
RECORDING = RLock()  # while a step is recorded, the functions of all are watched


class Replays:
    """Records a computation when it has to, and runs plans else. Plumbing.

    An heir says in `record` how it is recorded.
    - `plans`: those made so far, by shapes and dtypes of what is given.
    - `count`: how often it was run; `latest`: the plan that ran last.
    - `modules`: those whose names are told in errors.

    A plan has one block of memory: threads that share it wait for each other. A copy,
    and what comes back from a file, makes plans of its own.
    """

    name = "call"

    def __init__(self) -> None:
        self.plans: dict[tuple, list[Runner]] = {}
        self.count, self.latest = 0, None
        self.modules: list[tuple[str, Any]] = []
        self.lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "plans": {}, "latest": None, "lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, plans={}, lock=RLock())

    def record(self, recorder: Recorder, *given: np.ndarray) -> Program:
        """Run the computation on symbols for what is given."""
        raise NotImplementedError

    @property
    def plan(self) -> Any:
        """The plan that ran last: its parts, and where values lie."""
        if self.latest is None:
            raise ValueError(f"there is no plan before the first {self.name}")
        return self.latest.plan

    @property
    def source(self) -> str:
        """The source of the plan that ran last."""
        return str(self.plan and self.latest.source)

    @property
    def seconds(self) -> float:
        """What making and compiling the plans took, all together."""
        return sum(plan.seconds for plans in self.plans.values() for plan in plans)

    def run(self, given: tuple[np.ndarray, ...], rows: Any = None) -> float:
        """Run a plan that fits, or make one."""
        if rows is not None:
            rows = self.numbers_of(rows, given)
        with self.lock:
            return self.run_alone(given, rows)

    def numbers_of(self, rows: Any, given: tuple[np.ndarray, ...]) -> np.ndarray:
        """Rows as an array (N,) of whole numbers; arrays have to have as many each."""
        rows = np.asarray(rows)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise TypeError(
                f"{self.here}: expected rows as whole numbers (N,), found "
                f"{rows.dtype.name} {rows.shape}. A mask becomes numbers by "
                f"np.flatnonzero(mask), a slice by np.arange"
            )
        lengths = [a.shape[:1] for a in given]
        if lengths[1:] != lengths[:-1] or () in lengths:
            raise ValueError(
                f"{self.here}: rows are taken from x and y, which need one row for "
                f"each example; found {' and '.join(str(a.shape) for a in given)}"
            )
        return rows

    def run_alone(self, given: tuple[np.ndarray, ...], rows: Any) -> float:
        """The same, while no other thread does."""
        shapes = [a.shape if rows is None else (len(rows), *a.shape[1:]) for a in given]
        kind = (*shapes, *(a.dtype for a in given))
        plans = self.plans.setdefault(kind, [])
        for k, plan in enumerate(plans):
            value = self.tried(plan, given, rows)
            if value is not None:
                plans.insert(0, plans.pop(k))
                return self.done(plan, value)
        if rows is not None:
            given = tuple(a[rows] for a in given)
        plans.insert(0, self.made(plans, given))
        value = plans[0](*given)
        if value is None:
            raise CannotCompile(f"{self.here}: a guard fails where it was recorded")
        return self.done(plans[0], value)

    def done(self, plan: Runner, value: float) -> float:
        """Count a run that came to its end."""
        self.count, self.latest = self.count + 1, plan
        return value

    def tried(self, plan: Runner, given: tuple[np.ndarray, ...], rows: Any):
        """The value, if a plan fits and its guards hold, else None."""
        if not plan.fits():
            return None
        try:
            return plan(*given) if rows is None else plan.of_rows(given, rows)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise placed_error(error, self.here) from error

    def made(self, plans: list[Runner], given: tuple[np.ndarray, ...]) -> Runner:
        """Record twice, compare, and make a plan; or find that an old one fits."""
        stale = [plan for plan in plans if plan.is_stale()]
        with RECORDING:
            program = self.recorded(given) if stale else None
        for plan in stale:
            if plan.renewed(program):
                plans.remove(plan)
                return plan
        if len(plans) == MOST:
            raise CannotCompile(
                f"{self.here}: {MOST} plans were made for arrays of these shapes, and "
                f"none fits. What changes all the time is {plans[0].misfit()}"
            )
        with RECORDING:
            program, twin = program or self.recorded(given), self.recorded(given)
        if (place := differing(program, twin)) is not None:
            raise CannotCompile(
                f"{self.here}: the operation {place} has other constants each time it "
                f"is recorded: chance, or a counter. Let random numbers come from a "
                f"generator that is an attribute of the module, as in self.rng"
            )
        return Runner(shortened(program), *given, twin=twin)

    def recorded(self, given: tuple[np.ndarray, ...]) -> Program:
        """Record once; an error says in which step, and in which module."""
        recorder = Recorder({id(m): name or "the model" for name, m in self.modules})
        try:
            return self.record(recorder, *given)
        except CannotCompile as error:
            where = blamed(error, self.modules)
            raise CannotCompile(f"{self.here}: {where}{error}") from error
        except Exception as error:
            place = first_not_finite(recorder)
            if place and isinstance(error, ArithmeticError | ValueError):
                raise FloatingPointError(f"{self.here}: {error}. {place}") from error
            module = recorder.failed.module
            where = f"{self.here}, {module}" if module else self.here
            raise placed_error(error, where) from error

    @property
    def here(self) -> str:
        """What is at work, for an error."""
        return f"{self.name} {self.count + 1}"


def as_array(x: Any) -> np.ndarray:
    """An array, that of a tensor, or a sequence as one. Plumbing."""
    return np.asarray(getattr(x, "data", x) if hasattr(x, "requires_grad") else x)
