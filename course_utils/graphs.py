"""Computation graphs in their place: boxes in layers, the words in them, the edges.

`lay_out` turns boxes and the edges between them into a `Graph` that knows where all of
it stands. `viz.draw_graph` draws it on paper, `stepper` writes it as a picture that can
be stepped through. All lengths are inches; x grows to the right and y upwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SYMBOLS = {"relu": "ReLU", "sum": "Σ"}
_UNORDERED = {"+", "×"}
_DUMMY = 0.17  # inches kept free for an edge that passes a layer
_CELL = 0.06  # inches of one cell of a small heat map
_MOST_CELLS = 8  # cells a small heat map has along an axis
# Shades of a small heat map, cividis from dark to light: they can be told apart in grey
# too. The middle one is 0.
HEAT = (
    *("#00224e", "#002f6d", "#213b6e", "#39486c", "#4c556c", "#5d616e", "#6c6e72"),
    "#7d7c78",
    *("#8e8978", "#9f9775", "#b1a570", "#c5b568", "#d9c55c", "#edd54a", "#fee838"),
)


# --- Numbers and words ---------------------------------------------------------------


def number(value: Any, digits: int) -> str:
    """Write `digits` significant digits, a real minus sign, and no negative zero.

    Plumbing.
    """
    text = f"{float(value) + 0.0:.{digits}g}"
    return text.replace("-", "−")


def words(data: Any, digits: int) -> str:
    """Write a number as itself, an array as its shape. Plumbing."""
    if np.ndim(data) == 0:
        return number(data, digits)
    return str(np.shape(data))


def grad_words(grad: Any, digits: int) -> str:
    """Write a gradient as ∂ and its value; of an array, its norm. Plumbing."""
    if np.ndim(grad) == 0:
        return f"∂ {number(grad, digits)}"
    return f"‖∂‖ {number(np.linalg.norm(grad), digits)}"


def symbol(operation: str) -> str:
    """How a drawing writes the name of an operation. Plumbing."""
    exponent = operation.removeprefix("^")
    if exponent != operation and exponent.removeprefix("-").isdigit():
        return f"(·){exponent.translate(SUPERSCRIPTS)}"
    return _SYMBOLS.get(operation, operation.replace("_", " "))


def given_names(nodes: list[Any], names: Mapping[str, Any], who: str) -> dict[int, str]:
    """Give the name of each named node by its id; equal ones are joined by =.

    Raises
    ------
    ValueError : for a name whose node is not among `nodes`.
    TypeError : if `names` is no mapping.

    Plumbing.
    """
    if not isinstance(names, Mapping):
        raise TypeError(f'{who}: names maps names to nodes: {{"x": x, "y": y}}.')
    given: dict[int, list[str]] = {}
    for name, node in names.items():
        if not any(node is x for x in nodes):
            raise ValueError(
                f"{who}: the node named {name!r} is not part of this computation. "
                "Was it made anew after the output was computed?"
            )
        given.setdefault(id(node), []).append(name)
    return {key: " = ".join(same) for key, same in given.items()}


def title(node: Any, name: str) -> str:
    """What a node's box is called: `name`, `operation`, or `name (operation)`.

    Plumbing.
    """
    if node.op is None:
        return name
    sign = symbol(node.op.name)
    if not name or sign.startswith("("):
        return f"{name} {sign}".strip()
    return f"{name} ({sign})"


def kind(node: Any, output: Any) -> str:
    """Tell a constant, a leaf, an operation and the output apart. Plumbing."""
    if node is output:
        return "output"
    if node.op is not None:
        return "operation"
    return "leaf" if node.requires_grad else "constant"


def unordered(nodes: list[Any]) -> set[int]:
    """Give the positions of the operations whose inputs may change places. Plumbing."""
    return {i for i, node in enumerate(nodes) if node.op and node.op.name in _UNORDERED}


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width in inches: boxes are made to fit their words. Plumbing."""
    font = _font(weight)
    font.set_size(100, 72)  # so large that it matters no more how pixels lie
    font.set_text(text)
    points = font.get_width_height()[0] / 64 * size / 100
    # On a screen letters sit on whole pixels, which takes a little more.
    return 1.06 * points / 72


@lru_cache
def _font(weight: str) -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))


# --- Small heat maps -----------------------------------------------------------------


