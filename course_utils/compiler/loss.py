"""A loss that is recorded once, and replayed for other numbers: `compile_loss`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

import numpy as np

from course_utils.compiler.held import WORTH, Held, Rest
from course_utils.compiler.lines import CannotCompile, Program
from course_utils.compiler.replays import Replays, as_array
from course_utils.compiler.running import Runner
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
    """Replays a function of arrays. Plumbing.

    - `rests`: for each plan, what depends on one input alone, by its number.
    """

    def __init__(self, f: Callable):
        super().__init__()
        update_wrapper(self, f)  # gradcheck takes the names of f's inputs from it
        self.f = f
        self.rests: dict[Runner, dict[int, Rest | None]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "rests": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "rests": {}})

    def __call__(self, *arrays: Any) -> float:
        """The value of f for these arrays."""
        return self.run(tuple(map(as_array, arrays)))

    def but_for(self, k: int, *arrays: np.ndarray) -> Callable[[], float]:
        """The value of f while nothing but array k changes, in place.

        What the others give is computed once, and then only what depends on array k;
        all else that f reads has to stay as it is.
        Raises TypeError if there is no array that could be changed in place. Plumbing.
        """
        for x in arrays:
            if not isinstance(x, np.ndarray):
                raise TypeError(
                    f"expected arrays, which are changed in place; found "
                    f"{type(x).__name__}: pass np.array(…) of it"
                )
        whole = partial(self.run, arrays)
        if arrays[k].size < WORTH or arrays[k].dtype != np.float64:
            return whole
        with self.lock:
            whole()  # by a plan that fits
            runner = self.latest
            if runner.drawn or (rest := self.rest(runner, k)) is None:
                return whole
            held = Held(rest, runner.program, arrays)

        def value() -> float:
            with self.lock:  # a rest has one block of memory, for all who ask
                try:
                    found = held()
                except (ArithmeticError, LookupError, TypeError, ValueError):
                    found = None  # the whole says where it comes from
                self.count += found is not None
                return whole() if found is None else found

        return value

    def rest(self, runner: Runner, k: int) -> Rest | None:
        """What depends on input k in a plan; None where the result does not."""
        if k not in self.rests.setdefault(runner, {}):
            self.rests[runner][k] = Rest.of(runner.program, k)
        return self.rests[runner][k]

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
