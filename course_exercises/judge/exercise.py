"""What an exercise is made of, and how its file says it: see `nb06/` for examples.

ex = Exercise("06.1", "The slope of softplus", gradient=True, hints=(…))

@ex.answer
def softplus_vjp(grad_out, x):
return grad_out * F.sigmoid(x)

ex.slip("mirrored", {"sigmoid(x)": "sigmoid(-x)"}, ACTIVATIONS).says("The slope …")

@ex.wrong(LOGITS)
def overflows(grad_out, x):  # the name is the id, a docstring says the sentence
return grad_out * np.exp(x) / (1 + np.exp(x))
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .source import edited, source_of

# What every gradient exercise speaks about: as a mistake, or in `absent` with a reason.
BY_HAND = ("activation-missing", "at-output", "assigned", "broadcast")
INCOMING = ("grad_out", "grad", "g", "G")


@dataclass(eq=False)
class Mistake:
    """A typical wrong answer as code, and what a good tutor says about it. Plumbing.

    `code` is called as the reference is; a slip makes it of the reference when it is
    asked for. Without a sentence, the general one of this `id` is used. `where` names a
    notebook, and after `#` the title of a section. `about` names the outputs that it
    says something about, if these are not all.
    """

    id: str
    made: Callable | None = None
    sentence: str = ""
    where: str = ""
    slip: tuple[Callable, Mapping[str, str]] | None = None
    about: tuple[str, ...] = ()

    def says(self, text: str) -> Mistake:
        """Set the sentence; line breaks and indentation do not count."""
        self.sentence = " ".join(text.split())
        return self

    @cached_property
    def code(self) -> Callable | None:
        """The wrong answer: as it was written, or edited from the right one."""
        return edited(*self.slip) if self.slip else self.made


def plainly(answer: Callable, *args: Any) -> Any:
    """Call the answer with the arguments: how most answers are run. Plumbing."""
    return answer(*args)


@dataclass(eq=False)
class Exercise:
    """A task with everything that is needed to judge an answer. Plumbing.

    With `inputs`, the answer is a function (or whatever `call` makes use of); without,
    it is a value, and `reference()` computes the right one. With `judge`, the author
    decides: `judge(answer, run)` gives None if passed, else a sentence, or a Mistake,
    or a list of them.
    `otherwise` has, for each output, what is said of a number that no mistake gives.
    Errors are measured by the largest entry, or `entrywise`, each by its own.
    What is code is registered where it stands, by the methods below.
    """

    number: str
    title: str
    reference: Callable | None = None
    inputs: Callable[[np.random.Generator], Sequence[tuple]] | None = None
    gradient: bool = False
    outputs: tuple[str, ...] = ()
    n: Callable[..., int] | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    absent: Mapping[str, str] = field(default_factory=dict)
    otherwise: Mapping[str, str] = field(default_factory=dict)
    variants: list[Any] = field(default_factory=list)
    hints: tuple[str, ...] = ()
    explanation: str = ""
    helpers: list[Callable] = field(default_factory=list)
    call: Callable = plainly
    may_change: tuple[str, ...] = ()
    judge: Callable | None = None
    further: Callable | None = None
    look: Callable | None = None
    tolerance: float = 1e-9
    entrywise: bool = False
    seconds: float = 10
    slow: bool = False

    # --- how a file says it

    def answer(self, function: Callable) -> Callable:
        """Register the right answer, which `solution` shows."""
        self.reference = function
        return function

    def given(self, function: Callable) -> Callable:
        """Register what draws the inputs: a generator of random numbers goes in."""
        self.inputs = function
        return function

    def called(self, function: Callable) -> Callable:
        """Register how an answer is called, where it is no plain call."""
        self.call = function
        return function

    def judged(self, function: Callable) -> Callable:
        """Register the author's own judge."""
        self.judge = function
        return function

    def afterwards(self, function: Callable) -> Callable:
        """Register a judge that is asked when the numbers are right."""
        self.further = function
        return function

    def looked(self, function: Callable) -> Callable:
        """Register what else to try with an answer whose numbers have no name.

        `look(answer, run)` gives a mistake, or None.
        """
        self.look = function
        return function

    def helper(self, function: Callable) -> Callable:
        """Register a function that the right answer needs and `solution` shows."""
        self.helpers.append(function)
        return function

    def right(self, function: Callable) -> Callable:
        """Register another right answer, whose slips are looked for as well."""
        self.variants.append(function)
        return function

    def wrong(self, where: str = "", *, says: str = "") -> Callable[[Callable], Any]:
        """Register a wrong answer: its name is the id, its docstring the sentence."""

        def register(function: Callable) -> Callable:
            name = function.__name__.strip("_").replace("_", "-")
            text = says or function.__doc__ or ""
            self.mistakes.append(Mistake(name, function, where=where).says(text))
            return function

        return register

    def mistake(
        self, name: str, where: str = "", *, code: Callable | None = None
    ) -> Mistake:
        """Register a mistake that the judge knows, or that other code makes."""
        self.mistakes.append(Mistake(name, code, where=where))
        return self.mistakes[-1]

    def slip(
        self,
        name: str,
        edits: Mapping[str, str],
        where: str = "",
        *,
        of: Callable | None = None,
    ) -> Mistake:
        """Register a slip: these characters of the right answer become those.

        Each has to occur exactly once in it, or in another right answer, `of`.
        """
        slip = (of or self.reference, edits)
        self.mistakes.append(Mistake(name, where=where, slip=slip))
        return self.mistakes[-1]

    def guess(self, name: str, value: Any, where: str = "") -> Mistake:
        """Register a wrong value, where a value is asked for.

        A dictionary names the outputs that are wrong; the others may be anything.
        """
        if not isinstance(value, Mapping):
            return self.mistake(name, where, code=lambda: value)
        made = self.mistake(name, where, code=lambda: self._right_but(value))
        made.about = tuple(value)
        return made

    def _right_but(self, wrong: Mapping[str, Any]) -> tuple:
        pairs = zip(self.outputs, self._right_values, strict=True)
        return tuple(wrong.get(name, value) for name, value in pairs)

    @cached_property
    def _right_values(self) -> Any:
        return self.reference()

    def named(self, name: str) -> Mistake:
        """Give a registered mistake, for the author's own judge."""
        return next(m for m in self.mistakes if m.id == name)

    # --- what the machine asks

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
        return "\n\n".join(map(source_of, (*self.helpers, self.reference)))

    def reached(self, where: str) -> str:
        """The place of an explanation, but nothing if it is still to come."""
        return where if where[:2] <= self.notebook else ""

    def draw(self, *more: int) -> list[tuple]:
        """The inputs of the check, the same ones every time; others with a number."""
        seed = [*(int(part) for part in self.number.split(".")), *more]
        return [tuple(args) for args in self.inputs(np.random.default_rng(seed))]

    def examples(self, args: tuple) -> int:
        """The number N of examples: the rows of the first array, or what `n` says."""
        if self.n is not None:
            return self.n(*args)
        return next((len(a) for a in args if np.ndim(a) > 0), 1)