def heat_levels(data: Any) -> np.ndarray:
    """Shades 0 … 14 of an array, 7 for 0, in at most 8 × 8 cells.

    The scale is symmetric about 0 and ends at the largest cell. A cell of a larger
    array is the mean of a block; leading axes are joined into rows.

    Plumbing.
    """
    values = np.asarray(data, dtype=float)
    values = values.reshape(-1, values.shape[-1]) if values.ndim else values[None, None]
    for axis in (0, 1):
        values = _block_means(values, axis)
    values = np.nan_to_num(values)
    middle = len(HEAT) // 2
    far = np.abs(values).max(initial=0.0) or 1.0
    return np.rint(values / far * middle).astype(int) + middle


def _block_means(values: np.ndarray, axis: int) -> np.ndarray:
    if values.shape[axis] <= _MOST_CELLS:
        return values
    blocks = np.array_split(values, _MOST_CELLS, axis=axis)
    return np.stack([block.mean(axis=axis) for block in blocks], axis=axis)


# --- Words in boxes ------------------------------------------------------------------


@dataclass
class Line:
    """One line of text in a box, a circle or on an edge. Plumbing."""

    text: str
    size: float = 8.5
    color: str = "black"
    weight: str = "normal"

    @cached_property
    def width(self) -> float:
        """Width in inches."""
        return text_width(self.text, self.size, self.weight)

    @property
    def height(self) -> float:
        """Height in inches."""
        return self.size * 1.28 / 72


def block_size(lines: Sequence[Line]) -> tuple[float, float]:
    """Width and height of lines under each other. Plumbing."""
    return max(line.width for line in lines), sum(line.height for line in lines)


@dataclass
class Box:
    """A place on the sheet for lines and, below them, small heat maps in a row.

    A node has a box, so has a label on an edge, and so has an edge that passes a layer.
    Plumbing.
    """

    lines: list[Line] = field(default_factory=list)
    width: float = 0.0
    height: float = _DUMMY
    kind: str = "pass"
    maps: list[np.ndarray] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def content(self) -> tuple[float, float]:
        """Width and height of what is in it."""
        width, height = block_size(self.lines) if self.lines else (0.0, 0.0)
        if not self.maps:
            return width, height
        sizes = [map_size(levels) for levels in self.maps]
        row = sum(w for w, _ in sizes) + _CELL * (len(sizes) - 1)
        return max(width, row), height + 0.05 + max(h for _, h in sizes)

    def places(self) -> list[tuple[Any, float, float]]:
        """Lines and heat maps with their centres, from top to bottom."""
        found, y = [], self.y + self.content[1] / 2
        for line in self.lines:
            found.append((line, self.x, y - line.height / 2))
            y -= line.height
        x = self.x - sum(map_size(m)[0] + _CELL for m in self.maps) / 2 + _CELL / 2
        for levels in self.maps:
            width, height = map_size(levels)
            found.append((levels, x + width / 2, y - 0.05 - height / 2))
            x += width + _CELL
        return found


def map_size(levels: np.ndarray) -> tuple[float, float]:
    """Width and height of a small heat map in inches. Plumbing."""
    rows, columns = levels.shape
    return columns * _CELL, rows * _CELL


def label_box(lines: list[Line], maps: Sequence[np.ndarray] = ()) -> Box:
    """A label on an edge, as large as its words. Plumbing."""
    box = Box(lines, kind="label", maps=list(maps))
    box.width, box.height = box.content
    return box


def node_box(
    lines: list[Line],
    node_kind: str,
    labels: Sequence[Box | None] = (),
    maps: Sequence[np.ndarray] = (),
) -> Box:
    """A node's box, as large as its words and as the labels at its doors need it.

    Plumbing.
    """
    box = Box(lines, kind=node_kind, maps=list(maps))
    width, height = box.content
    # Each input has its own door in the left wall; labels at the doors need room.
    pitch = max((label.height + 0.057 for label in labels if label), default=0.12)
    box.width = max(width + 0.2, 0.42)
    box.height = max(height + 0.12, pitch * (len(labels) + 1))
    return box


# --- Everything in its place ---------------------------------------------------------


@dataclass
class Layers:
    """Vertices by layer from left to right, each from bottom to top. Plumbing."""

    columns: list[list[int]]
    start: dict[int, float]
    chains: dict[tuple[int, int], list[int]]

    def links(self) -> Iterable[tuple[int, int]]:
        """Every step of every edge from one layer to the next."""
        for (tail, head), passing in self.chains.items():
            path = [tail, *passing, head]
            yield from zip(path[:-1], path[1:], strict=True)


