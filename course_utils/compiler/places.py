"""Places in an array that are counted from those in another: parts, windows, blocks.

A slice shows of each axis every so many-th element; windows begin at each pixel. A loop
needs no copy of either: where it reads, or where it writes, is a sum of its counters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from course_utils.compiler.lines import Line


class At(NamedTuple):
    """A place along an axis: start + Σ step · counter. Plumbing.

    - `steps`: pairs of a counter, which is the number of an axis or of a loop, and the
      step that is taken for each of its counts.
    """

    start: int
    steps: tuple[tuple[int, int], ...]

    def of(self, loops: Sequence) -> At:
        """The same place, counted by the loops that go over these axes."""
        start, steps = self.start, []
        for axis, step in self.steps:
            inner = loops[axis]
            inner = inner if isinstance(inner, At) else along(inner)
            start += step * inner.start
            steps += [(loop, step * more) for loop, more in inner.steps]
        return At(start, tuple(steps))

    def text(self, letters: str) -> str:
        """As it is written in a loop: `2 * i + 1`."""
        terms = [f"{n} * {letters[k]}" if n != 1 else letters[k] for k, n in self.steps]
        start = [str(self.start)] if self.start or not terms else []
        return " + ".join([*terms, *start])


def along(loop: int | None) -> At:
    """The place that one loop counts, or the first one. Plumbing."""
    return At(0, () if loop is None else ((loop, 1),))


def part_of(line: Line, index: tuple) -> tuple[At | int, ...] | None:
    """Which places of each axis a part shows, None where the index is another one.

    An axis that is shown as a whole has its number. Plumbing.
    """
    n = len(line.shape)
    if index.count(Ellipsis) == 1:
        k = index.index(Ellipsis)
        index = (*index[:k], *[slice(None)] * (n + 1 - len(index)), *index[k + 1 :])
    index = (*index, *[slice(None)] * (n - len(index)))
    if len(index) != n or not all(isinstance(p, slice) for p in index):
        return None
    found = [p.indices(size) for p, size in zip(index, line.shape, strict=True)]
    if any(step < 1 for _, _, step in found):
        return None
    whole = [(0, size, 1) for size in line.shape]
    return tuple(
        k if found[k] == whole[k] else At(found[k][0], ((k, found[k][2]),))
        for k in range(n)
    )


def cut(x: np.ndarray, places: tuple[At, ...], shape: tuple) -> np.ndarray:
    """The part of x whose element (i, j, …) is that at these places. Plumbing."""
    return np.asarray(x)[slices(places, shape)]


def slices(places: tuple[At, ...], shape: tuple) -> tuple[slice, ...]:
    """The slices that show a part of such a shape. Plumbing."""
    found = []
    for at, n in zip(places, shape, strict=True):
        if isinstance(at, At):
            step = at.steps[0][1]
            found.append(slice(at.start, at.start + step * (n - 1) + 1, step))
        else:
            found.append(slice(None))
    return tuple(found)
