"""While a step is recorded, operations and formulas are run under our eyes.

The tape runs an operation by `op.forward(…)` and `op.vjp(…)`, and these call the
functions of `functional`. Here both are given a symbol where they expect an array:

- A formula that works element by element becomes one line with its own name: the loop
  that is made later calls it, compiled as it stands.
- Any other formula is looked through: its lines are what NumPy does in it.
- What cannot be run on symbols runs on arrays, as ever, and its line is a call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from types import CellType, FunctionType
from typing import Any

import numpy as np

from course_utils import functional as F
from course_utils.compiler.calls import called, is_symbol
from course_utils.compiler.jit import compiled, numba
from course_utils.compiler.lines import Line, Place
from course_utils.compiler.rows import rows_back
from course_utils.compiler.spreads import RULES
from course_utils.compiler.symbols import Recorder, Symbol
from course_utils.compiler.writing import MANY, SLOW
from course_utils.functional import _largest, getitem_vjp, row_mean
from course_utils.tape import Node, Op
from course_utils.tensor import Tensor, as_tensor


def formulas() -> dict[str, FunctionType]:
    """The functions of `functional`, by name. Plumbing."""
    return {
        name: f
        for name, f in vars(F).items()
        if isinstance(f, FunctionType) and not name.startswith("_")
    }


@contextmanager
def watching(recorder: Recorder, around: Iterable[dict] = ()) -> Iterator[None]:
    """Run operations and formulas by way of the recorder.

    `around`: the global names of functions that are recorded, besides those of the
    package: there, too, `as_tensor` may be known. Plumbing.
    """
    modules = list(sys.modules.items())  # another thread may import meanwhile
    own = [vars(m) for name, m in modules if is_course(name)]
    checks = [space["check_ids"] for space in own if "check_ids" in space]  # of a batch
    seen = (*formulas().values(), *checks)
    watched = {f: partial(formula, recorder, f) for f in seen}
    watched |= {as_tensor: constant, _largest: largest, row_mean: mean_of_row}
    watched[getitem_vjp] = partial(given_back, recorder)
    spaces = {id(space): space for space in (*own, *around)}
    kept = [
        (space, name, f)
        for space in spaces.values()
        for name, f in list(space.items())
        if isinstance(f, FunctionType) and f in watched
    ]
    run = partial(operation, recorder, watched)
    forward, vjp, init = Op.forward, Op.vjp, Tensor.__init__

    def begin(self: Tensor, data: Any, requires_grad: bool = True) -> None:
        if not isinstance(data, Symbol):
            return init(self, data, requires_grad)
        return Node.__init__(self, real(data), requires_grad)

    try:
        for space, name, f in kept:
            space[name] = watched[f]
        Op.forward = property(lambda op: partial(run, op, op[1]))
        Op.vjp = property(lambda op: partial(run, op, op[2], back=True))
        Tensor.__init__ = begin
        yield
    finally:
        Op.forward, Op.vjp, Tensor.__init__ = forward, vjp, init
        for space, name, f in kept:
            space[name] = f


def is_course(name: str) -> bool:
    """Whether a module is one of the course, and none of the compiler's. Plumbing."""
    mine = name.startswith("course_utils.compiler")
    return name.startswith("course_utils") and not mine


def constant(x: Any, dtype: Any = None) -> Tensor:
    """`as_tensor`, to which a symbol is an array. Plumbing."""
    if not isinstance(x, Symbol):
        return as_tensor(x, dtype)
    x = x.astype(dtype) if x.line.is_number and dtype else x
    return Tensor(x, requires_grad=False)


def largest(x: Any, axis: Any) -> Any:
    """`_largest` without its copy of columns, which a loop needs not. Plumbing."""
    if isinstance(x, Symbol) and x.line.value.size:
        return x.max(axis=axis, keepdims=True)
    return _largest(x, axis)


def mean_of_row(x: Any) -> Any:
    """`row_mean` as the sum that it is: a loop needs no product for it. Plumbing."""
    return x.mean(axis=-1, keepdims=True) if isinstance(x, Symbol) else row_mean(x)


def given_back(recorder: Recorder, g: Any, shape: tuple, index: Any) -> Any:
    """`getitem_vjp`, where nothing or whole rows were chosen, without `np.add.at`.

    That function asks for every element where it belongs. Plumbing.
    """
    found = recorder.line_of(index)
    rows = found.dtype is not None and found.dtype.kind in "iu"
    if isinstance(index, Symbol | np.ndarray) and rows and np.ndim(found.value):
        return called(recorder, rows_back, (g, shape, index), {})
    if isinstance(g, Symbol) and isinstance(index, slice):
        if np.array_equal(np.arange(shape[0])[index], np.arange(shape[0])):
            return g
    return formula(recorder, getitem_vjp, g, shape, index)


def real(x: Symbol) -> Symbol:
    """A symbol as the tape holds it: integers become float64. Plumbing."""
    whole = x.line.dtype is not None and x.line.dtype.kind in "iub"
    return x.astype(np.float64) if whole else x


