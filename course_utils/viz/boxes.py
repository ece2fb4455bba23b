"""Words and small heat maps in boxes that are made to fit them. Lengths are inches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

_DUMMY = 0.17  # inches kept free for an edge that passes a layer

_CELL = 0.06  # inches of one cell of a small heat map

_MOST_CELLS = 8  # cells a small heat map has along an axis

# Shades of a small heat map, cividis from dark to light: they can be told apart in grey
# too. The middle one is 0.
HEAT = (
    *("#00224e", "#002f6d", "#213b6e", "#39486c", "#4c556c", "#5d616e", "#6c6e72"),
    "#7d7c78",
    *("#8e8978", "#9f9775", "#b1a570", "#c5b568", "#d9c55c", "#edd54a", "#fee838"),
)


@dataclass
class Line:
    """One line of text in a box, a circle or on an edge. Plumbing."""

    text: str
    size: float = 8.5
    color: str = "black"
    weight: str = "normal"

    @cached_property
    def width(self) -> float:
        """Width in inches."""
        return text_width(self.text, self.size, self.weight)

    @property
    def height(self) -> float:
        """Height in inches."""
        return self.size * 1.28 / 72


def block_size(lines: Sequence[Line]) -> tuple[float, float]:
    """Width and height of lines under each other. Plumbing."""
    return max(line.width for line in lines), sum(line.height for line in lines)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width in inches: boxes are made to fit their words. Plumbing."""
    font = _font(weight)
    font.set_size(100, 72)  # so large that it matters no more how pixels lie
    font.set_text(text)
    points = font.get_width_height()[0] / 64 * size / 100
    # On a screen letters sit on whole pixels, which takes a little more.
    return 1.06 * points / 72


@lru_cache
def _font(weight: str) -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))


@dataclass
class Box:
    """A place on the sheet for lines and, below them, small heat maps in a row.

    A node has a box, so has a label on an edge, and so has an edge that passes a layer.
    Plumbing.
    """

    lines: list[Line] = field(default_factory=list)
    width: float = 0.0
    height: float = _DUMMY
    kind: str = "pass"
    maps: list[np.ndarray] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def content(self) -> tuple[float, float]:
        """Width and height of what is in it."""
        width, height = block_size(self.lines) if self.lines else (0.0, 0.0)
        if not self.maps:
            return width, height
        sizes = [map_size(levels) for levels in self.maps]
        row = sum(w for w, _ in sizes) + _CELL * (len(sizes) - 1)
        return max(width, row), height + 0.05 + max(h for _, h in sizes)

    def places(self) -> list[tuple[Any, float, float]]:
        """Lines and heat maps with their centres, from top to bottom."""
        found, y = [], self.y + self.content[1] / 2
        for line in self.lines:
            found.append((line, self.x, y - line.height / 2))
            y -= line.height
        x = self.x - sum(map_size(m)[0] + _CELL for m in self.maps) / 2 + _CELL / 2
        for levels in self.maps:
            width, height = map_size(levels)
            found.append((levels, x + width / 2, y - 0.05 - height / 2))
            x += width + _CELL
        return found


def label_box(lines: list[Line], maps: Sequence[np.ndarray] = ()) -> Box:
    """A label on an edge, as large as its words. Plumbing."""
    box = Box(lines, kind="label", maps=list(maps))
    box.width, box.height = box.content
    return box


def node_box(
    lines: list[Line],
    node_kind: str,
    labels: Sequence[Box | None] = (),
    maps: Sequence[np.ndarray] = (),
) -> Box:
    """A node's box, as large as its words and as the labels at its doors need it.

    Plumbing.
    """
    box = Box(lines, kind=node_kind, maps=list(maps))
    width, height = box.content
    # Each input has its own door in the left wall; labels at the doors need room.
    pitch = max((label.height + 0.057 for label in labels if label), default=0.12)
    box.width = max(width + 0.2, 0.42)
    box.height = max(height + 0.12, pitch * (len(labels) + 1))
    return box


# --- Small heat maps ------------------------------------------------------------------


def heat_levels(data: Any) -> np.ndarray:
    """Shades 0 … 14 of an array, 7 for 0, in at most 8 × 8 cells.

    The scale is symmetric about 0 and ends at the largest cell. A cell of a larger
    array is the mean of a block; leading axes are joined into rows.

    Plumbing.
    """
    values = np.asarray(data, dtype=float)
    values = values.reshape(-1, values.shape[-1]) if values.ndim else values[None, None]
    for axis in (0, 1):
        values = _block_means(values, axis)
    values = np.nan_to_num(values)
    middle = len(HEAT) // 2
    far = np.abs(values).max(initial=0.0) or 1.0
    return np.rint(values / far * middle).astype(int) + middle


def _block_means(values: np.ndarray, axis: int) -> np.ndarray:
    if values.shape[axis] <= _MOST_CELLS:
        return values
    blocks = np.array_split(values, _MOST_CELLS, axis=axis)
    return np.stack([block.mean(axis=axis) for block in blocks], axis=axis)


def map_size(levels: np.ndarray) -> tuple[float, float]:
    """Width and height of a small heat map in inches. Plumbing."""
    rows, columns = levels.shape
    return columns * _CELL, rows * _CELL
