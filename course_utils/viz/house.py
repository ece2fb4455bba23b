"""The style of the house: one look for every figure.

Figures are made without pyplot: none is displayed twice or left open. Matplotlib is
imported where it is used.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.tape import Node

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008): colours that stay apart for colour-blind readers.
COLORS = SimpleNamespace(
    black="#000000",
    orange="#E69F00",
    sky_blue="#56B4E9",
    green="#009E73",
    yellow="#F0E442",
    blue="#0072B2",
    vermillion="#D55E00",
    purple="#CC79A7",
)

# Yellow is left out: a thin yellow line on white cannot be seen.
CYCLE = [
    (COLORS.blue, "-"),
    (COLORS.vermillion, "--"),
    (COLORS.green, "-."),
    (COLORS.black, ":"),
    (COLORS.purple, (0, (6, 1, 1, 1, 1, 1))),
    (COLORS.orange, (0, (3, 1))),
    (COLORS.sky_blue, (0, (1, 0.6))),
]

GREY = "#5F5F5F"

PALE = "#DCEAF5"

DPI = 110

WIDTH = 7.5  # inches


def plain(values: Any) -> Any:
    """The data of a tensor; anything else as it is. Plumbing."""
    return values.data if isinstance(values, Node) else values


def style() -> None:
    """Give every later figure of this notebook the house style.

    Plumbing.
    """
    import matplotlib

    matplotlib.rcParams.update(_rc())


def axes(
    title: str | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    rows: int = 1,
    cols: int = 1,
    size: tuple[float, float] | None = None,
    **kwargs: Any,
) -> tuple[Figure, Any]:
    """Make a figure with `rows` × `cols` axes in house style; `size` is in inches.

    One axes comes back alone, several as an array, as `plt.subplots` does; `kwargs`
    go there too (`sharey=True`). Show the figure with `show(fig, alt)`.

    Raises
    ------
    ValueError : if rows or cols is below 1.

    Plumbing.
    """
    if rows < 1 or cols < 1:
        raise ValueError(
            f"axes: rows and cols must be 1 or more, not {rows} and {cols}."
        )
    with house_style():
        fig = figure(size or (WIDTH, 3.9 * rows**0.8), layout="constrained")
        grid = fig.subplots(rows, cols, **kwargs)
        for ax in np.ravel(grid):
            ax.set(xlabel=xlabel or "", ylabel=ylabel or "")
            ax.tick_params(labelsize=9)
        _set_title(fig, grid, title)
    return fig, grid


def _rc() -> dict[str, Any]:
    from cycler import cycler

    colors, styles = zip(*CYCLE, strict=True)
    return {
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "font.family": "DejaVu Sans",  # Matplotlib brings it: the same everywhere
        "font.size": 10.0,
        "axes.titlesize": 11.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=colors) + cycler(linestyle=styles),
        "axes.unicode_minus": True,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
        "image.cmap": "viridis",
        "figure.constrained_layout.w_pad": 0.08,
        "figure.constrained_layout.h_pad": 0.08,
    }


def house_style() -> Any:
    """Give a context in which all that is drawn has the house style. Plumbing."""
    import matplotlib

    return matplotlib.rc_context(_rc())


def figure(size: tuple[float, float], layout: str | None = None) -> Figure:
    """Make an empty figure without pyplot; `size` is in inches. Plumbing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fig = Figure(figsize=size, dpi=DPI, layout=layout)
    FigureCanvasAgg(fig)
    return fig


def _set_title(fig: Figure, grid: Any, title: str | None) -> None:
    if title and np.size(grid) == 1:
        np.ravel(grid)[0].set_title(title)  # one axes, alone or in an array
    elif title:
        fig.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
