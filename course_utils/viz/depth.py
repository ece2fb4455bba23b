"""What deep networks do, in panels side by side: notebook 10."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import COLORS, axes, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLES = {1: "-", 4: "--", 16: "-.", 32: ":"}  # which singular values, and how drawn
_NOISE = 1e-14  # of the largest: what is below is rounding, not a singular value


def depth_maps(
    tables: Mapping[tuple[str, str], Any], depths: Iterable[int], *, title: str
) -> Figure:
    """Draw one map per (activation, first weights): depth against layer, by colour.

    A table has a row for each depth and a column for each layer, NaN where a network
    has no such layer. Colour is log₁₀, from −12 to 6.

    Raises
    ------
    ValueError : without tables, or if a table has other rows than `depths`.

    Plumbing.
    """
    depths = list(depths)
    shapes = {np.shape(table) for table in tables.values()}
    if len(shapes) != 1 or next(iter(shapes))[0] != len(depths):
        raise ValueError(
            f"depth_maps: expected tables of one shape with {len(depths)} rows, one a "
            f"depth; found shapes {sorted(shapes)}."
        )
    cols = len({name for _, name in tables})
    rows, layers = -(-len(tables) // cols), range(1, next(iter(shapes))[1] + 1)
    size = 2.25 * cols, 2.1 * rows + 0.1
    fig, grid = axes(title, None, None, rows, cols, size, sharex=True, sharey=True)
    with house_style():
        for ax, (names, table) in zip(np.ravel(grid), tables.items(), strict=False):
            color = np.log10(table)
            mesh = ax.pcolormesh(
                layers, depths, color, vmin=-12, vmax=6, cmap="viridis"
            )
            ax.set_title(", ".join(names), fontsize=10)
            ax.set(
                xlabel="layer",
                ylabel="depth",
                xticks=[1, len(layers) // 2, len(layers)],
            )
            ax.label_outer()
        fig.colorbar(
            mesh, ax=grid, label="log₁₀ of the norm", extend="both", shrink=0.8
        )
    return fig


def plot_singular_values(spectra: Mapping[str, Any], *, title: str) -> Figure:
    """Plot number 1, 4, 16 and 32 of the singular values against the layers.

    Each of `spectra` has a row for each number of layers, largest value first. A line
    ends where its values are rounding noise. The panels share one axis, from a power
    of ten below all that is drawn.

    Raises
    ------
    ValueError : without spectra, or with fewer than 32 values in a row.

    Plumbing.
    """
    shapes = {name: np.shape(values) for name, values in spectra.items()}
    if not shapes or any(len(s) != 2 or s[1] < max(_STYLES) for s in shapes.values()):
        raise ValueError(
            f"plot_singular_values: expected rows of {max(_STYLES)} values or more, "
            f"found {shapes}."
        )
    fig, grid = axes(title, "layers", None, 1, len(spectra), (9, 3.2), sharey=True)
    with house_style():
        for ax, (name, values) in zip(np.ravel(grid), spectra.items(), strict=True):
            _singular_values(ax, np.asarray(values))
            ax.set_title(name, fontsize=10)
        low = np.nanmin([line.get_ydata() for ax in fig.axes for line in ax.lines])
        np.ravel(grid)[0].set(
            ylabel="singular value", ylim=(10.0 ** (np.floor(np.log10(low)) - 1), 1e2)
        )
        np.ravel(grid)[-1].legend(loc="lower left", fontsize=8)
    return fig


def _singular_values(ax: Any, values: np.ndarray) -> None:
    layers = np.arange(1, len(values) + 1)
    for k, style in _STYLES.items():
        alive = values[:, k - 1] > _NOISE * values[:, 0]
        shown = np.where(alive, values[:, k - 1], np.nan)
        ax.semilogy(layers, shown, ls=style, lw=2, label=f"no. {k}")
    ax.set(xticks=[1, len(values) // 2, len(values)])


def plot_pairs(
    curves: Mapping[str, Any], pairs: Mapping[str, tuple[str, str]], *, title: str
) -> Figure:
    """Plot pairs of losses, a panel each: `{title: (failing, mended)}`, by name.

    Dashed is the failing one; a dotted line is at log 2, what two classes cost somebody
    who knows nothing.

    Raises
    ------
    ValueError : without pairs, or if a name has no curve.

    Plumbing.
    """
    missing = {name for pair in pairs.values() for name in pair} - set(curves)
    if not pairs or missing:
        raise ValueError(
            f"plot_pairs: expected pairs of names of curves, found {len(pairs)} pairs "
            f"and no curve for {sorted(missing)}."
        )
    rows = -(-len(pairs) // 3)
    fig, grid = axes(title, "step", "loss", rows, 3, (10, 2.8 * rows))
    with house_style():
        for ax, (name, pair) in zip(np.ravel(grid), pairs.items(), strict=False):
            _failing_and_mended(ax, *((one, curves[one]) for one in pair))
            ax.set_title(name)
        for ax in np.ravel(grid)[len(pairs) :]:
            ax.axis("off")
    return fig


def _failing_and_mended(
    ax: Any, failing: tuple[str, Any], mended: tuple[str, Any]
) -> None:
    ax.plot(failing[1], "--", color=COLORS.vermillion, lw=2.5, label=failing[0])
    ax.plot(mended[1], color=COLORS.blue, lw=1.5, label=mended[0])
    ax.axhline(np.log(2), color="0.6", lw=1, ls=":")
    ax.set(yscale="log", ylim=(1e-5, 3e3), xlim=(-5, len(mended[1])))
    ax.legend(fontsize=8, loc="upper right")


def plot_predicted(
    predicted: Mapping[str, Any], measured: Mapping[str, Any], *, title: str
) -> Figure:
    """Plot what was predicted as lines and what was measured as marks, layer by layer.

    Each value is a pair: the sizes on the way up, the sizes on the way down. The way
    down has a logarithmic axis.

    Raises
    ------
    ValueError : without predictions, or if the names or the shapes differ.

    Plumbing.
    """
    shapes = [{k: np.shape(v) for k, v in d.items()} for d in (predicted, measured)]
    if not predicted or shapes[0] != shapes[1]:
        raise ValueError(
            f"plot_predicted: expected a measurement for each prediction, of its "
            f"shape; found {shapes[0]} and {shapes[1]}."
        )
    fig, grid = axes(title, "layer", "standard deviation", cols=2, size=(9, 3.6))
    colors = (COLORS.blue, COLORS.vermillion, COLORS.green)
    with house_style():
        for k, name in enumerate(predicted):
            look = {"color": colors[k % 3], "ls": ("-", "--", "-.")[k % 3]}
            for ax, *way in zip(grid, predicted[name], measured[name], strict=True):
                _predicted(ax, *way, "os^"[k % 3], name, look)
        grid[0].set(title="forward: z", ylim=(0, 1.8))
        grid[1].set(title="backward: gradient of z", ylabel="", yscale="log")
        grid[1].legend(fontsize=9)
    return fig


def _predicted(
    ax: Any, line: Any, marks: Any, mark: str, name: str, look: dict
) -> None:
    layers = range(1, len(line) + 1)
    ax.plot(layers, line, lw=1.5, **look)
    ax.plot(layers, marks, mark, color=look["color"], ms=6, label=name)
