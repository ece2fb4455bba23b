"""Where attention looks: on a picture, and in a row of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import axes, plain
from course_utils.viz.matrices import _cells, _color_bar, _colors

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def attention_on_images(
    images: Any, weights: Any, *, title: str, titles: Sequence[Any]
) -> Figure:
    """Draw images (N, height·width), and beside each its weights (N, pieces) on it.

    The pieces lie on a square grid, row by row; the whiter a piece, the larger its
    share. Both images are square.

    Raises
    ------
    ValueError : if images, weights and titles differ in number, or one is not square.

    Plumbing.
    """
    pictures, shares = _squares("images", images), _squares("weights", weights)
    if not len(pictures) == len(shares) == len(titles):
        raise ValueError(
            f"attention_on_images: {len(pictures)} images, {len(shares)} rows of "
            f"weights and {len(titles)} titles; their numbers must be equal."
        )
    n, side = len(pictures), pictures.shape[1]
    fig, grid = axes(title, rows=2, cols=n, size=(1.15 * n, 2.9), squeeze=False)
    for above, below, picture, share, words in zip(
        *grid, pictures, shares, titles, strict=True
    ):
        above.imshow(picture, cmap="gray")
        above.set_title(str(words), size=9, loc="center", weight="normal", pad=3)
        below.imshow(picture, cmap="gray")
        edges = (-0.5, side - 0.5, side - 0.5, -0.5)
        look = {"cmap": "magma", "alpha": 0.7, "interpolation": "nearest"}
        below.imshow(share, extent=edges, vmin=0, **look)
        above.set_axis_off(), below.set_axis_off()
    return fig


def _squares(what: str, values: Any) -> np.ndarray:
    values = np.asarray(plain(values), dtype=float)
    side = round(values.shape[-1] ** 0.5) if values.ndim == 2 else 0
    if not side or side**2 != values.shape[-1]:
        raise ValueError(
            f"attention_on_images: expected {what} (N, side · side), found shape "
            f"{values.shape}."
        )
    return values.reshape(-1, side, side)


def attention_table(
    weights: Mapping[str, Any] | Any,
    queries: Sequence[Any],
    keys: Sequence[Any],
    *,
    title: str,
) -> Figure:
    """Draw weights (N, M) as colours: a row for each query, a column for each key.

    A mapping of names to such weights is drawn side by side.

    Raises
    ------
    ValueError : if the shape of weights is not that of queries and keys.

    Plumbing.
    """
    named = weights if isinstance(weights, Mapping) else {"": weights}
    shape = len(queries), len(keys)
    for values in named.values():
        if np.shape(plain(values)) != shape:
            raise ValueError(
                f"attention_table: weights of shape {np.shape(plain(values))}, but "
                f"{shape[0]} queries and {shape[1]} keys; they must be equal."
            )
    n = len(named)
    size = (n * (0.34 * shape[1] + 0.9) + 1.3, 0.32 * shape[0] + 1.5)
    fig, grid = axes(title, "looks at", "", 1, n, size, squeeze=False)
    for ax, (name, values) in zip(grid[0], named.items(), strict=True):
        colors = _colors("viridis")
        image = _cells(ax, plain(values), queries, keys, colors, vmin=0, vmax=1)
        ax.set_title(name, size=9, loc="center", weight="normal")
    grid[0][0].set_ylabel("token")
    _color_bar(fig, image, grid, "weight")
    return fig