@dataclass
class Graph:
    """A graph with everything in its place.

    A layer's span is its left and right; before it lies its lane, in which edges are
    level and bear their labels.

    `tails[i]` are the vertices whose edges enter vertex i, `labels[i]` the labels of
    these edges, or None; `unordered` are vertices at which the order does not matter.
    Plumbing.
    """

    tails: list[list[int]]
    boxes: dict[int, Box]
    labels: list[list[Box | None]]
    unordered: set[int]
    layers: Layers
    spans: list[tuple[float, float]]
    lanes: list[float]

    def __post_init__(self) -> None:
        columns = enumerate(self.layers.columns)
        self.column_of = {v: k for k, column in columns for v in column}

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the sheet that it fills."""
        height = max(box.y + box.height / 2 for box in self.boxes.values())
        return self.spans[-1][1], height

    def span(self, vertex: int) -> tuple[float, float]:
        """Left and right end of the layer in which a vertex stands."""
        return self.spans[self.column_of[vertex]]

    def move(self, dx: float, dy: float) -> None:
        """Move everything."""
        for box in self.boxes.values():
            box.x, box.y = box.x + dx, box.y + dy
        self.spans = [(left + dx, right + dx) for left, right in self.spans]

    def doors(self, i: int) -> list[float]:
        """The heights at which inputs enter: in their order, where order matters."""
        n, box = len(self.tails[i]), self.boxes[i]
        ranks = list(range(n))
        if i in self.unordered:
            last = [(self.layers.chains[t, i] or [t])[-1] for t in self.tails[i]]
            by_height = sorted(ranks, key=lambda k: -self.boxes[last[k]].y)
            ranks = [by_height.index(k) for k in ranks]
        return [box.y + box.height * (0.5 - (rank + 1) / (n + 1)) for rank in ranks]

    def edges(self) -> Iterable[tuple[int, int]]:
        """Every edge: the vertex at which it ends, and its place among the inputs."""
        for i, tails in enumerate(self.tails):
            yield from ((i, slot) for slot in range(len(tails)))

    def route(self, i: int, slot: int) -> list[tuple[float, float]]:
        """Corners of an edge: level inside a layer, free to bend between two layers.

        So it meets no box and no label: inside a layer, and in the lane before it, it
        keeps to the place reserved for it.
        """
        tail, door = self.tails[i][slot], self.doors(i)[slot]
        twins = [k for k, t in enumerate(self.tails[i]) if t == tail]
        shift = 0.07 * ((len(twins) - 1) / 2 - twins.index(slot))
        start, end = self.boxes[tail], self.boxes[i]
        points = [(start.x + start.width / 2, start.y), (self.span(tail)[1], start.y)]
        for v in self.layers.chains[tail, i]:
            y = self.boxes[v].y + shift
            points += [(self.entrance(v), y), (self.span(v)[1], y)]
        return [*points, (self.entrance(i), door), (end.x - end.width / 2, door)]

    def entrance(self, vertex: int) -> float:
        """Where the lane before a vertex's layer begins."""
        return self.span(vertex)[0] - self.lanes[self.column_of[vertex]]

    def label(self, i: int, slot: int) -> Box | None:
        """The label of an edge, put in its place on the level piece before the door."""
        label = self.labels[i][slot]
        if label:
            label.x = self.span(i)[0] - _lane(label) / 2 - 0.02
            label.y = self.doors(i)[slot]
        return label


def lay_out(
    boxes: Sequence[Box],
    tails: list[list[int]],
    labels: list[list[Box | None]],
    unordered: set[int],
) -> Graph:
    """Put boxes into layers from left to right, with few crossings. Plumbing."""
    pairs = [(tail, i) for i, inputs in enumerate(tails) for tail in inputs]
    layers, placed = _layer(len(boxes), pairs), dict(enumerate(boxes))
    lanes = [_widest_lane(column, labels) for column in layers.columns]
    spans = _place(layers, placed, lanes)
    return Graph(tails, placed, labels, unordered, layers, spans, lanes)


