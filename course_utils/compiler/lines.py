"""A program: what was computed, a line for each step, in the order of computing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np


class CannotCompile(TypeError):
    """What was recorded cannot be made a plan; the message says why, and the mend.

    Plumbing.
    """


class Place(NamedTuple):
    """Where in the model a line comes from: operation, module, forward or back.

    Plumbing.
    """

    op: str = ""
    module: str = ""
    back: bool = False

    def __str__(self) -> str:
        op = f"{self.op}, on the way back" if self.back else self.op
        return " in ".join(filter(None, (op, self.module)))


@dataclass(eq=False)
class Line:
    """One line of a program: out = function(*inputs, **options).

    - `kind`: "map" for a function of each element, "fold" for a sum or a maximum over
      axes, "product" for a matrix product, "axes" for axes in another order or number,
      or a part of them, "spread" for numbers put at their places in a new array,
      "number" for arithmetic with Python's numbers; "input" and "constant" have no
      inputs; all else is a "call" of Python, as it was.
    - `value`: what it was when it was recorded.

    Plumbing.
    """

    kind: str
    function: Any = None
    inputs: tuple[Line, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    place: Place = Place()

    def __post_init__(self) -> None:
        many = several(self.value)  # arrays that need not have one shape
        self.shape = (len(self.value),) if many else np.shape(self.value)
        self.dtype = getattr(self.value, "dtype", None)
        # Whether its memory is that of an input, of which it is a view.
        self.shares = self.kind in ("axes", "view")

    def __repr__(self) -> str:
        kind = f"{self.dtype}{list(self.shape)}" if self.dtype else "a number"
        return f"<{self.kind} {name_of(self.function)}: {kind}>"

    @property
    def is_number(self) -> bool:
        """Whether it is a number of Python, which takes the dtype of its partner."""
        return isinstance(self.value, int | float) and self.dtype is None

    @property
    def is_known(self) -> bool:
        """Whether it is a number that is the same in each step, no array to change."""
        array = isinstance(self.value, np.ndarray) and self.value.flags.writeable
        return self.kind == "constant" and np.size(self.value) == 1 and not array


def several(value: Any) -> bool:
    """Whether a call gave several results. Plumbing."""
    return isinstance(value, tuple | list)


def name_of(function: Any) -> str:
    """The name of a function, for people: `exp`, `add.reduce`. Plumbing."""
    owner = getattr(function, "__self__", None)
    inner = f"{owner.__name__}." if isinstance(owner, np.ufunc) else ""
    return inner + (getattr(function, "__name__", None) or type(function).__name__)


@dataclass(frozen=True, eq=False)
class Slot:
    """Where a plan finds an input, and leaves its new value: `owner.name[key]`.

    Plumbing.
    """

    owner: Any
    name: str
    label: str
    keys: tuple = ()
    kind: Any = None  # the class around an array, if it is not itself there

    @property
    def place(self) -> tuple:
        """Equal for two slots that are one; owners are the same, not equal."""
        return id(self.owner), self.name, self.keys

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and self.place == other.place

    def __hash__(self) -> int:
        return hash(self.place)

    def get(self) -> Any:
        """What is there now."""
        found = getattr(self.owner, self.name)
        for key in self.keys:
            found = found[key]
        return found

    def set(self, value: Any) -> None:  # noqa: A003 — a slot is set
        """Put something else there."""
        if not self.keys:
            setattr(self.owner, self.name, value)
            return
        *keys, last = self.keys
        holder = getattr(self.owner, self.name)
        for key in keys:
            holder = holder[key]
        holder[last] = value


@dataclass
class Program:
    """Lines, and what comes in and goes out. Plumbing.

    - `inputs`: what is read anew in each step, with its slot (None for the batch).
    - `result`: the loss. `changes`: slots, and what they hold in the end: a line, or
      something that is no number of this step.
    - `guards`: lines whose truth value was asked for, and the answer.
    - `watched`: (holder, key, value) that have to stay for the program to be right.
    - `scratch`: inputs that are overwritten (`out=`); if nobody reads them before, they
      are room for intermediate results, and need not be written.
    """

    lines: list[Line]
    inputs: list[tuple[Line, Slot | None]]
    result: Line
    changes: list[tuple[Slot, Any]] = field(default_factory=list)
    guards: list[tuple[Line, bool]] = field(default_factory=list)
    watched: list[tuple[Any, Any, Any]] = field(default_factory=list)
    scratch: set[Line] = field(default_factory=set)

    def outputs(self) -> list[Line]:
        """The lines that somebody outside asks for."""
        left = [x for _, x in self.changes if isinstance(x, Line)]
        return [self.result, *(line for line, _ in self.guards), *left]

    def made_of(self, lines: list[Line], new: Callable[[Line], Line]) -> Program:
        """The same program, made of other lines; `new` gives what each became."""
        guards = {new(line): answer for line, answer in self.guards}
        changes = [(s, new(x) if isinstance(x, Line) else x) for s, x in self.changes]
        return replace(
            self,
            lines=lines,
            result=new(self.result),
            changes=changes,
            guards=[(x, answer) for x, answer in guards.items() if not x.is_known],
        )

    def __str__(self) -> str:
        return "\n".join(listing(self.lines))


def listing(lines: Iterable[Line]) -> list[str]:
    """Write lines for people: `t3 = maximum(t2, 0)`. Plumbing."""
    names: dict[Line, str] = {}
    said = []
    for line in lines:
        inputs = [names.get(x) or short(x.value) for x in line.inputs]
        names[line] = f"t{len(names)}"
        options = [f"{k}={v}" for k, v in line.options.items() if k != "shape"]
        call = f"{name_of(line.function)}({', '.join(inputs + options)})"
        if line.kind == "input":
            call = line.options["label"]
        said.append(f"{names[line]:>4} = {call:<40} {shape_text(line)}  {line.place}")
    return said


def short(value: Any) -> str:
    """A constant for people: the number, or the shape of an array. Plumbing."""
    if np.size(value) != 1:
        return f"array{np.shape(value)}"
    return f"{np.asarray(value).item():.6g}"


def shape_text(line: Line) -> str:
    """Shape and kind of numbers, as `float32 (128, 10)`. Plumbing."""
    return f"{line.dtype or type(line.value).__name__} {line.shape or ''}".strip()
