"""What stands in for numbers while a step is recorded: it notes what is done to it.

A `Symbol` behaves like the array that it stands for, in NumPy's hands and on the tape,
and writes a line for everything. What it never does is tell a number: whoever wants to
look (to print, to convert, to leave NumPy) gets a `CannotCompile`. A question that has
yes or no for an answer is answered, and noted as a guard.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.compiler.kinds import as_line, retyped
from course_utils.compiler.lines import CannotCompile, Line, Place, name_of, several
from course_utils.tape import Node


class Recorder:
    """Gathers the lines of a program while a step is run on symbols. Plumbing.

    - `guards`: lines whose truth value was asked for, and the answer.
    - `asked`: how often somebody asked for a shape, a size or a dtype.
    - `names`: those of the modules, by id; `failed`: where an operation failed.
    """

    def __init__(self, names: dict[int, str] | None = None) -> None:
        self.names = names or {}
        self.failed = Place()
        self.lines: list[Line] = []
        self.guards: list[tuple[Line, bool]] = []
        self.place = Place()
        self.asked = 0
        self.outdated: set[Line] = set()  # bases of views, changed in place since
        self.scratch: set[Line] = set()  # inputs that were written as a whole, by out=

    def add(self, line: Line) -> Symbol:
        """Write a line."""
        if any(memory_of(x) in self.outdated for x in line.inputs if x.shares):
            raise CannotCompile(
                "an array was changed in place after a view of it (.T, a slice) was "
                "taken, and then the view was used; take the view afterwards"
            )
        self.lines.append(line)
        return Symbol(self, line)

    def mark(self) -> tuple[int, int]:
        """How much is written so far."""
        return len(self.lines), len(self.guards)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget what was written since."""
        del self.lines[mark[0] :], self.guards[mark[1] :]

    def line_of(self, x: Any) -> Line:
        """The line of a symbol; for all else a constant."""
        if isinstance(x, Symbol):
            return x.line
        if isinstance(x, Node):
            return self.line_of(x.data)
        return Line("constant", value=np.asarray(x) if several(x) else x)

    def note(self, kind: str, function: Callable, *inputs: Any, **options: Any):
        """Run a function on what the symbols stand for, and write the line."""
        lines = tuple(map(self.line_of, inputs))
        value = function(*[line.value for line in lines], **options)
        return self.add(Line(kind, function, lines, options, value, self.place))

    def numpy(self, function: Callable, args: tuple, options: dict[str, Any]) -> Any:
        """Write what a function of NumPy does, called with symbols somewhere."""
        before = self.place
        if not before.op:  # no operation of the tape is at work
            self.place = Place(name_of(function), self.module())
        try:
            return as_line(self, function, args, options)
        finally:
            self.place = before

    def module(self) -> str:
        """The name of the innermost module at work."""
        frame = sys._getframe(1)
        while frame is not None:
            name = self.names.get(id(frame.f_locals.get("self")))
            if name is not None:
                return name
            frame = frame.f_back
        return ""

    def input(self, value: Any, label: str) -> Symbol:
        """Write a line for what comes from outside."""
        return self.add(Line("input", options={"label": label}, value=value))


def memory_of(line: Line) -> Line:
    """The line whose memory a view looks at. Plumbing."""
    while line.shares:
        line = line.inputs[0]
    return line


def looked(what: str) -> Callable[..., Any]:
    """Make a method that refuses to tell a number. Plumbing."""

    def method(self: Symbol, *args: Any, **options: Any) -> Any:
        raise CannotCompile(
            f"{what}, a number that exists only while the plan runs. Keep it an array "
            f"and compute with NumPy or the tape, or look at it after the step"
        )

    return method


def operated(name: str, ufunc: Callable, turned: bool = False) -> Callable[..., Any]:
    """Make the method of an operator: on numbers Python's own, on arrays `ufunc`.

    Plumbing.
    """
    plain = getattr(operator, name)

    def method(self: Symbol, *others: Any) -> Any:
        if any(isinstance(x, Node) for x in others):
            return NotImplemented  # the tape has operators of its own
        pair = (*others, self) if turned else (self, *others)
        lines = [self.recorder.line_of(x) for x in pair]
        if all(line.is_number for line in lines):
            return self.recorder.note("number", plain, *pair)
        return self.recorder.numpy(ufunc, pair, {})

    return method


def in_place(name: str) -> Callable[..., Any]:
    """Make the method of `+=` and the like: the symbol then stands for the result.

    Plumbing.
    """

    def method(self: Symbol, other: Any) -> Symbol:
        new = getattr(self, f"__{name}__")(other)
        if new is NotImplemented:
            return new  # an array += a tensor is a new tensor
        if not self.line.is_number and new.line.dtype != self.line.dtype:
            new = new.astype(self.line.dtype)
        self.become(new)
        return self

    return method


