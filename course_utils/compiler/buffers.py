"""Memory for values by their lifetimes: what never lives together may lie together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

LINE = 64  # bytes: a buffer begins where a line of the cache does


class Life(NamedTuple):
    """From when to when a value is needed, both included, and how many bytes it has.

    Taught in: 12_compiled_tape.
    """

    born: int
    dies: int
    size: int

    def meets(self, other: Life) -> bool:
        """Whether both are needed at some time."""
        return self.born <= other.dies and other.born <= self.dies


def placed(lives: Mapping[str, Life]) -> tuple[dict[str, int], int]:
    """Where each value begins in one block of memory, and how long the block is.

    The largest first, each at the lowest place where nobody lies whom it meets.
    Taught in: 12_compiled_tape.
    Source: Y. Pisarchyk, J. Lee (2020), Efficient memory management for deep neural net
    inference.
    """
    places: dict[str, int] = {}
    for name, life in sorted(lives.items(), key=lambda pair: -pair[1].size):
        met = [other for other in places if lives[other].meets(life)]
        place = 0
        for other in sorted(met, key=places.__getitem__):
            if place + life.size <= places[other]:
                break
            place = max(place, places[other] + rounded(lives[other].size))
        places[name] = place
    ends = [places[name] + rounded(lives[name].size) for name in places]
    return places, max(ends, default=0)


def rounded(size: int) -> int:
    """The next multiple of a line of the cache. Taught in: 12_compiled_tape."""
    return -(-size // LINE) * LINE


def most_at_once(lives: Mapping[str, Life]) -> int:
    """The bytes that are needed at the worst moment: no block can be shorter.

    Taught in: 12_compiled_tape.
    """
    every = list(lives.values())
    held = [sum(x.size for x in every if x.born <= y.born <= x.dies) for y in every]
    return max(held, default=0)


def block(size: int) -> np.ndarray:
    """So many bytes, beginning at a line of the cache. Plumbing."""
    whole = np.empty(size + LINE, np.uint8)
    start = -whole.ctypes.data % LINE
    return whole[start : start + size]
