"""Numbers that are put at their places in another array, and add up where they meet.

It is the way back of reading parts and windows; and arrays side by side are no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from course_utils import functional as F
from course_utils.compiler.kinds import RULES, rule
from course_utils.compiler.places import At, along

__all__ = ["RULES"]  # with those for what is put somewhere


class Spread:
    """Puts the elements of some arrays, all of one shape, at their places in a new one.

    What meets at a place adds up. It is the way back of reading parts and windows.
    Plumbing.

    - `places`: for each array, where its elements go, an `At` for each axis of the new
      one, which has a `shape`. `once`: nobody meets at a place; `whole`: none stays 0.
    """

    __name__ = "spread"

    def __init__(self, places: tuple, shape: tuple, once: bool, whole: bool):
        self.places, self.shape = places, shape
        self.once, self.whole = once, whole

    def key(self) -> tuple:
        """What makes two of them equal."""
        return self.places, self.shape, self.once, self.whole

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spread) and self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())

    def __call__(self, *parts: np.ndarray) -> np.ndarray:
        """The new array."""
        out = np.zeros(self.shape, np.result_type(*parts))
        for part, places in zip(parts, self.places, strict=True):
            counters = np.indices(part.shape, sparse=True)
            where = [
                sum((step * counters[k] for k, step in at.steps), at.start)
                for at in places
            ]
            np.add.at(out, tuple(where), part)
        return out

    def order(self, order: tuple) -> tuple:
        """Its own axes in the order of those axes that are counted along them first.

        Axis k of what is put lies at order[k] in memory.
        """
        first = [order[at.steps[0][0]] for at in self.places[0]]
        return tuple(sorted(range(len(first)), key=first.__getitem__))

    def turned(self, axes: tuple, order: tuple) -> Spread:
        """The same for arrays whose axis k is axes[k] of the old ones.

        And its own axis k is order[k] of before.
        """
        new = {axis: k for k, axis in enumerate(axes)}
        places = tuple(
            tuple(
                At(at[j].start, tuple((new[k], step) for k, step in at[j].steps))
                for j in order
            )
            for at in self.places
        )
        shape = tuple(self.shape[j] for j in order)
        return Spread(places, shape, self.once, self.whole)


def spread(recorder: Any, parts: Sequence, dtype: Any, *how: Any) -> Any:
    """Write a spread, if the parts are arrays of one shape and this dtype. Plumbing."""
    lines = [recorder.line_of(x) for x in parts]
    first = lines[0]
    if not first.shape or dtype is None or dtype.kind != "f" or 0 in first.shape:
        return None
    if any((x.shape, x.dtype) != (first.shape, dtype) for x in lines):
        return None
    return recorder.note("spread", Spread(*how), *parts)


@rule(np.concatenate)
def concatenate(recorder: Any, parts: Sequence, axis: int = 0) -> Any:
    """Write arrays side by side, if they are of one shape. Plumbing."""
    lines = [recorder.line_of(x) for x in parts]
    if axis is None or any(x.shape != lines[0].shape for x in lines):
        return None
    if len(lines) == 1:
        return recorder.numpy(np.copy, (parts[0],), {})
    shape = list(lines[0].shape)
    axis = normalize_axis_index(axis, len(shape))
    every = [along(k) for k in range(len(shape))]
    places = [
        (*every[:axis], At(n * shape[axis], ((axis, 1),)), *every[axis + 1 :])
        for n in range(len(lines))
    ]
    shape[axis] *= len(lines)
    how = tuple(places), tuple(shape), True, True
    return spread(recorder, parts, lines[0].dtype, *how)


@rule(F.windows_vjp)
def windows_vjp(recorder: Any, grad_out: Any, x: Any, stride: int = 1) -> Any:
    """Write the way back of windows: what came to a pixel adds up there. Plumbing."""
    line = recorder.line_of(x)
    n = len(line.shape)
    every = tuple(along(k) for k in range(n - 2))
    rows, columns = (At(0, ((k, stride), (k + 2, 1))) for k in (n - 2, n - 1))
    places = ((*every, rows, columns),)
    return spread(recorder, [grad_out], line.dtype, places, line.shape, False, False)


@rule(F.put_back)
def put_back(recorder: Any, shares: Sequence, x: Any, size: int, stride: int = None):
    """Write the way back of shifts: each share goes to its place. Plumbing."""
    line, shares = recorder.line_of(x), list(shares)
    stride = size if stride is None else stride
    *_, oh, ow = recorder.line_of(shares[0]).shape
    n, (H, W) = len(line.shape), line.shape[-2:]
    every = tuple(along(k) for k in range(n - 2))
    places = tuple(
        (*every, At(i, ((n - 2, stride),)), At(j, ((n - 1, stride),)))
        for i in range(size)
        for j in range(size)
    )
    once = stride >= size
    whole = stride == size and (H, W) == (oh * size, ow * size)
    return spread(recorder, shares, line.dtype, places, line.shape, once, whole)