class Symbol:
    """Stands for an array or a number while a step is recorded.

    NumPy asks it first wherever it meets one (`__array_ufunc__`, `__array_function__`).
    Plumbing.
    """

    __slots__ = ("recorder", "line")

    def __init__(self, recorder: Recorder, line: Line):
        self.recorder, self.line = recorder, line

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if method != "__call__":
            ufunc = getattr(ufunc, method)
        new = self.recorder.numpy(ufunc, inputs, options)
        if out is None:
            return new
        return written_to(new, out[0])

    def __array_function__(self, function, types, args, options):
        out = options.pop("out", None)
        new = self.recorder.numpy(function, args, options)
        return new if out is None else written_to(new, out)

    def become(self, new: Symbol) -> None:
        """Stand for another line from now on: the array was changed in place."""
        if self.line.shares:
            raise CannotCompile(
                "an array was changed in place through a view of it (.T, a slice); "
                "make a new array instead, x = x + 1 for x += 1"
            )
        self.recorder.outdated.add(self.line)
        self.line = new.line

    # --- what is known without numbers ------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, which a plan takes for granted."""
        self.recorder.asked += 1
        return self.line.shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the elements."""
        self.recorder.asked += 1
        return self.line.dtype

    ndim = property(lambda self: len(self.shape), doc="How many axes.")
    size = property(lambda self: int(np.prod(self.shape)), doc="How many elements.")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        answer = bool(self.line.value)
        self.recorder.guards.append((self.line, answer))
        return answer

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Symbol: {self.line}>"

    # --- what would tell a number -----------------------------------------------------

    __str__ = __format__ = looked("something prints a value")
    __float__ = __int__ = __index__ = item = tolist = __complex__ = looked(
        "float(…), int(…) or .item() asks for a value"
    )
    __array__ = looked("something turns a value into an array of its own (np.asarray)")

    # --- methods of arrays ------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name, None)
        if name in CHANGING or name.startswith("_") or not callable(function):
            raise AttributeError(f"a recorded array has no attribute {name!r}")
        return lambda *args, **options: function(self, *args, **options)

    def __getitem__(self, index: Any) -> Symbol:
        return self.recorder.numpy(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        self.become(self.recorder.numpy(operator.setitem, (self, index, value), {}))

    def astype(self, dtype: Any, copy: bool = True) -> Symbol:
        """The same numbers in another dtype."""
        return retyped(self.recorder, self, np.dtype(dtype), copy)

    def copy(self) -> Symbol:
        """The same numbers, which may then be changed."""
        return self.recorder.numpy(np.copy, (self,), {})

    def reshape(self, *shape: Any, **options: Any) -> Symbol:
        """The same elements in another shape."""
        shape = shape[0] if len(shape) == 1 else shape
        return np.reshape(self, shape, **options)

    def transpose(self, *axes: Any) -> Symbol:
        """Axes in another order."""
        axes = axes[0] if len(axes) == 1 else axes
        return np.transpose(self, axes or None)

    T = property(transpose, doc="All axes reversed.")

    def sum(self, axis=None, keepdims=False, **options):
        """Sum over axes."""
        return np.sum(self, axis=axis, keepdims=keepdims, **options)

    def mean(self, axis=None, keepdims=False, **options):
        """Mean over axes."""
        return np.mean(self, axis=axis, keepdims=keepdims, **options)

    def max(self, axis=None, keepdims=False):
        """Maximum over axes."""
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis=None, keepdims=False):
        """Minimum over axes."""
        return np.min(self, axis=axis, keepdims=keepdims)


# Methods of arrays that change them, where the function of that name in NumPy does not.
CHANGING = ("sort", "partition", "put", "resize", "fill", "byteswap")

OPERATORS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
}
COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def written_to(new: Symbol, out: Any) -> Symbol:
    """Let the symbol `out` stand for a new line: `out=` of NumPy. Plumbing."""
    if not isinstance(out, Symbol):
        raise CannotCompile(
            "a result was written (out=, +=) into an array that was made inside"
        )
    if new.line.dtype != out.line.dtype:
        new = new.astype(out.line.dtype)
    if out.line.kind == "input":
        out.recorder.scratch.add(out.line)
    out.become(new)
    return out


def _give_operators() -> None:
    """Give `Symbol` its operators, left, right and in place."""
    names = {"and": "and_", "or": "or_"}
    for name, ufunc in OPERATORS.items():
        plain = names.get(name, name)
        setattr(Symbol, f"__{name}__", operated(plain, ufunc))
        setattr(Symbol, f"__r{name}__", operated(plain, ufunc, turned=True))
        setattr(Symbol, f"__i{name}__", in_place(name))
    for name, ufunc in COMPARISONS.items():
        setattr(Symbol, f"__{name}__", operated(name, ufunc))
    for name, ufunc in {"neg": np.negative, "abs": np.abs, "invert": np.invert}.items():
        setattr(Symbol, f"__{name}__", operated(name, ufunc))
    Symbol.__pos__ = lambda self: self


_give_operators()
