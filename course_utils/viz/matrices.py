"""Matrices and images as colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import WIDTH, axes, plain
from course_utils.viz.naming import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def confusion_matrix(
    matrix: Any,
    labels: Sequence[Any] | None = None,
    title: str = "Which class is taken for which",
) -> Figure:
    """Draw counts, rows true and columns predicted; colour shows the mistakes.

    The diagonal is left grey: it would outshine everything. Colour is the share of
    the row, count / (row sum), off the diagonal.

    Raises
    ------
    ValueError : if `matrix` is not square, holds negative counts, or `labels` differ
        from it in length.

    Plumbing.
    """
    counts = _matrix("confusion_matrix", matrix)
    n = len(counts)
    if counts.shape != (n, n) or counts.min() < 0:
        raise ValueError(
            "confusion_matrix: expected a square matrix of counts, rows true and "
            f"columns predicted, found shape {counts.shape}, minimum {counts.min():g}."
        )
    labels = list(range(n)) if labels is None else list(labels)
    if len(labels) != n:
        raise ValueError(f"confusion_matrix: {n} classes, but {len(labels)} labels.")
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300)
    shares[np.eye(n, dtype=bool)] = np.nan
    fig, ax = axes(title, "predicted", "true", size=_square(n, n, 0.46))
    image = _cells(ax, shares, labels, labels, _colors("magma_r", 0.75), vmin=0)
    _write_cells(ax, image, shares, [[f"{c:g}" for c in row] for row in counts])
    _color_bar(fig, image, ax, "mistakes, % of the row")
    return fig


def heat_map(
    matrix: Any,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    label: str,
    log: bool = False,
    annotate: bool = False,
    diverging: bool = False,
    blocks: tuple[int, int] | None = None,
) -> Figure:
    """Draw a matrix as colours; `label` says what they measure, with the unit.

    `log` takes the logarithm (cells ≤ 0 stay grey), `annotate` writes the numbers,
    `diverging` makes the scale symmetric about 0. `blocks`, so many rows and columns,
    parts the cells by thin lines.

    Raises
    ------
    ValueError : if `matrix` is no matrix; for `log` with `diverging`, or with nothing
        above 0.

    Plumbing.
    """
    values = _matrix("heat_map", matrix)
    shown = _fit_for("heat_map", values, log, diverging)
    fig, ax = axes(
        title, xlabel, ylabel, size=_square(*values.shape, 0.5 if annotate else 0.28)
    )
    image = _cells(ax, shown, None, None, **_scale(shown, log, diverging))
    _whole_ticks(ax, values.shape)
    if blocks:
        _part(ax, values.shape, blocks)
    if annotate:
        words = [[number(v, 3) for v in row] for row in values]
        _write_cells(ax, image, shown, words)
    _color_bar(fig, image, ax, label)
    return fig


def heat_maps(
    matrices: Mapping[str, Any],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    label: str = "",
    log: bool = False,
    annotate: bool = False,
    diverging: bool = False,
    own_scales: bool = False,
) -> Figure:
    """Draw named matrices of one shape side by side, as colours on one common scale.

    `label`, `log`, `annotate` and `diverging` as in `heat_map`. With no label there is
    no bar of colours: the numbers in the cells say enough. With `own_scales` each has
    colours of its own, where one would leave the other pale; then without a label.

    Raises
    ------
    ValueError : without matrices, for unequal shapes; for `own_scales` with a label;
        as `heat_map`.

    Plumbing.
    """
    if own_scales and label:
        raise ValueError(
            "heat_maps: one bar of colours serves one common scale; found a label with "
            "own_scales=True. Leave one of them out."
        )
    values = {name: _matrix("heat_maps", m) for name, m in matrices.items()}
    shapes = list(dict.fromkeys(m.shape for m in values.values()))
    if len(shapes) != 1:
        raise ValueError(
            "heat_maps: expected matrices of one shape, found "
            f"{', '.join(map(str, shapes)) or 'none'}."
        )
    every = _fit_for("heat_maps", np.stack(list(values.values())), log, diverging)
    wide, high = (max(n * 0.27, 0.9) for n in shapes[0][::-1])
    size = (len(values) * wide + (2.2 if label else 0.8), high + 1.2)
    fig, grid = axes(title, xlabel, "", 1, len(values), size, squeeze=False)
    scale, ends = _scale(every, log, diverging), (np.nanmin(every), np.nanmax(every))
    if log:
        scale["norm"].vmin, scale["norm"].vmax = ends
    elif not diverging:
        scale |= dict(zip(("vmin", "vmax"), ends, strict=True))
    for ax, name, shown in zip(grid[0], values, every, strict=True):
        if own_scales:
            scale = _scale(shown, log, diverging)
        image = _cells(ax, shown, None, None, **scale)
        ax.set_title(name, size=9, loc="center", weight="normal")
        _whole_ticks(ax, shapes[0])
        if annotate:
            words = [[number(v, 3) for v in row] for row in values[name]]
            _write_cells(ax, image, shown, words)
    grid[0][0].set_ylabel(ylabel)
    if label:
        _color_bar(fig, image, grid, label)
    return fig


def image_grid(
    images: Any,
    titles: Sequence[Any] | None = None,
    n_cols: int | None = None,
    title: str | None = None,
    shape: tuple[int, int] = (28, 28),
    cmap: str = "gray",
    *,
    diverging: bool = False,
) -> Figure:
    """Draw images `(N, height·width)` or `(N, height, width)` on one common scale.

    `diverging` is for weights: blue below 0, white at 0, red above, symmetric.

    Raises
    ------
    ValueError : if the images do not have `shape`, or `titles` differ in number.

    Plumbing.
    """
    pictures = _pictures(images, shape)
    n = len(pictures)
    if titles is not None and len(titles) != n:
        raise ValueError(f"image_grid: {n} images, but {len(titles)} titles.")
    n_cols = n_cols or min(n, 10)
    rows = -(-n // n_cols)
    side = min(1.1, WIDTH / n_cols)
    height = rows * (
        side * shape[0] / shape[1] + (0.22 if titles is not None else 0.05)
    )
    size = (side * n_cols + (0.8 if diverging else 0), height + (0.4 if title else 0.1))
    fig, grid = axes(title, rows=rows, cols=n_cols, size=size, squeeze=False)
    fig.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    scale = {"vmin": np.nanmin(pictures), "vmax": np.nanmax(pictures), "cmap": cmap}
    if diverging:
        scale = _scale(pictures, False, True)
    for ax in grid.flat:
        ax.set_axis_off()
    for k, (ax, picture) in enumerate(zip(grid.flat, pictures, strict=False)):
        image = ax.imshow(picture, interpolation="nearest", **scale)
        if titles is not None:
            ax.set_title(str(titles[k]), size=9, loc="center", weight="normal", pad=3)
    if diverging:
        _color_bar(fig, image, grid, "value")
    return fig


def picture_pairs(
    above: Any, below: Any, *, title: str, shape: tuple[int, int] = (28, 28)
) -> Figure:
    """Draw pictures in grey, and below each the signed values that belong to it.

    Both are `(N, height·width)` or `(N, height, width)`. Each picture of values has a
    colour scale of its own: blue below 0, white at 0, red above.

    Raises
    ------
    ValueError : if the two differ in number, or do not have `shape`.

    Plumbing.
    """
    pictures, values = _pictures(above, shape), _pictures(below, shape)
    n = len(pictures)
    if len(values) != n:
        raise ValueError(f"picture_pairs: {n} pictures, but values for {len(values)}.")
    side = min(1.1, WIDTH / n)
    size = (side * n, 2 * side * shape[0] / shape[1] + 0.4)
    fig, grid = axes(title, rows=2, cols=n, size=size, squeeze=False)
    for ax in grid.flat:
        ax.set_axis_off()
    for (top, bottom), picture, value in zip(grid.T, pictures, values, strict=True):
        top.imshow(picture, cmap="gray", interpolation="nearest")
        far = np.abs(value).max()
        bottom.imshow(
            value, cmap="RdBu_r", vmin=-far, vmax=far, interpolation="nearest"
        )
    return fig


def _matrix(what: str, matrix: Any) -> np.ndarray:
    matrix = np.asarray(plain(matrix), dtype=float)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"{what}: expected a matrix, found shape {matrix.shape}.")
    return matrix


def _fit_for(what: str, values: np.ndarray, log: bool, diverging: bool) -> np.ndarray:
    """What is shown of values: on a logarithmic scale nothing that is not above 0."""
    if log and (diverging or not (values > 0).any()):
        raise ValueError(
            f"{what}: log=True needs values above 0 and no diverging scale. "
            "Drop log, or take the absolute value."
        )
    return np.where(values > 0, values, np.nan) if log else values


def _colors(name: str, share: float = 1.0) -> Any:
    """The first `share` of a colour map; what is no number is grey."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    colors = matplotlib.colormaps[name](np.linspace(0, share, 256))
    return ListedColormap(colors).with_extremes(bad="#E4E4E4")