def _layer(n: int, pairs: list[tuple[int, int]]) -> Layers:
    """Layers of a graph of `n` vertices; long edges get vertices `n`, `n` + 1, …."""
    from fast_sugiyama import from_edges

    # A fork taken twice is one edge for the layout, and two in the drawing.
    edges = list(dict.fromkeys(pairs))
    if not edges:
        return Layers([[0]], {0: 0.0}, {})
    [(positions, _, _, steps)] = from_edges(
        edges, dummy_vertices=True, vertex_spacing=1, ranking_type="minimize"
    )
    levels: dict[float, list[tuple[float, int]]] = {}
    for vertex, (across, level) in positions:
        levels.setdefault(-level, []).append((-across, vertex))
    columns = [[v for _, v in sorted(levels[key])] for key in sorted(levels)]
    start = {vertex: -across for vertex, (across, _) in positions}
    return Layers(columns, start, _chains(n, edges, steps))


def _chains(n: int, edges: list, steps: Iterable) -> dict:
    """For each edge the vertices, if any, at which it passes the layers between."""
    after: dict[int, list[int]] = {}
    for tail, head in steps:
        after.setdefault(tail, []).append(head)
    chains = {}
    for tail, _ in edges:
        for head in after[tail]:
            passing = []
            while head >= n:
                passing.append(head)
                [head] = after[head]
            chains[tail, head] = passing
    return chains


def _lane(label: Box | None) -> float:
    """Length of the level piece before a door: room for the label, or the arrow."""
    return label.width + 0.16 if label else 0.1


def _widest_lane(column: list[int], labels: list[list[Box | None]]) -> float:
    here = [label for v in column if v < len(labels) for label in labels[v]]
    return max(map(_lane, here), default=_lane(None))


def _place(
    layers: Layers, boxes: dict[int, Box], lanes: list[float]
) -> list[tuple[float, float]]:
    """Give every vertex its x and y; return each layer's left and right end."""
    for column in layers.columns:
        for vertex in column:
            boxes.setdefault(vertex, Box())
    _place_upright(layers, boxes)
    spans, x = [], 0.0
    for k, column in enumerate(layers.columns):
        x += _gap(layers, boxes, k) + lanes[k] if k else 0.0
        width = max(boxes[v].width for v in column)
        for vertex in column:
            boxes[vertex].x = x + width / 2
        spans.append((x, x + width))
        x += width
    return spans


def _gap(layers: Layers, boxes: dict[int, Box], k: int) -> float:
    """Room before layer `k`: more where edges climb, so that none gets too steep."""
    here = set(layers.columns[k])
    climbs = [abs(boxes[a].y - boxes[b].y) for a, b in layers.links() if b in here]
    return min(0.8, 0.24 + 0.14 * max(climbs, default=0.0))


def _place_upright(layers: Layers, boxes: dict[int, Box]) -> None:
    """Pull every vertex towards its neighbours, keeping order and distance."""
    near: dict[int, list[int]] = {v: [] for column in layers.columns for v in column}
    for tail, head in layers.links():
        near[tail].append(head)
        near[head].append(tail)
    for vertex, height in layers.start.items():
        boxes[vertex].y = height * 0.7
    for sweep in range(24):
        for column in layers.columns[:: -1 if sweep % 2 else 1]:
            wish = [_wish(v, near[v], boxes) for v in column]
            _settle([boxes[v] for v in column], wish)
    lowest = min(box.y - box.height / 2 for box in boxes.values())
    for box in boxes.values():
        box.y -= lowest


def _wish(vertex: int, near: list[int], boxes: dict[int, Box]) -> float:
    if not near:
        return boxes[vertex].y
    # A long edge wants to be straight more than a short one.
    weights = [4.0 if boxes[v].kind == "pass" else 1.0 for v in near]
    return float(np.average([boxes[v].y for v in near], weights=weights))


def _settle(column: list[Box], wish: list[float]) -> None:
    """Least squares to the wishes with every distance kept (pool adjacent violators).

    With the distances taken off, the places need only be non-decreasing.
    """
    offset, blocks = 0.0, []
    for k, box in enumerate(column):
        if k:
            offset += (column[k - 1].height + box.height) / 2 + 0.15
        blocks.append([wish[k] - offset, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, m), (b, n) = blocks[-2], blocks.pop()
            blocks[-1] = [(a * m + b * n) / (m + n), m + n]
    places = [place for place, count in blocks for _ in range(count)]
    offset = 0.0
    for k, box in enumerate(column):
        if k:
            offset += (column[k - 1].height + box.height) / 2 + 0.15
        box.y = places[k] + offset