# --- an operation of the tape ---------------------------------------------------------


def operation(
    recorder: Recorder,
    watched: dict,
    op: Op,
    f: Callable,
    *args: Any,
    back: bool = False,
) -> Any:
    """Run one side of an operation on symbols, or else as a call on arrays.

    Plumbing.
    """
    if not any(isinstance(x, Symbol) for x in args):
        return f(*args)
    before = recorder.place
    output = args[1] if back else None
    module = output.line.place.module if is_symbol(output) else recorder.module()
    recorder.place = Place(op.name, module, back)
    mark = recorder.mark()
    try:
        return reopened(f, watched)(*args)
    except Exception:
        recorder.failed = recorder.place
        if symbols_in(f):  # a part of the batch, which a call would not see again
            raise
        recorder.back_to(mark)
        return called(recorder, f, args, {})
    finally:
        recorder.place = before


def reopened(f: Callable, watched: dict) -> Callable:
    """The same function, with formulas that it holds in its closure watched as well.

    Plumbing.
    """
    if f in watched:
        return watched[f]
    cells = getattr(f, "__closure__", None) or ()
    inside = [cell.cell_contents for cell in cells]
    if not any(isinstance(x, FunctionType) for x in inside):
        return f
    new = [reopened(x, watched) if isinstance(x, FunctionType) else x for x in inside]
    return FunctionType(
        f.__code__,
        f.__globals__,
        f.__name__,
        f.__defaults__,
        tuple(map(CellType, new)),
    )


def symbols_in(f: Callable) -> bool:
    """Whether a function holds a symbol in its closure. Plumbing."""
    cells = getattr(f, "__closure__", None) or ()
    inside = [cell.cell_contents for cell in cells]
    flat = [y for x in inside for y in (x if isinstance(x, tuple) else (x,))]
    return any(isinstance(x, Symbol) for x in flat)


# --- a formula ------------------------------------------------------------------------


def formula(recorder: Recorder, f: Callable, *args: Any, **options: Any) -> Any:
    """Run a formula on symbols: one line where it works element by element.

    Plumbing.
    """
    symbols = [x for x in (*args, *options.values()) if isinstance(x, Symbol)]
    if not symbols:
        return f(*args, **options)
    mark, asked = recorder.mark(), recorder.asked
    try:
        if f in RULES and (out := RULES[f](recorder, *args, **options)) is not None:
            return out
        out = f(*args, **options)
    except Exception:
        recorder.back_to(mark)
        return called(recorder, f, args, options)  # with the error it has for arrays
    inside = recorder.lines[mark[0] :]
    alone = recorder.asked == asked and not options and all(map(plain, args))
    if not alone or not elementwise(inside) or not compiles(f, kinds(recorder, args)):
        return out
    shape = np.broadcast_shapes(*(x.line.shape for x in symbols))
    results = out if isinstance(out, tuple) else (out,)
    if any(x.line.shape != shape for x in results if isinstance(x, Symbol)):
        return out
    return named(recorder, f, args, out, inside, mark)


def elementwise(lines: list[Line]) -> bool:
    """Whether lines compute each element from its likes, and fast enough in a loop.

    Plumbing.
    """
    slow = [x for x in lines if x.function in SLOW and np.size(x.value) >= MANY]
    return bool(lines) and not slow and all(line.kind == "map" for line in lines)


def plain(x: Any) -> bool:
    """Whether x is a symbol or one number. Plumbing."""
    return isinstance(x, Symbol) or np.ndim(x) == 0


def kinds(recorder: Recorder, args: tuple) -> tuple[np.dtype, ...]:
    """The dtype of one element of each argument. Plumbing."""
    lines = map(recorder.line_of, args)
    return tuple(line.dtype or np.dtype(type(line.value)) for line in lines)


@cache
def compiles(f: Callable, dtypes: tuple[np.dtype, ...]) -> bool:
    """Whether Numba takes a function as it stands, from single numbers to such.

    (Of two numbers, `np.where` makes an array without axes there.) Plumbing.
    """
    function, types = compiled(f, "numpy"), tuple(map(numba().from_dtype, dtypes))
    try:
        function.compile(types)
    except (numba().core.errors.NumbaError, NotImplementedError):
        return False
    made = function.overloads[types].signature.return_type
    parts = made if isinstance(made, numba().types.BaseTuple) else (made,)
    return all(
        isinstance(x, numba().types.Number | numba().types.Boolean) for x in parts
    )


def named(recorder, f: Callable, args: tuple, out: Any, inside: list, mark) -> Any:
    """Put one line for each result in the place of the lines inside. Plumbing."""
    recorder.back_to(mark)
    lines = tuple(map(recorder.line_of, args))

    def line(x: Any, options: dict) -> Any:
        if not isinstance(x, Symbol) or x.line not in inside:
            return x
        new = Line("map", f, lines, options, x.line.value, recorder.place)
        return recorder.add(new)

    if isinstance(out, tuple):
        return tuple(line(x, {"part": k}) for k, x in enumerate(out))
    return line(out, {})
