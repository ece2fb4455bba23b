"""The plane, coloured by what a classifier says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import CYCLE, axes, house_style, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "o^sDvPX*"


def decision_boundary(
    predict: Callable[[np.ndarray], Any],
    X: Any,
    y: Any,
    title: str,
    *,
    threshold: float | None = None,
) -> Figure:
    """Colour the plane by what `predict` says, and draw the points `X` by class.

    `predict` maps `(M, 2)` to `(M,)`: classes as integers, or scores, whose boundary
    is the line at `threshold` (1/2 if all scores lie in [0, 1], else 0).

    Raises
    ------
    ValueError : if X is not (N, 2), y not (N,), or what `predict` returns not (M,).

    Plumbing.
    """
    X, y = np.asarray(plain(X), dtype=float), np.asarray(plain(y))
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1]:
        raise ValueError(
            "decision_boundary: expected X (N, 2) and y (N,), "
            f"found {X.shape} and {y.shape}."
        )
    xs, ys, scores = _on_a_grid(predict, X)
    fig, ax = axes(title, "x₁", "x₂", size=(6.0, 4.4))
    with house_style():
        classes = np.unique(y)
        if scores.dtype.kind in "iub":
            classes = np.union1d(classes, scores)
        _color_plane(ax, xs, ys, scores, classes, threshold)
        for k, label in enumerate(classes):
            ax.scatter(
                *X[y == label].T,
                s=26,
                marker=_MARKERS[k % len(_MARKERS)],
                color=CYCLE[k % len(CYCLE)][0],
                edgecolor="white",
                linewidth=0.6,
                label=f"class {label}",
            )
        fig.legend(loc="outside right center", handletextpad=0.2)
    return fig


def _on_a_grid(predict: Callable, X: np.ndarray, n: int = 220) -> tuple:
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.08 * np.maximum(high - low, 1e-9)
    xs, ys = np.linspace(low - margin, high + margin, n).T
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    scores = np.asarray(plain(predict(points)))
    if scores.shape not in ((n * n,), (n * n, 1)):
        raise ValueError(
            f"decision_boundary: predict was given points of shape {points.shape} and "
            f"should return ({n * n},), one class or score each; found {scores.shape}."
        )
    return xs, ys, scores.reshape(n, n)


def _color_plane(
    ax: Axes, xs: Any, ys: Any, scores: Any, classes: Any, threshold: float | None
) -> None:
    """Pale regions in the colours of the classes, and dark lines between them."""
    if np.isin(scores, classes).all():
        for k, label in enumerate(classes):
            here = (scores == label).astype(float)
            _color_regions(ax, xs, ys, here, 0.5, [None, CYCLE[k % len(CYCLE)][0]])
        return
    if len(classes) > 2:
        raise ValueError(
            "decision_boundary: scores part two classes; y has more. "
            f"Let predict return one of the classes {classes.tolist()} for each point."
        )
    inside = scores.min() >= 0 and scores.max() <= 1
    middle = (0.5 if inside else 0.0) if threshold is None else threshold
    _color_regions(ax, xs, ys, scores, middle, [color for color, _ in CYCLE[:2]])


def _color_regions(
    ax: Axes, xs: Any, ys: Any, scores: Any, middle: float, colors: list
) -> None:
    """One colour below `middle`, another above it, and a line between the two."""
    low, high = scores.min(), scores.max()
    steps = [min(low, middle) - 1, middle, max(high, middle) + 1]
    for k, color in enumerate(colors):
        if color:
            levels = steps[k : k + 2]
            ax.contourf(xs, ys, scores, levels=levels, colors=[color], alpha=0.2)
    if low <= middle < high:
        ax.contour(xs, ys, scores, levels=[middle], colors="black", linewidths=1.1)
