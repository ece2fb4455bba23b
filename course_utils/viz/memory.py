"""Memory over time: which bytes a value has, and for how long."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from course_utils.viz.curves import plot_curves
from course_utils.viz.house import COLORS, GREY, PALE, axes, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROOM = 0.8, 0.05  # steps wide and share of the height that a name needs


def draw_memory(
    lives: Mapping[str, tuple[int, int, int]],
    places: Mapping[str, int],
    *,
    title: str,
    xlabel: str = "step of the program",
) -> Figure:
    """Draw each value as a box: from when to when it lives, and at which bytes.

    `lives` maps names to (born, dies, size), `places` to the first byte. A name is
    written where there is room for it. Boxes that meet would share bytes while both
    values are needed.

    Raises
    ------
    ValueError : without values, or if the names differ.

    Plumbing.
    """
    if not lives or lives.keys() != places.keys():
        raise ValueError(
            f"draw_memory: lives and places need the same names, found "
            f"{sorted(lives)} and {sorted(places)}."
        )
    top = max(places[name] + life[2] for name, life in lives.items())
    fig, ax = axes(title, xlabel, "byte", size=(7.5, 3.3))
    with house_style():
        for name, (born, dies, size) in lives.items():
            box = {"facecolor": PALE, "edgecolor": COLORS.blue, "linewidth": 1.2}
            ax.broken_barh([(born - 0.5, dies - born + 1)], (places[name], size), **box)
            middle = (born + dies) / 2, places[name] + size / 2
            if dies - born + 1 > _ROOM[0] and size > _ROOM[1] * top:
                ax.text(*middle, name, ha="center", va="center", fontsize=8)
        ax.set_ylim(0, 1.04 * top)
        ax.xaxis.get_major_locator().set_params(integer=True)
    return fig


def plot_cached(
    curves: Mapping[str, tuple], *, bytes_each: int, title: str, **labels: str
) -> Figure:
    """Plot times against sizes, and mark how many items fit into each cache.

    An item has `bytes_each` bytes; `labels` are those of `plot_curves`. Plumbing.
    """
    fig = plot_curves(curves, title=title, log="x", **labels)
    [ax] = fig.axes
    ax.set_ylim(0)
    with house_style():
        for name, size in cache_sizes().items():
            ax.axvline(size / bytes_each, color=GREY, linestyle=":", linewidth=1)
            place, points = (size / bytes_each, 0), "offset points"
            ax.annotate(name, place, xytext=(3, 4), textcoords=points)
    return fig


def cache_sizes() -> dict[str, int]:
    """The bytes of the caches, where the system tells; else those of many laptops.

    Plumbing.
    """
    found = {"L1": 32 << 10, "L2": 1 << 20, "L3": 16 << 20}
    for name, key in zip(found, ("1_DCACHE", "2_CACHE", "3_CACHE"), strict=True):
        key = f"SC_LEVEL{key}_SIZE"
        if key in getattr(os, "sysconf_names", {}) and os.sysconf(key) > 0:
            found[name] = os.sysconf(key)
    return found
