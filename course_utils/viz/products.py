"""Matrix products as blocks of cells, with the row and the column that meet framed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import axes, house_style
from course_utils.viz.naming import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP = 1.2  # cells between two blocks, for the sign


def draw_products(
    products: Mapping[str, tuple[tuple[str, str, str], Any, Any]],
    at: tuple[int, int] = (0, 0),
) -> Figure:
    """Draw products below each other: `{title: ((name of A, of B, of A @ B), A, B)}`.

    A row of A, a column of B and the entry of A @ B that they give are framed, at row
    and column `at`. Small whole numbers can be recomputed in the head.

    Raises
    ------
    ValueError : without products, or if A and B do not fit.

    Plumbing.
    """
    if not products:
        raise ValueError("draw_products: expected at least one product, found none.")
    results = {title: _result(title, *parts) for title, parts in products.items()}
    high = max(max(len(A), len(B)) for _, A, B in products.values())
    size = 6.2, len(products) * (0.3 * high + 0.9)
    fig, grid = axes(rows=len(products), size=size, squeeze=False)
    far = max(np.abs(C).max() for C in results.values()) or 1.0
    with house_style():
        for ax, (title, (names, *pair)) in zip(
            grid[:, 0], products.items(), strict=True
        ):
            ax.set_title(title)
            _product(ax, names, [*map(np.asarray, pair), results[title]], at, far)
    return fig


def _result(title: str, names: Any, A: Any, B: Any) -> np.ndarray:
    shapes = np.shape(A), np.shape(B)
    if [len(s) for s in shapes] != [2, 2] or shapes[0][1] != shapes[1][0]:
        raise ValueError(
            f"draw_products: {title!r} has {names[0]} {shapes[0]} and {names[1]} "
            f"{shapes[1]}; the first needs as many columns as the second has rows."
        )
    return np.asarray(A) @ np.asarray(B)


def _product(ax: Axes, names: Any, matrices: Any, at: tuple[int, int], far: float):
    (rows, inner), cols = matrices[0].shape, matrices[1].shape[1]
    starts = 0, inner + _GAP, inner + cols + 2 * _GAP
    for x, name, M in zip(starts, names, matrices, strict=True):
        _block(ax, M, x, name, far)
    for x, sign in zip(starts[1:], "@=", strict=True):
        ax.text(x - _GAP / 2, 0, sign, ha="center", va="center", size=12)
    i, j = at
    _frame(ax, 0, i - rows / 2, inner, 1)
    _frame(ax, starts[1] + j, -inner / 2, 1, inner)
    _frame(ax, starts[2] + j, i - rows / 2, 1, 1)
    half = max(rows, inner) / 2
    ax.set(xlim=(-0.2, starts[2] + cols + 0.2), ylim=(half + 0.2, -half - 1.1))
    ax.set_aspect("equal")
    ax.set_axis_off()


def _block(ax: Axes, M: np.ndarray, x: float, name: str, far: float) -> None:
    rows, cols = M.shape
    top, extent = -rows / 2, (x, x + cols, rows / 2, -rows / 2)
    ax.imshow(M, extent=extent, cmap="RdBu_r", vmin=-far, vmax=far)
    label = f"{name} {M.shape}"
    ax.text(x + cols / 2, top - 0.2, label, ha="center", va="bottom", size=9)
    for (r, c), value in np.ndenumerate(M):
        color = "white" if abs(value) > 0.6 * far else "black"
        where = x + c + 0.5, top + r + 0.5
        ax.text(*where, number(value, 3), ha="center", va="center", size=8, color=color)


def _frame(ax: Axes, x: float, y: float, width: float, height: float) -> None:
    xs, ys = [x, x + width, x + width, x, x], [y, y, y + height, y + height, y]
    ax.plot(xs, ys, "k-", lw=2, clip_on=False)
