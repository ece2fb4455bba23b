"""Paths of optimizers on a loss, seen from above as a map with contour lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import CYCLE, axes, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS = 41  # of a map, along each side


def draw_paths(
    loss_at: Callable[[np.ndarray], float],
    paths: Mapping[str, Any],
    *,
    title: str,
    levels: Any,
    labels: tuple[str, str] = ("x", "y"),
) -> Figure:
    """Draw named paths, (T, 2) each, side by side on the map of `loss_at`.

    `loss_at` takes a point (2,); `levels` are the heights of the contour lines. A star
    marks the start. All panels show the same piece of the plane.

    Raises
    ------
    ValueError : without paths, or where one is not (T, 2).

    Plumbing.
    """
    paths = {name: np.asarray(path, dtype=float) for name, path in paths.items()}
    shapes = {name: path.shape for name, path in paths.items()}
    if not paths or any(len(s) != 2 or s[1] != 2 for s in shapes.values()):
        raise ValueError(
            f"draw_paths: each path should be a row of points, (T, 2); found {shapes}."
        )
    x, y, heights = _map_of(loss_at, np.concatenate(list(paths.values())))
    size = 3.0 * len(paths), 3.4
    fig, grid = axes(title, labels[0], None, 1, len(paths), size, sharey=True)
    grid = np.atleast_1d(grid)
    with house_style():
        for k, (ax, (name, path)) in enumerate(zip(grid, paths.items(), strict=True)):
            lines = ax.contour(x, y, heights, levels, colors="0.7", linewidths=0.8)
            ax.clabel(lines, fontsize=7, fmt="%g")
            color = CYCLE[k % len(CYCLE)][0]
            ax.plot(*path.T, "o-", color=color, ms=3, lw=1.2)
            ax.plot(*path[0], "k*", ms=11)
            ax.set_title(name, fontsize=10)
        grid[0].set_ylabel(labels[1])
    return fig


def draw_slice(
    loss: Callable[[], Any],
    parameters: Sequence[Any],
    paths: Mapping[str, Any],
    through: tuple[str, str],
    *,
    title: str,
    levels: Any,
) -> Figure:
    """Cut the loss of many weights by a plane, and draw the paths' shadows on it.

    `loss()` is that of the weights which the `parameters` hold at the moment; a path,
    (T, D), holds all of them in one row, in this order, and all paths have one start.
    The plane goes through it and the ends of the two paths named in `through`; a panel
    says how much of a way, from start to end, lies in the plane. The parameters are
    left at the start.

    Raises
    ------
    ValueError : where a path of `through` is missing, or paths have other starts.

    Plumbing.
    """
    paths = {name: np.asarray(path, dtype=float) for name, path in paths.items()}
    if missing := [name for name in through if name not in paths]:
        raise ValueError(f"draw_slice: no path is called {missing}; of {list(paths)}.")
    start = next(iter(paths.values()))[0]
    if any(not np.array_equal(path[0], start) for path in paths.values()):
        raise ValueError("draw_slice: all paths should begin at the same point.")
    plane = _plane(*(paths[name][-1] - start for name in through))
    below = {name: (path - start) @ plane for name, path in paths.items()}
    named = {
        f"{name}: {_share(below[name], path):.0%} in the plane": below[name]
        for name, path in paths.items()
    }

    def height(point: np.ndarray) -> float:
        _put(start + plane @ point, parameters)
        return loss()

    labels = "along the first direction", "along the second"
    fig = draw_paths(height, named, title=title, levels=levels, labels=labels)
    _put(start, parameters)
    return fig


def _put(weights: np.ndarray, parameters: Sequence[Any]) -> None:
    cuts = np.cumsum([p.data.size for p in parameters])[:-1]
    for p, part in zip(parameters, np.split(weights, cuts), strict=True):
        p.data = part.reshape(p.data.shape)


def _plane(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two perpendicular directions of length 1, (D, 2); the second path ends above."""
    plane, _ = np.linalg.qr(np.stack([first, second], axis=1))
    return plane * np.where(plane.T @ second < 0, -1.0, 1.0)


def _share(shadow: np.ndarray, path: np.ndarray) -> float:
    way = np.linalg.norm(path[-1] - path[0])
    return float(np.linalg.norm(shadow[-1]) / way) if way else 1.0


def _map_of(loss_at: Callable, points: np.ndarray) -> tuple:
    """The heights on a grid around the points, (y, x)."""
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 1e-9)
    x, y = np.linspace(low - margin, high + margin, _POINTS).T
    heights = [[float(loss_at(np.array([a, b]))) for a in x] for b in y]
    return x, y, np.array(heights)
