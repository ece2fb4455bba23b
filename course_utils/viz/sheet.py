"""A sheet with words: what drawings of graphs and of networks have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_utils.viz.boxes import HEAT, Box, Line, map_size
from course_utils.viz.house import GREY, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.14


def canvas(
    width: float, height: float, title: str | None, key: str | None
) -> tuple[Figure, Axes, float, float]:
    """An empty sheet in inches; (x0, y0) is the lower left corner of the drawing.

    Plumbing.
    """
    head, foot = Line(title or "", 11, weight="bold"), Line(key or "", 7.5, GREY)
    top, bottom = (0.32 if title else 0.0), (0.26 if key else 0.0)
    full = max(width, head.width + 0.3, foot.width + 0.3)
    fig = figure((full, height + top + bottom))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, full), ylim=(0, height + top + bottom))
    ax.set_axis_off()
    for line, y in ((head, height + bottom + 0.12), (foot, 0.15)):
        if line.text:
            place = {"size": line.size, "weight": line.weight, "color": line.color}
            ax.text(0.12, y, line.text, va="center", gid="caption", **place)
    return fig, ax, (full - width) / 2, bottom


def write(ax: Axes, box: Box, gid: str) -> None:
    """Write the lines of a box under each other, its heat maps below. Plumbing."""
    for thing, x, y in box.places():
        if isinstance(thing, Line):
            _write_line(ax, thing, x, y, gid)
        else:
            _draw_map(ax, thing, x, y)


def _write_line(ax: Axes, line: Line, x: float, y: float, gid: str) -> None:
    look = {"size": line.size, "color": line.color, "weight": line.weight}
    place = {"ha": "center", "va": "center_baseline", "gid": gid, "zorder": 4}
    ax.text(x, y, line.text, **look, **place)


def _draw_map(ax: Axes, levels: np.ndarray, x: float, y: float) -> None:
    from matplotlib.colors import ListedColormap

    width, height = map_size(levels)
    extent = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)
    colors = ListedColormap(HEAT)
    look = {"cmap": colors, "vmin": 0, "vmax": len(HEAT) - 1, "zorder": 4}
    limits = ax.axis()
    ax.imshow(levels, extent=extent, interpolation="nearest", aspect="auto", **look)
    ax.axis(limits)


def edge_label(ax: Axes, box: Box) -> None:
    """Write a label over an edge, on a piece of paper of its own. Plumbing."""
    from matplotlib.patches import Rectangle

    corner = (box.x - box.width / 2 - 0.02, box.y - box.height / 2)
    size = (box.width + 0.04, box.height)
    paper = Rectangle(corner, *size, color="white", lw=0, zorder=2)
    paper.set_gid("label")
    ax.add_patch(paper)
    write(ax, box, gid="on edge")
