"""Which kind of line a function of NumPy makes.

Most of what NumPy does is one of four kinds that loops are made of later: a function of
each element, a sum over axes, a matrix product, axes seen in another order. All else
stays the call that it was.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.stride_tricks import as_strided

from course_utils.compiler.calls import called, is_symbol, replaced
from course_utils.compiler.lines import Line
from course_utils.compiler.places import cut, part_of
from course_utils.compiler.writing import WRITTEN, as_type


def as_line(
    recorder: Any, function: Callable, args: tuple, options: dict[str, Any]
) -> Any:
    """Write the line, or the lines, of one call of NumPy; give the symbol of the last.

    Plumbing.
    """
    if function in ANSWERS:
        return function(*replaced(args, is_symbol, lambda symbol: symbol.line.value))
    if function in RULES:
        made = RULES[function](recorder, *args, **options)
        if made is not None:
            return made
    elif function in WRITTEN and not options:
        return recorder.note("map", function, *args)
    return called(recorder, function, args, options)


# What is asked about an array without its numbers. A plan is made for these answers.
ANSWERS = (np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj)


# --- rules ----------------------------------------------------------------------------

RULES: dict[Any, Callable] = {}


def rule(*functions: Any) -> Callable:
    """Enter a rule for these functions; one that gives None leaves the call a call.

    Plumbing.
    """

    def enter(how: Callable) -> Callable:
        RULES.update(dict.fromkeys(functions, how))
        return how

    return enter


@rule(np.matmul)
def product(recorder: Any, A: Any, B: Any) -> Any:
    """Write a matrix product. Plumbing."""
    if min(np.ndim(recorder.line_of(x).value) for x in (A, B)) < 2:
        return None
    return recorder.note("product", np.matmul, A, B)


def folding(ufunc: np.ufunc) -> Callable:
    """Make the rule of a reduction, such as a sum. Plumbing."""

    def how(recorder, x, axis=None, dtype=None, keepdims=False, **more):
        if more.pop("out", None) is not None or more:
            return None
        if dtype is not None:
            x = retyped(recorder, x, dtype, copy=False)
        if recorder.line_of(x).dtype.kind not in "fiu" and ufunc is not np.add:
            return None
        return folded(recorder, ufunc, x, axis, keepdims)

    return how


def folded(recorder, ufunc: np.ufunc, x: Any, axis: Any, keepdims: bool) -> Any:
    """Write a reduction that keeps its axes, and one line that drops them. Plumbing."""
    shape = recorder.line_of(x).shape
    axes = normalize_axis_tuple(range(len(shape)) if axis is None else axis, len(shape))
    out = recorder.note("fold", ufunc.reduce, x, axis=axes, keepdims=True)
    if keepdims or not axes:
        return out
    return view(recorder, lambda a: np.squeeze(a, axis=axes), out)


for ufunc, names in {
    np.add: (np.sum, np.add.reduce),
    np.maximum: (np.max, np.amax, np.maximum.reduce),
    np.minimum: (np.min, np.amin, np.minimum.reduce),
}.items():
    rule(*names)(folding(ufunc))


@rule(np.mean)
def mean(recorder, x, axis=None, dtype=None, keepdims=False) -> Any:
    """Write a mean as the sum, divided by how many there are. Plumbing."""
    line = recorder.line_of(x)
    if dtype is not None or line.dtype.kind != "f":
        return None
    total = folded(recorder, np.add, x, axis, keepdims)
    n = line.value.size / max(1, np.size(total.line.value))
    return recorder.note("map", np.true_divide, total, n)


@rule(np.where)
def where(recorder: Any, condition: Any, *both: Any) -> Any:
    """Write a choice, element by element. Plumbing."""
    return recorder.note("map", np.where, condition, *both) if both else None


@rule(np.copy)
def copied(recorder: Any, x: Any) -> Any:
    """Write a copy. Plumbing."""
    return recorder.note("copy", np.copy, x)


def retyped(recorder: Any, x: Any, dtype: Any, copy: bool = True) -> Any:
    """Write a change of dtype, if it is one. Plumbing."""
    if recorder.line_of(x).dtype == dtype:
        return copied(recorder, x) if copy else x
    return recorder.note("map", as_type, x, dtype=np.dtype(dtype))


def fresh(function: Callable) -> Callable:
    """Make the rule of an array that depends on no number of another. Plumbing."""

    def how(recorder: Any, x: Any, *args: Any, **options: Any) -> Any:
        value = function(recorder.line_of(x).value, *args, **options)
        return recorder.add(Line("constant", value=value, place=recorder.place))

    return how


rule(np.zeros_like, np.empty_like)(fresh(np.zeros_like))
rule(np.ones_like)(fresh(np.ones_like))


# --- the same numbers, seen otherwise -------------------------------------------------


def view(recorder: Any, function: Callable, x: Any) -> Any:
    """Write a view that drops, adds, copies or turns axes; None for another one.

    Plumbing.
    """
    found = axes_of(function, recorder.line_of(x).shape)
    if found is None:
        return None
    axes, shape = found
    return recorder.note("axes", seen, x, axes=axes, shape=shape)


def axes_of(function: Callable, shape: tuple) -> tuple[tuple, tuple] | None:
    """Which axis of its input each axis of a view is, None for one of its own.

    A trial array, in which each axis has a stride like no other, tells. Where elements
    are left out or merged, it is no such view.
    Plumbing.
    """
    strides = tuple(8 * (1009 + k) for k in range(len(shape)))
    trial = as_strided(np.empty(1), shape, strides)
    found = function(trial)
    axes = []
    for size, stride in zip(found.shape, found.strides, strict=True):
        own = size == 1 or stride == 0 or stride not in strides
        axes.append(None if own else strides.index(stride))
        if own and stride != 0 and size != 1:
            return None
        if not own and size != shape[axes[-1]]:
            return None
    needed = [k for k, size in enumerate(shape) if size != 1]
    if sorted(k for k in axes if k is not None) != needed:
        return None
    return tuple(axes), found.shape


def seen(x: Any, axes: tuple, shape: tuple) -> np.ndarray:
    """A view of x whose axis k is axis axes[k] of x. Plumbing."""
    x = np.asarray(x)
    return as_strided(x, shape, [0 if k is None else x.strides[k] for k in axes])


def viewing(function: Callable) -> Callable:
    """Make the rule of a function that only turns, adds or drops axes. Plumbing."""

    def how(recorder: Any, x: Any, *args: Any, **options: Any) -> Any:
        return view(recorder, lambda a: function(a, *args, **options), x)

    return how


for function in (
    *(np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze),
    *(np.broadcast_to, np.matrix_transpose),
):
    rule(function)(viewing(function))


@rule(np.reshape)
def reshape(recorder: Any, x: Any, shape: Any, **options: Any) -> Any:
    """Write a reshape: axes of one element come and go; or else a view. Plumbing."""
    if options:
        return None
    line = recorder.line_of(x)
    new = np.reshape(line.value, shape).shape
    if new == line.shape and is_symbol(x):
        return x
    if [n for n in line.shape if n != 1] == [n for n in new if n != 1]:
        places = iter([k for k, n in enumerate(line.shape) if n != 1])
        axes = tuple(None if n == 1 else next(places) for n in new)
        return recorder.note("axes", seen, x, axes=axes, shape=new)
    return recorder.note("view", np.reshape, x, shape=new)


@rule(operator.getitem)
def getitem(recorder: Any, x: Any, index: Any) -> Any:
    """Write a selection: a view, one element a row, or a call. Plumbing."""
    parts = index if isinstance(index, tuple) else (index,)
    if all(isinstance(p, int | slice | None) or p is Ellipsis for p in parts):
        turned = view(recorder, lambda a: a[index], x)
        if turned is not None:
            return turned
        line = recorder.line_of(x)
        shape, places = np.shape(line.value[index]), part_of(line, parts)
        if places is not None and math.prod(shape) > 1:  # of one, a guard may be asked
            return recorder.note("axes", cut, x, places=places, shape=shape)
        return recorder.note("view", sliced, x, index=index)
    if one_a_row(recorder, x, parts):
        return recorder.note("pick", pick, x, parts[1])
    return None


def sliced(x: np.ndarray, index: Any) -> np.ndarray:
    """A part of x. Plumbing."""
    return x[index]


@rule(operator.setitem)
def setitem(recorder: Any, x: Any, index: Any, value: Any) -> Any:
    """Write x with other elements at `index`, as an array of its own. Plumbing."""
    line, parts = recorder.line_of(x), index if isinstance(index, tuple) else (index,)
    if index is Ellipsis and recorder.line_of(value).shape == line.shape:
        return retyped(recorder, value, line.dtype)
    if one_a_row(recorder, x, parts):
        return recorder.note("put", put, x, parts[1], value)
    return called(recorder, assigned, (x, index, value), {})


def one_a_row(recorder: Any, x: Any, index: tuple) -> bool:
    """Whether x[index] is x[[0, 1, …, N − 1], columns]; its bounds become a guard.

    Plumbing.
    """
    line = recorder.line_of(x)
    if len(index) != 2 or len(line.shape) != 2 or not isinstance(index[0], np.ndarray):
        return False
    if line.kind == "axes":
        return False
    columns = recorder.line_of(index[1])
    if not np.array_equal(index[0], np.arange(line.shape[0])):
        return False
    if columns.shape != index[0].shape or columns.dtype.kind not in "iu":
        return False
    if columns.shape[0] == 0:
        return False
    symbol = index[1] if is_symbol(index[1]) else recorder.add(columns)
    n = line.shape[1]
    return bool(np.min(symbol) >= -n) and bool(np.max(symbol) < n)


def pick(x: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """One element of each row. Plumbing."""
    return x[np.arange(len(columns)), columns]


def put(x: np.ndarray, columns: np.ndarray, value: Any) -> np.ndarray:
    """x with another element in each row. Plumbing."""
    return assigned(x, (np.arange(len(columns)), columns), value)


def assigned(x: np.ndarray, index: Any, value: Any) -> np.ndarray:
    """A copy of x with other elements at `index`. Plumbing."""
    new = np.array(x)
    new[index] = value
    return new