def _square(rows: int, cols: int, cell: float) -> tuple[float, float]:
    """A size in inches that gives every cell its place, within reason."""
    return min(9.0, max(4.2, cols * cell + 2.0)), min(8.0, max(2.6, rows * cell + 1.1))


def _cells(
    ax: Axes, values: np.ndarray, ylabels: Any, xlabels: Any, cmap: Any, **scale: Any
) -> Any:
    image = ax.imshow(
        values, cmap=cmap, interpolation="nearest", aspect="auto", **scale
    )
    if xlabels is not None:
        ax.set_xticks(range(len(xlabels)), [str(x) for x in xlabels])
        ax.set_yticks(range(len(ylabels)), [str(y) for y in ylabels])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image


def _write_cells(ax: Axes, image: Any, values: np.ndarray, words: list) -> None:
    """Write into every cell, white on dark and black on light."""
    rgb = image.cmap(image.norm(np.ma.masked_invalid(values)))[..., :3]
    light = rgb @ [0.299, 0.587, 0.114] > 0.5
    for i, j in np.ndindex(values.shape):
        color = "black" if light[i, j] else "white"
        ax.text(j, i, words[i][j], ha="center", va="center", size=8, color=color)


def _color_bar(fig: Figure, image: Any, ax: Any, label: str) -> None:
    bar = fig.colorbar(image, ax=ax, label=label, shrink=0.9, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8)


