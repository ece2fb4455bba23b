"""The text of a loop: what Numba compiles, and what a reader sees.

A loop is a function of its own. The numbers in `t14` are those of the lines in the
program; a bare name such as `relu` is a formula of `functional`, `np.exp` is NumPy's.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

from course_utils.compiler.lines import Line
from course_utils.compiler.naming import Names
from course_utils.compiler.nests import (
    ELEMENT,
    LATER,
    ROW,
    Axes,
    Nest,
    used,
    without_none,
)
from course_utils.compiler.places import At
from course_utils.compiler.stages import base_of
from course_utils.compiler.writing import WRITTEN

LETTERS = "ijklmnopqr"
WIDTH = 84  # letters in a line
SMALL = 64  # numbers below it may be written into a loop
VECTOR = 8  # a last axis shorter than this is unrolled: its length is written down
PLAIN = (-1, 0, 1, 2, 0.5)  # constants that are written into any loop


@dataclass
class Loop:
    """One compiled loop of a plan: nests one after the other. Plumbing.

    - `kept`: lines that have an array; `rows`: those of which a row is enough.
    - `guards`: lines whose truth is told at the end, all in one.
    - `names` gives a line its name, and its value inside another. `batch` is how many
      examples there are: no number to be written into a loop.
    - `arrays` and `numbers`: what is passed, in order, once the text is made.
    """

    nests: list[Nest]
    kept: set[Line]
    rows: set[Line]
    guards: list[tuple[Line, bool]]
    names: Names
    batch: int
    arrays: list[Line] = field(default_factory=list)
    numbers: list[Line] = field(default_factory=list)
    formulas: dict[str, FunctionType] = field(default_factory=dict)
    known: set[Line] = field(default_factory=set)  # numbers of the nests so far
    flat: bool = False  # whether the nest at work goes through arrays as one long row

    def text(self, title: str) -> str:
        """The loop as a function of Python."""
        body = []
        for nest in self.nests:
            body += NestText(self, nest).lines()
            self.known |= {x for x in nest.lines if is_single(nest, x)}
        if self.guards:
            body.append("return " + " and ".join(self.checks()))
        names = [self.names(x) for x in (*self.arrays, *self.numbers)]
        head = wrapped(f"def {title}(", names, "):")
        return "\n".join([head, *right(body)])

    def checks(self) -> list[str]:
        """The guards as conditions."""
        return [
            f"{'' if answer else 'not '}{self.value(base_of(line))}"
            for line, answer in self.guards
        ]

    def value(self, line: Line) -> str:
        """A number without axes, from the nests so far or from an array."""
        if line in self.known:
            return self.names.value(line)
        return self.element(line, (None,) * len(line.shape))

    def element(self, line: Line, axes: Axes) -> str:
        """An element of an array, which is passed: `x[i, j]`."""
        if self.names(line) not in map(self.names, self.arrays):
            self.arrays.append(line)
        axes = axes[-1:] if line in self.rows else axes
        index = ", ".join(map(place_text, axes)) or "()"
        flat = ".flat" if self.flat and without_none(axes) else ""
        return f"{self.names(line)}{flat}[{'i' if flat else index}]"

    def number(self, line: Line) -> str:
        """A number, which is written or passed."""
        value = alone(line.value)
        small = type(value) is int and abs(value) < SMALL and value != self.batch
        if line.kind == "constant" and (small or value in PLAIN):
            return repr(value)
        if line not in self.numbers:
            self.numbers.append(line)
        return self.names(line)


def place_text(k: int | At | None) -> str:
    """An index: the letter of a loop, 0 in an axis of one element, or a place.

    Plumbing.
    """
    if isinstance(k, At):
        return k.text(LETTERS)
    return "0" if k is None else LETTERS[k]


def alone(value: Any) -> Any:
    """The one element of an array as a number of Python. Plumbing."""
    return value.item() if isinstance(value, np.ndarray | np.generic) else value


def wrapped(head: str, names: list[str], tail: str) -> str:
    """A call or a head with many names, in lines that are not too long. Plumbing."""
    one = f"{head}{', '.join(names)}{tail}"
    if len(one) <= WIDTH:
        return one
    rows = textwrap.wrap(", ".join(names), WIDTH - 8)
    return "\n".join([head, *(f"        {row}" for row in rows), f"    {tail}"])


def right(lines: list[str]) -> list[str]:
    """Lines one step to the right. Plumbing."""
    return ["    " + line for line in lines]


def is_single(nest: Nest, line: Line) -> bool:
    """Whether a value is one number, known when the nest is done. Plumbing."""
    alone = all(k is None for k in nest.axes[line])
    level = nest.when[line][0]
    return alone and (level == LATER or (level == ROW and len(nest.shape) < 2))


class NestText:
    """Writes one nest of loops. Plumbing."""

    def __init__(self, loop: Loop, nest: Nest):
        self.loop, self.nest = loop, nest

    def value(self, line: Line) -> str:
        """The name of a value."""
        return self.loop.names.value(line)

    def lines(self) -> list[str]:
        """The nest, with the sums over all rows around it."""
        late = [x for x in self.nest.lines if self.nest.when[x][0] == LATER]
        head = [text for x in late for text in self.begun(x)]
        self.loop.flat = self.is_flat()
        body = self.row()
        if not self.loop.flat:
            for k in reversed(range(len(self.nest.shape) - 1)):
                body = [self.head_of(k), *right(body)]
        self.loop.flat = False
        return head + body + [text for x in late for text in self.ended(x)]

    def is_flat(self) -> bool:
        """Whether every array is gone through element by element, in one order."""
        ways = [axes for x in self.nest.sources for axes in self.nest.sources[x]]
        ways += [self.nest.axes[x] for x in self.nest.lines if x.kind != "fold"]
        row = without_none(self.nest.identity)
        every = all(without_none(axes) in ([], row) for axes in ways)
        levels = all(
            self.nest.at[x] == (ELEMENT, 0) and x.kind != "put" for x in self.nest.lines
        )
        totals = all(
            is_single(self.nest, x) for x in self.nest.lines if x.kind == "fold"
        )
        return every and levels and totals and bool(self.nest.shape)

    def row(self) -> list[str]:
        """One row, gone through as often as its sums ask for."""
        found, last = [], len(self.nest.shape) - 1
        for time in range(1 + max(t for _, t in self.nest.when.values())):
            found += self.block(ROW, time)
            sums = [x for x in self.nest.lines if self.is_sum_of_row(x, time)]
            found += [text for x in sums for text in self.begun(x)]
            if inner := self.block(ELEMENT, time):
                found += [self.head_of(last), *right(inner)]
            found += [text for x in sums for text in self.ended(x)]
        return found

    def is_sum_of_row(self, line: Line, time: int) -> bool:
        """Whether a line adds up a row in pass `time`."""
        fold = line.kind == "fold" and self.nest.at[line] == (ELEMENT, time)
        return fold and self.nest.when[line][0] == ROW

    def head_of(self, k: int) -> str:
        """The head of loop k; its length is that of an array, or a short number."""
        n, last = self.nest.shape[k], k == len(self.nest.shape) - 1
        if self.loop.flat:
            row = without_none(self.nest.identity) or [k]
            n, k = next(self.lengths(row[-1]), math.prod(self.nest.shape)), 0
        elif not (last and k and n < VECTOR):
            n = next(self.lengths(k), n)
        return f"for {LETTERS[k]} in range({n}):"

    def lengths(self, k: int) -> Iterator[str]:
        """What loop k may take its length from."""
        own = {x: {axes} for x, axes in self.nest.axes.items() if x in self.loop.kept}
        for x, ways in (self.nest.sources | own).items():
            whole = x not in self.loop.rows and x not in self.loop.known
            for axes in ways if whole else ():
                if k in axes:
                    self.loop.element(x, axes)
                    size = "size" if self.loop.flat else f"shape[{axes.index(k)}]"
                    yield f"{self.loop.names(x)}.{size}"

    # --- statements -------------------------------------------------------------------

    def block(self, level: str, time: int) -> list[str]:
        """What is done for an element in pass `time`, or for a row at that time."""
        lines = [x for x in self.nest.lines if self.nest.at[x] == (level, time)]
        found = [text for x in lines for text in self.statements(x, (level, time))]
        # New values come last: who reads the old one has read it by then.
        for x in lines:
            if x.kind == "store":
                place = self.loop.element(x.inputs[1], self.nest.domain[x])
                found.append(f"{place} = {self.new_value(x, (level, time))}")
        return found

    def statements(self, line: Line, at: tuple[str, int]) -> list[str]:
        """A value, and its place in an array if it has one; or one more summand."""
        if line.kind == "fold":
            return [self.added(line, at)]
        if line.kind == "spread":
            return list(self.spread(line, at))
        name = self.value(line)
        if line.kind == "store":
            new = self.new_value(line, at)
            return [f"{name} = {self.operand(line, 0, at)}"] if new == name else []
        return [f"{name} = {self.expression(line, at)}", *self.kept(line)]

    def spread(self, line: Line, at: tuple[str, int]) -> Iterator[str]:
        """Values put, or added, at their places in an array."""
        sign = "=" if line.function.once else "+="
        for k, places in enumerate(line.function.places):
            axes = tuple(place.of(self.nest.domain[line]) for place in places)
            yield f"{self.loop.element(line, axes)} {sign} {self.operand(line, k, at)}"

    def new_value(self, store: Line, at: tuple[str, int]) -> str:
        """The name of what is stored; one of its own, if it comes from an array."""
        value = self.operand(store, 0, at)
        return self.value(store) if "[" in value else value

    def kept(self, line: Line) -> list[str]:
        """A value put into its array."""
        if line not in self.loop.kept:
            return []
        place = self.loop.element(line, self.nest.axes[line])
        return [f"{place} = {self.value(line)}"]

    # --- sums -------------------------------------------------------------------------

    def total(self, line: Line) -> str:
        """Where a sum is added up: in a number of its own, or in its array."""
        if self.nest.when[line][0] == LATER and not is_single(self.nest, line):
            return self.loop.element(line, self.nest.axes[line])
        return f"s{self.value(line)[1:]}"

    def begun(self, line: Line) -> list[str]:
        """The start of a sum, or of a maximum."""
        total = self.total(line)
        if line.kind == "spread" and line.function.whole:
            return []
        if "[" in total:
            return [f"{self.loop.names(line)}[...] = {start_of(line)}"]
        return [f"{total} = {start_of(line)}"]

    def added(self, line: Line, at: tuple[str, int]) -> str:
        """One more summand."""
        total, x = self.total(line), self.operand(line, 0, at)
        if folded_by(line) is not np.add:
            name = "maximum" if folded_by(line) is np.maximum else "minimum"
            return f"{total} = np.{name}({total}, {x})"
        if "[" in total:
            return f"{total} += {x}"
        return f"{total} = plus({total}, {x})"

    def ended(self, line: Line) -> list[str]:
        """What a sum has become, in the dtype that it has."""
        total = self.total(line)
        if "[" in total:
            return []
        whole = f"np.float32({total})" if line.dtype == np.float32 else total
        return [f"{self.value(line)} = {whole}", *self.kept(line)]

    # --- expressions ------------------------------------------------------------------

    def operand(
        self, line: Line, k: int, at: tuple[str, int], dtype: Any = None, row=False
    ) -> str:
        """Input k of a line: a number, a value that is at hand, or an element."""
        x, domain = line.inputs[k], self.nest.domain[line]
        base, axes = used(x, domain[:1] if row else domain)
        if base.is_number or base.is_known:
            text = self.loop.number(base)
        elif base in self.nest.axes:
            at_hand = self.nest.when[base] == at or self.nest.when[base][0] == ROW
            text = self.value(base) if at_hand else self.loop.element(base, axes)
        elif base in self.loop.known:
            text = self.value(base)
        else:
            text = self.loop.element(base, axes)
        return cast(text, base.dtype, dtype)

    def expression(self, line: Line, at: tuple[str, int]) -> str:
        """What a line computes, from its inputs."""
        f, domain = line.function, self.nest.domain[line]
        if line.kind == "pick":
            x, column = line.inputs[0], self.operand(line, 1, at, row=True)
            place = self.loop.element(x, self.nest.identity).rpartition(",")[0]
            whole = place or self.loop.names(x) + "["
            return f"{whole}{', ' if place else ''}{column}]"
        if line.kind == "put":
            column = f"{LETTERS[domain[1]]} == {self.operand(line, 1, at, row=True)}"
            value = self.operand(line, 2, at, row=True)
            return f"{value} if {column} else {self.operand(line, 0, at)}"
        dtypes = dtypes_of(line)
        operands = [self.operand(line, k, at, dtype) for k, dtype in enumerate(dtypes)]
        if isinstance(f, FunctionType) and f not in WRITTEN:
            self.loop.formulas[f.__name__] = f
            which = f"[{line.options['part']}]" if "part" in line.options else ""
            return f"{f.__name__}({', '.join(operands)}){which}"
        return written(line, operands)


def written(line: Line, operands: list[str]) -> str:
    """A function of NumPy on single numbers, as text. Plumbing."""
    f = line.function
    if f is np.power and line.inputs[1].is_known:
        short = {2: "np.square({})", 0.5: "np.sqrt({})", 1: "{}", -1: "1 / {}"}
        text = short.get(np.asarray(line.inputs[1].value).item(), WRITTEN[f])
        return text.format(*operands)
    if f is np.invert and line.dtype == bool:
        return f"not {operands[0]}"
    return WRITTEN[f].format(*operands)


def dtypes_of(line: Line) -> tuple[np.dtype | None, ...]:
    """The dtypes in which a line computes; None leaves an input as it is. Plumbing.

    NumPy decides it: a number of Python takes the dtype of the array beside it.
    """
    kinds = [x.dtype or type_of(x.value) for x in line.inputs]
    if isinstance(line.function, np.ufunc):
        return line.function.resolve_dtypes((*kinds, None))[:-1]
    if line.function is np.where:
        return None, line.dtype, line.dtype
    if line.options.get("dtype"):
        return (line.dtype,)
    return (None,) * len(kinds)


def type_of(value: Any) -> Any:
    """What NumPy takes a number of Python for. Plumbing."""
    return np.dtype(bool) if isinstance(value, bool) else type(value)


def cast(text: str, old: Any, new: Any) -> str:
    """A value in another dtype, where that is one. Plumbing."""
    if new is None or old == new or (old is None and new.kind != "f"):
        return text
    if old is None and new == np.float64:
        return text
    return f"np.{'bool_' if new.kind == 'b' else new.name}({text})"


def folded_by(line: Line) -> np.ufunc:
    """The function that a reduction repeats. Plumbing."""
    return line.function.__self__


def start_of(line: Line) -> str:
    """What a sum or a maximum begins with; sums of floats are of float64. Plumbing."""
    if line.kind == "spread":
        return "0.0"
    kind, sign = line.dtype.kind, "-" if folded_by(line) is np.maximum else ""
    if folded_by(line) is np.add:
        return "0.0" if kind == "f" else "0"
    if kind == "f":
        return f"np.{line.dtype.name}({sign}np.inf)"
    return str(np.iinfo(line.dtype).min if sign else np.iinfo(line.dtype).max)
