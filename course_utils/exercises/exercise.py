"""What an exercise is made of: data alone."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

# What every gradient exercise speaks about: as a mistake, or in `absent` with a reason.
BY_HAND = ("activation-missing", "at-output", "assigned", "broadcast")
INCOMING = ("grad_out", "grad", "g", "G")


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer as code, and what a good tutor says about it. Plumbing.

    `code` is called as the reference is. Without `says`, the general sentence of this
    `id` is used. `where` names a notebook, and after `#` the title of a section.
    """

    id: str
    code: Callable | None = None
    says: str = ""
    where: str = ""


def plainly(answer: Callable, *args: Any) -> Any:
    """Call the answer with the arguments: how most answers are run. Plumbing."""
    return answer(*args)


@dataclass(frozen=True)
class Exercise:
    """A task with everything that is needed to judge an answer. Plumbing.

    With `inputs`, the answer is a function (or whatever `call` makes use of); without,
    it is a value, and `reference()` computes the right one. With `judge`, the author
    decides: `judge(answer, run)` gives None if passed, else a sentence or a Mistake.
    """

    number: str
    title: str
    reference: Callable
    inputs: Callable[[np.random.Generator], Sequence[tuple]] | None = None
    gradient: bool = False
    outputs: tuple[str, ...] = ()
    n: Callable[..., int] | None = None
    mistakes: Sequence[Mistake] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    variants: Sequence[Any] = ()
    hints: tuple[str, ...] = ()
    explanation: str = ""
    helpers: Sequence[Callable] = ()
    call: Callable = plainly
    may_change: tuple[str, ...] = ()
    judge: Callable | None = None
    tolerance: float = 1e-9
    seconds: float = 10
    slow: bool = False

    @property
    def notebook(self) -> str:
        """The two digits of the notebook that it belongs to."""
        return self.number.partition(".")[0]

    @property
    def kind(self) -> str:
        """One of: challenge, function, value."""
        if self.judge is not None:
            return "challenge"
        return "value" if self.inputs is None else "function"

    @property
    def called_plainly(self) -> bool:
        """Whether the answer is a function that is called with the inputs."""
        return self.call is plainly and self.kind == "function"

    @property
    def is_value(self) -> bool:
        """Whether a value is handed in, which `reference()` computes."""
        nothing = not inspect.signature(self.reference).parameters
        return self.kind == "value" or (self.kind == "challenge" and nothing)

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The names of what the answer is called with, as the reference has them."""
        if self.call is plainly:
            return tuple(inspect.signature(self.reference).parameters)
        return tuple(inspect.signature(self.call).parameters)[1:]

    @cached_property
    def incoming(self) -> int | None:
        """The position of the gradient that comes in, if there is one."""
        names = self.arguments if self.gradient else ()
        return next((names.index(name) for name in INCOMING if name in names), None)

    @property
    def source(self) -> str:
        """The source of the reference, after that of the helpers it needs."""
        parts = (*self.helpers, self.reference)
        return "\n\n".join(textwrap.dedent(inspect.getsource(f)).strip() for f in parts)

    def reached(self, where: str) -> str:
        """The place of an explanation, but nothing if it is still to come."""
        return where if where[:2] <= self.notebook else ""

    def draw(self) -> list[tuple]:
        """The inputs of the check, the same ones every time."""
        seed = [int(part) for part in self.number.split(".")]
        return [tuple(args) for args in self.inputs(np.random.default_rng(seed))]

    def examples(self, args: tuple) -> int:
        """The number N of examples: the rows of the first array, or what `n` says."""
        if self.n is not None:
            return self.n(*args)
        return next((len(a) for a in args if np.ndim(a) > 0), 1)