def _scale(values: np.ndarray, log: bool, diverging: bool) -> dict[str, Any]:
    from matplotlib.colors import LogNorm

    if diverging:
        far = np.nanmax(np.abs(values)) or 1.0
        return {"cmap": _colors("RdBu_r"), "vmin": -far, "vmax": far}
    return {"cmap": _colors("viridis"), **({"norm": LogNorm()} if log else {})}


def _whole_ticks(ax: Axes, shape: tuple[int, int]) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(min(10, shape[0]), integer=True))
    ax.xaxis.set_major_locator(MaxNLocator(min(10, shape[1]), integer=True))


def _part(ax: Axes, shape: tuple[int, int], blocks: tuple[int, int]) -> None:
    """Draw lines between blocks of cells; the ticks stand where a block begins."""
    rows, cols = (range(0, n, step) for n, step in zip(shape, blocks, strict=True))
    ax.set(yticks=rows, xticks=cols)
    for draw, starts in ((ax.axhline, rows), (ax.axvline, cols)):
        for start in starts[1:]:
            draw(start - 0.5, color="0.6", lw=0.8)


def _pictures(images: Any, shape: tuple[int, int]) -> np.ndarray:
    images = np.asarray(plain(images), dtype=float)
    fits = images.shape[1:] in (tuple(shape), (shape[0] * shape[1],))
    if not fits or not len(images):
        raise ValueError(
            f"image_grid: expected images (N, {shape[0] * shape[1]}) or "
            f"(N, {shape[0]}, {shape[1]}), found shape {images.shape}. "
            "One image is images[i:i + 1]; other sizes say shape=(height, width)."
        )
    return images.reshape(-1, *shape)
