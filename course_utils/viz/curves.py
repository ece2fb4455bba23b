"""Curves with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import GREY, axes, house_style, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_curves(
    curves: Mapping[str, Any],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log: str | None = None,
    levels: Sequence[float] = (),
) -> Figure:
    """Plot named curves, each with its own colour and line style.

    A curve is a sequence of y, or a pair `(x, y)` as a tuple; `log` is "x", "y" or
    "xy". The legend stands beside the axes, in the order in which the curves end; each
    of `levels` is a dotted grey line.

    Raises
    ------
    ValueError : without curves; if x and y differ in length; for another `log`.

    Plumbing.
    """
    if not isinstance(curves, Mapping) or not curves:
        raise ValueError('plot_curves: curves maps names to values: {"loss": losses}.')
    if log not in (None, "x", "y", "xy"):
        raise ValueError(f'plot_curves: log is "x", "y" or "xy", not {log!r}.')
    points = {name: _points(name, curve) for name, curve in curves.items()}
    fig, ax = axes(title, xlabel, ylabel)
    with house_style():
        handles = [ax.plot(x, y, label=name)[0] for name, (x, y) in points.items()]
        for axis in log or "":
            getattr(ax, f"set_{axis}scale")("log")
        for level in levels:
            ax.axhline(level, color=GREY, lw=0.8, ls=":")
        _count_in_whole_numbers(ax, points, log)
        if len(points) > 1:
            handles.sort(key=lambda line: -_last(line.get_ydata()))
            fig.legend(handles=handles, loc="outside right center", handlelength=2.8)
    return fig


def plot_beside(
    x: Any, panels: Mapping[str, Mapping[str, Any]], *, title: str, xlabel: str
) -> Figure:
    """Plot panels of named curves side by side over one x: `{ylabel: {name: y}}`.

    The panels name the same things in the same order: the legend stands in the first.

    Raises
    ------
    ValueError : without panels; if x and y differ in length.

    Plumbing.
    """
    if not isinstance(panels, Mapping) or not panels:
        raise ValueError('plot_beside: panels maps labels to curves: {"y": {"a": y}}.')
    fig, grid = axes(title, xlabel, cols=len(panels))
    with house_style():
        for ax, (ylabel, curves) in zip(np.ravel(grid), panels.items(), strict=True):
            for name, y in curves.items():
                ax.plot(*_points(name, (x, y)), label=name)
            ax.set_ylabel(ylabel)
        fig.axes[0].legend()
    return fig


def _count_in_whole_numbers(ax: Axes, points: dict, log: str | None) -> None:
    from matplotlib.ticker import MaxNLocator

    # Epochs and steps are counted: there is no epoch 2.5.
    if "x" not in (log or "") and all(
        (x == x.round()).all() for x, _ in points.values()
    ):
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10]))


def _points(name: str, curve: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(curve, tuple) and len(curve) == 2 and np.ndim(plain(curve[1])):
        x, y = (np.asarray(plain(part), dtype=float) for part in curve)
    else:
        y = np.asarray(plain(curve), dtype=float)
        x = np.arange(len(y)) if y.ndim else np.array(0)
    if x.ndim != 1 or x.shape != y.shape or not len(y):
        raise ValueError(
            f"curve {name!r} should be a sequence of numbers or a pair "
            f"(x, y) of equal lengths, found shapes {x.shape} and {y.shape}."
        )
    return x, y


def _last(y: np.ndarray) -> float:
    finite = y[np.isfinite(y)]
    return float(finite[-1]) if len(finite) else -np.inf
