"""Axes in the order in which numbers lie in memory, wherever that changes nothing.

Pictures are (N, C, H, W) to the reader, but a convolution lays them out with N last. A
function of each element does not care: f(x.T) = f(x).T. So the turning is put off, and
loops go through memory as it lies: their innermost one finds long runs of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Container

import numpy as np

from course_utils.compiler.kinds import seen
from course_utils.compiler.lines import Line
from course_utils.compiler.stages import folds_well

Order = tuple[int, ...]  # for each axis of a view, the axis in memory


def order_of(line: Line) -> Order | None:
    """The order of a view's axes in memory, if the last one is another there.

    Plumbing.
    """
    rank = len(line.shape)
    order = tuple(range(rank))
    while line.kind == "axes":
        axes = line.options.get("axes", range(rank))  # of a part: as they were
        if sorted(axes, key=str) != sorted(range(rank), key=str):
            return None
        if len(line.inputs[0].shape) != rank:
            return None
        order = tuple(axes[k] for k in order)
        line = line.inputs[0]
    return order if rank > 2 and order[-1] != rank - 1 else None


def inverse(order: Order) -> Order:
    """The order that undoes another one. Plumbing."""
    return tuple(map(int, np.argsort(order)))


def seen_in(line: Line, axes: tuple[int | None, ...]) -> Line:
    """The same numbers with other axes, None for one of one element. Plumbing."""
    shape = tuple(1 if k is None else line.shape[k] for k in axes)
    options = {"axes": axes, "shape": shape}
    if line.kind == "axes" and line.options.get("axes") == inverse(axes_only(axes)):
        return line.inputs[0]
    value = seen(line.value, **options)
    return Line("axes", seen, (line,), options, value, line.place)


def axes_only(axes: tuple[int | None, ...]) -> Order:
    """Axes of one element as the last ones. Plumbing."""
    return tuple(len(axes) if k is None else k for k in axes)


def turned(lines: list[Line]) -> tuple[list[Line], Callable[[Line], Line]]:
    """Lines in which axes are turned as late as can be; and what each became.

    Plumbing.
    """
    became: dict[Line, Line] = {}

    def new(line: Line) -> Line:
        return became.get(line, line)

    found: dict[Line, None] = {}  # in order
    for line in lines:
        line.inputs = tuple(map(new, line.inputs))
        made = TURNING[line.kind](line) if line.kind in TURNING else None
        if made is None:
            found[line] = None
        else:
            became[line] = made
            found |= dict.fromkeys(chain(made, found))
    return list(found), new


def chain(line: Line, there: Container[Line]) -> list[Line]:
    """A new line behind the new ones that it reads. Plumbing."""
    waiting, found = [line], []
    while waiting:
        x = waiting.pop()
        if x not in there and x.kind != "constant":
            found.append(x)
            waiting += x.inputs
    return found[::-1]


def turned_map(line: Line) -> Line | None:
    """A function of each element, in the order of the first input that is turned.

    Plumbing.
    """
    orders = [order_of(x) for x in line.inputs if x.shape == line.shape]
    order = next(filter(None, orders), None)
    if order is None:
        return None
    back, rank = inverse(order), len(order)
    inputs = []
    for x in line.inputs:
        if x.shape != ():
            axes = (*[None] * (rank - len(x.shape)), *range(len(x.shape)))
            x = seen_in(x, tuple(axes[k] for k in back))
        inputs.append(x)
    value = np.transpose(line.value, back)
    inner = Line("map", line.function, tuple(inputs), line.options, value, line.place)
    return seen_in(inner, order)


def turned_fold(line: Line) -> Line | None:
    """A sum that keeps nothing but the last axis in memory, or nothing at all.

    Plumbing.
    """
    order = order_of(line.inputs[0])
    if order is None:
        return None
    options = line.options | {"axis": tuple(order[k] for k in line.options["axis"])}
    inner = seen_in(line.inputs[0], inverse(order))
    value = np.transpose(line.value, inverse(order))
    made = Line("fold", line.function, (inner,), options, value, line.place)
    return seen_in(made, order) if folds_well(made) else None


def turned_spread(line: Line) -> Line | None:
    """Numbers put at their places, both in the order of those that are put.

    Plumbing.
    """
    order = order_of(line.inputs[0])
    if order is None:
        return None
    back = inverse(order)
    inputs = tuple(seen_in(x, back) for x in line.inputs)
    own = line.function.order(order)
    function, value = line.function.turned(back, own), np.transpose(line.value, own)
    made = Line("spread", function, inputs, {}, value, line.place)
    return seen_in(made, inverse(own))


TURNING = {"map": turned_map, "fold": turned_fold, "spread": turned_spread}
