"""A view as a picture: what stands in its boxes and on its edges, all in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_utils.viz import naming
from course_utils.viz.boxes import (
    Box,
    Line,
    heat_levels,
    label_box,
    node_box,
    text_width,
)
from course_utils.viz.layout import Graph, lay_out
from course_utils.viz.naming import grad_words
from course_utils.viz.stepper.steps import Script, local_slope, vjp_name
from course_utils.viz.stepper.views import Vertex, View
from course_utils.viz.stepper.watch import Arrival

BLUE = "#005A8C"  # dark enough for small letters, on white and on a shaded box
GREY = "#5F5F5F"
_SLOT = Line("", 3.0)  # between two lines of a label: here its edge passes


class Picture:
    """A view with everything in its place, and its steps. Plumbing."""

    def __init__(self, view: View):
        self.view, self.script = view, Script(view)

    def lay_out(self, labelled: bool = True) -> Graph:
        """Put everything into its place.

        Without labels on the edges, and heat maps, it takes less room and fewer bytes.
        """
        count, tails = range(len(self.view.vertices)), self.view.tails
        labels = [
            [self._label((i, k)) if labelled else None for k in range(len(tails[i]))]
            for i in count
        ]
        boxes = [self._box(i, labels[i], labelled) for i in count]
        loose = {i for i in count if self._unordered(self.view.vertices[i])}
        return lay_out(boxes, tails, labels, loose)

    def has_maps(self) -> bool:
        """Whether there are arrays to be seen."""
        outputs = map(self.view.outputs, range(len(self.view.vertices)))
        return any(len(found) == 1 and np.size(found[0].data) > 1 for found in outputs)

    def _unordered(self, vertex: Vertex) -> bool:
        return vertex.folded or bool(naming.unordered([vertex.node]))

    # --- what stands in a box ---

    def _box(self, i: int, labels: list[Box | None], mapped: bool) -> Box:
        vertex, outputs = self.view.vertices[i], self.view.outputs(i)
        lines = [*self._heading(vertex), self._value(outputs)]
        if grad := self.script.grad_text(i):
            lines.append(Line(grad, color=BLUE))
        maps = self._maps(outputs[0]) if mapped and len(outputs) == 1 else []
        box = node_box(lines, vertex.kind, labels, maps)
        # A sum that is not complete yet may be written longer than the last one.
        seen = [step.grad for step in self.script.steps if step.vertex == i]
        widest = max((text_width(text, 8.5) for text in seen), default=0.0)
        box.width = max(box.width, widest + 0.2)
        return box

    def _heading(self, vertex: Vertex) -> list[Line]:
        if vertex.folded:
            count = Line(f"{len(vertex.nodes)} nodes", 7.5, GREY)
            return [Line(vertex.name, 9.5, weight="bold"), count]
        title = self.view.names.title(vertex.node)
        return [Line(title, 9.5, weight="bold")] if title else []

    def _value(self, outputs: list[Any]) -> Line:
        if len(outputs) > 1:
            return Line(f"{len(outputs)} values")
        return Line(self.view.names.value(outputs[0].data))

    def _maps(self, node: Any) -> list[np.ndarray]:
        pair = [node.data, self.script.grads.get(id(node))]
        return [heat_levels(x) for x in pair if np.size(x) > 1]

    # --- what stands on an edge ---

    def _label(self, edge: tuple[int, int]) -> Box | None:
        arrivals = self.view.arrived.get(edge)
        if not arrivals:
            return None
        if self.view.vertices[edge[0]].folded:
            parts = np.concatenate([np.ravel(a.part) for a in arrivals])
            part = self._part(parts if len(parts) > 1 else parts[0])
            rule = Line(vjp_name(self.view.vertices[edge[0]].name), 7.5, GREY)
            return label_box([rule, _SLOT, part])
        [arrival] = arrivals[-1:]
        maps = [heat_levels(arrival.part)] if self._joins(arrival) else []
        lines = [self._rule(arrival), _SLOT, self._part(arrival.part)]
        return label_box(lines, maps)

    def _part(self, part: Any) -> Line:
        return Line(grad_words(part, self.view.names.digits), 7.5, BLUE)

    def _rule(self, arrival: Arrival) -> Line:
        slope = local_slope(arrival)
        if slope is None:
            return Line(vjp_name(arrival.node.op.name), 7.5, GREY)
        return Line(f"× {self.view.names.value(slope)}", 7.5, GREY)

    def _joins(self, arrival: Arrival) -> bool:
        """Whether other paths end here: else the part is all of the gradient."""
        others = (a for found in self.view.arrived.values() for a in found)
        return np.size(arrival.part) > 1 and any(
            a.at is arrival.at and a is not arrival for a in others
        )
