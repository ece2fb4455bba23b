"""Computation graphs in their place: boxes in layers, and the edges between them.

`lay_out` turns boxes and the edges between them into a `Graph` that knows where all of
it stands. `graph` draws it on paper, `stepper` writes it as a picture that can be
stepped through. All lengths are inches; x grows to the right and y upwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.viz.boxes import Box


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
