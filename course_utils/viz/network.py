"""The neural network: neurons in layers, weights on the edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.boxes import Box, Line, block_size, label_box
from course_utils.viz.house import COLORS, GREY, PALE, house_style, plain
from course_utils.viz.naming import grad_words, number
from course_utils.viz.sheet import MARGIN, canvas, edge_label, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_WEIGHTS = 40


def draw_network(
    weights: Sequence[Any],
    activations: Sequence[Any] | None = None,
    weight_grads: Sequence[Any] | None = None,
    activation_grads: Sequence[Any] | None = None,
    names: Sequence[Sequence[str]] | None = None,
    title: str | None = None,
    digits: int = 4,
) -> Figure:
    """Draw a fully connected network: neurons in layers, weights on the edges.

    Each of `weights` is `(fan_in, fan_out)`; `activations` and `names` have one entry
    a layer, the input included. Gradients ∂ stand in blue below the values; an entry
    that is None is left out.

    Raises
    ------
    ValueError : if shapes do not fit each other, or there are too many weights to read.

    Plumbing.
    """
    weights = [np.asarray(plain(W), dtype=float) for W in weights]
    sizes = _network_sizes(weights)
    _fits("weight_grads", weight_grads, [W.shape for W in weights])
    for what, given in (
        ("activations", activations),
        ("activation_grads", activation_grads),
    ):
        _fits(what, given, [(n,) for n in sizes])
    _fits_names(names, sizes)
    cells = [
        [
            _lines(
                _at(names, k, i),
                _at(activations, k, i),
                _at(activation_grads, k, i),
                digits,
            )
            for i in range(n)
        ]
        for k, n in enumerate(sizes)
    ]
    notes = [
        [
            [
                _lines(None, W[i, j], _at(weight_grads, k, i, j), digits, 8.0)
                for j in range(W.shape[1])
            ]
            for i in range(W.shape[0])
        ]
        for k, W in enumerate(weights)
    ]
    with house_style():
        return _draw_neurons(
            cells, notes, title, bool(weight_grads or activation_grads)
        )


@dataclass
class _Label:
    """Words on the edge from `start` to `end`, at `share` of the way."""

    lines: list[Line]
    start: tuple[float, float]
    end: tuple[float, float]
    share: float = 0.5

    @cached_property
    def size(self) -> tuple[float, float]:
        return block_size(self.lines)

    def box(self, share: float) -> tuple[float, float, float, float]:
        """Left, bottom, right, top, with a little air."""
        x, y = (a + share * (b - a) for a, b in zip(self.start, self.end, strict=True))
        width, height = self.size
        return (
            x - width / 2 - 0.05,
            y - height / 2,
            x + width / 2 + 0.05,
            y + height / 2,
        )


def _network_sizes(weights: list[np.ndarray]) -> list[int]:
    shapes = [W.shape for W in weights]
    if not shapes or any(len(shape) != 2 or 0 in shape for shape in shapes):
        raise ValueError(
            "draw_network: weights is a list of matrices (fan_in, fan_out), "
            f"found shapes {shapes}."
        )
    for k, (a, b) in enumerate(zip(shapes[:-1], shapes[1:], strict=True)):
        if a[1] != b[0]:
            raise ValueError(
                f"draw_network: weights[{k}] of shape {a} gives {a[1]} values, but "
                f"weights[{k + 1}] of shape {b} takes {b[0]}. Is one transposed?"
            )
    total = sum(W.size for W in weights)
    if total > _MOST_WEIGHTS:
        raise ValueError(
            f"draw_network: {total} weights cannot be read in one drawing "
            f"(at most {_MOST_WEIGHTS}). Draw a smaller network, or use heat_map."
        )
    return [shapes[0][0], *(shape[1] for shape in shapes)]


def _fits(what: str, given: Sequence[Any] | None, shapes: list[tuple]) -> None:
    if given is None:
        return
    found = [np.shape(part) for part in given if part is not None]
    expected = [s for part, s in zip(given, shapes, strict=False) if part is not None]
    if len(given) != len(shapes) or found != expected:
        raise ValueError(
            f"draw_network: {what} should have the shapes {shapes}, "
            f"found {[np.shape(part) for part in given]}."
        )


def _fits_names(names: Sequence[Sequence[str]] | None, sizes: list[int]) -> None:
    if names is not None and [len(layer) for layer in names] != sizes:
        raise ValueError(
            f"draw_network: names needs one list a layer, of lengths {sizes}, "
            f"found {[len(layer) for layer in names]}."
        )


def _at(values: Sequence[Any] | None, k: int, *where: int) -> Any:
    """Entry `where` of layer `k`, or None where nothing was given."""
    if values is None or values[k] is None:
        return None
    return values[k][where[0]] if len(where) == 1 else np.asarray(values[k])[where]


def _lines(name: Any, value: Any, grad: Any, digits: int, size: float = 8.5) -> list:
    lines = [Line(name, 9.5, weight="bold")] if name else []
    if value is not None:
        lines.append(Line(number(value, digits), size))
    if grad is not None:
        lines.append(Line(grad_words(float(grad), digits), size, COLORS.blue))
    return lines


def _draw_neurons(cells: list, notes: list, title: str | None, grads: bool) -> Figure:
    flat = [lines for layer in cells for lines in layer if lines]
    radius = max((np.hypot(*block_size(lines)) / 2 for lines in flat), default=0.15)
    radius = float(radius) + 0.06
    gap, labels, width, height = _spread(cells, notes, radius)
    key = "blue ∂: gradient of the loss" if grads else None
    fig, ax, x0, y0 = canvas(width + 2 * MARGIN, height + 2 * MARGIN, title, key)
    x0, y0 = x0 + MARGIN, y0 + MARGIN
    for label in labels:
        _draw_weight(ax, label, x0, y0)
    for layer, places in zip(cells, _centres(cells, radius, gap), strict=True):
        for lines, (x, y) in zip(layer, places, strict=True):
            _draw_neuron(ax, x + x0, y + y0, radius, lines)
    return fig


def _spread(cells: list, notes: list, radius: float) -> tuple:
    """Room in both directions such that no two labels meet."""
    gap, across = 2.2, 0.6
    for attempt in range(14):
        centres = _centres(cells, radius, (gap, across))
        labels = [
            _Label(notes[k][i][j], centres[k][i], centres[k + 1][j])
            for k in range(len(notes))
            for i in range(len(notes[k]))
            for j in range(len(notes[k][i]))
        ]
        meets, hides = _arrange(labels, radius)
        # No label ever hides another; that one hides a foreign edge may have to be.
        if not meets and (not hides or attempt >= 3):
            break
        gap, across = gap * 1.08, across * 1.15
    width = centres[-1][0][0] + radius
    height = max(y for layer in centres for _, y in layer) + radius
    return (gap, across), labels, width, height


def _centres(cells: list, radius: float, room: tuple[float, float]) -> list:
    gap, across = room
    pitch = 2 * radius + across
    tallest = max(map(len, cells))
    return [
        [
            (
                radius + k * (2 * radius + gap),
                radius + pitch * (tallest - 1 - i - (tallest - len(layer)) / 2),
            )
            for i in range(len(layer))
        ]
        for k, layer in enumerate(cells)
    ]


def _arrange(labels: list[_Label], radius: float) -> tuple[int, int]:
    """Move labels along their edges; count those that still meet, and hide an edge.

    Each takes in turn its cheapest place, the others being where they are.
    """
    for label in labels:
        label.share = 0.5
    for _ in range(6):
        before = [label.share for label in labels]
        for label in labels:
            label.share = _cheapest(label, _rivals(label, labels), radius)
        if before == [label.share for label in labels]:
            break
    clashes = [_clashes(x.box(x.share), _rivals(x, labels)) for x in labels]
    return sum(meets for meets, _ in clashes), sum(hides for _, hides in clashes)


def _rivals(label: _Label, labels: list[_Label]) -> list[tuple]:
    """Box and line of every other label between the same two layers."""
    near = [x for x in labels if x is not label and x.start[0] == label.start[0]]
    return [(x.box(x.share), x.start, x.end) for x in near]


def _cheapest(label: _Label, rivals: list[tuple], radius: float) -> float:
    def cost(share: float) -> float:
        meets, hides = _clashes(label.box(share), rivals)
        # Nearer to its source a label is easier to give to its edge.
        return 100 * meets + 3 * hides + abs(share - 0.36)

    return min(_shares(label, radius), key=cost)


def _shares(label: _Label, radius: float) -> list[float]:
    """Places along the edge that keep clear of the neurons at its ends."""
    length = label.end[0] - label.start[0]
    edge = (radius + label.size[0] / 2 + 0.06) / length
    return list(np.linspace(edge, 1 - edge, 25)) if edge < 0.5 else [0.5]


def _clashes(box: tuple, rivals: list[tuple]) -> tuple[int, int]:
    """How many labels and how many foreign edges a label in `box` would meet."""
    meets = sum(_meet(box, other) for other, _, _ in rivals)
    return meets, sum(_crosses(box, start, end) for _, start, end in rivals)


def _meet(a: tuple, b: tuple) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _crosses(box: tuple, start: tuple, end: tuple) -> bool:
    """Whether a straight line, seen over the box's width, comes within its height."""
    slope = (end[1] - start[1]) / (end[0] - start[0])
    ys = [start[1] + slope * (x - start[0]) for x in (box[0], box[2])]
    return min(ys) < box[3] and max(ys) > box[1]


def _draw_weight(ax: Axes, label: _Label, x0: float, y0: float) -> None:
    (xa, ya), (xb, yb) = label.start, label.end
    ax.plot([xa + x0, xb + x0], [ya + y0, yb + y0], color=GREY, lw=1, ls="-", zorder=1)
    left, bottom, right, top = label.box(label.share)
    box = label_box(label.lines)
    box.x, box.y = (left + right) / 2 + x0, (bottom + top) / 2 + y0
    edge_label(ax, box)


def _draw_neuron(ax: Axes, x: float, y: float, radius: float, lines: list) -> None:
    from matplotlib.patches import Circle

    look = {"facecolor": PALE, "edgecolor": "#333333", "linewidth": 1.2}
    ax.add_patch(Circle((x, y), radius, gid="box", zorder=3, **look))
    write(ax, Box(lines, x=x, y=y), gid="in box")
