"""The steps of a view in words: the forward pass, then the backward pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.viz.naming import grad_words
from course_utils.viz.stepper.views import Moment, View, expression, is_scalar
from course_utils.viz.stepper.watch import Arrival, Seed

_BROADCASTS = {"+", "−", "×", "÷"}
_VJP_NAMES = {"@": "matmul", "σ": "sigmoid", "√": "sqrt", "[ ]": "indexing"}
_MOST_LEAVES = 8  # leaves that a sentence counts up


@dataclass
class Step:
    """What a step lights up, and what it says. Plumbing.

    `shows`: vertices whose values appear; `vertex` and `edge`: what is looked at;
    `grad`: what the gradient of `vertex` is from now on.
    """

    say: str
    shows: list[int] = field(default_factory=list)
    vertex: int = -1
    edge: int = -1
    grad: str = ""


class Script:
    """All steps of a view, from the leaves to the last gradient. Plumbing."""

    def __init__(self, view: View):
        self.view, self.names = view, view.names
        self.grads: dict[int, Any] = {}
        self.edges: dict[tuple[int, int], int] = {}
        for i, tails in enumerate(view.tails):
            for slot in range(len(tails)):
                self.edges[i, slot] = len(self.edges)
        self.steps = [self._start(), *self._forward(), *self._backward(), self._end()]

    # --- forward ---

    def _start(self) -> Step:
        given = [i for i, v in enumerate(self.view.vertices) if v.given]
        parts = [self._equals(self.view.vertices[i].node) for i in given]
        return Step(f"Given: {_list(filter(None, parts)) or 'constants'}.", given)

    def _equals(self, node: Any) -> str:
        name, value = self.names[node], self.names.value(node.data)
        return "" if name == value else f"{name} = {value}"

    def _forward(self) -> Iterator[Step]:
        for i, vertex in enumerate(self.view.vertices):
            if not vertex.given:
                say = self._enter(i) if vertex.folded else self._compute(vertex.node)
                yield Step(f"Forward. {say}.", [i], i)

    def _enter(self, i: int) -> str:
        outputs = self.view.outputs(i)
        count = len(self.view.vertices[i].nodes)
        made = _list(f"{self.names[x]} = {self.names.value(x.data)}" for x in outputs)
        return f"{self.view.vertices[i].name}, {count} nodes inside, gives {made}"

    def _compute(self, node: Any) -> str:
        names, value = self.names, self.names.value(node.data)
        said = f"{names[node]} = {names.formula(node)}"
        if is_scalar(node.data) and all(is_scalar(x.data) for x in node.inputs):
            return f"{said} = {names.numbers(node)} = {value}"
        return said + (f" = {value}" if is_scalar(node.data) else f", shape {value}")

    # --- backward ---

    def _backward(self) -> Iterator[Step]:
        for moment in self.view.moments:
            for event in moment.arrivals:
                self.grads[id(event.at)] = event.after
            edge = self.edges[moment.edge] if moment.edge else -1
            grad = self.grad_text(moment.vertex)
            yield Step(f"Backward. {self._say(moment)}", [], moment.vertex, edge, grad)

    def grad_text(self, i: int) -> str:
        """The gradient of a vertex as far as it has arrived; several by their norm."""
        found = [self.grads.get(id(node)) for node in self.view.outputs(i)]
        found = [grad for grad in found if grad is not None]
        if len(found) > 1:
            found = [np.concatenate([np.ravel(grad) for grad in found])]
        return grad_words(found[0], self.names.digits) if found else ""

    def _say(self, moment: Moment) -> str:
        if moment.inside:
            return self._stay(moment)
        if not moment.edge:
            return self._seed(moment.arrivals[-1])
        if self.view.vertices[moment.edge[0]].folded:
            return self._leave(moment)
        return self._arrive(moment.arrivals[-1])

    def _seed(self, event: Arrival | Seed) -> str:
        slope, grad = self.names.slope(event.at), self.names.grad(event.after)
        if event.at is not self.names.nodes[-1]:
            return f"From outside arrives {slope} = {grad}."
        return f"It begins at the end: {slope} = {grad}."

    def _stay(self, moment: Moment) -> str:
        vertex = self.view.vertices[moment.vertex]
        leaves = [x for x in vertex.nodes if x.op is None and id(x) in self.grads]
        said = f"Through {vertex.name}, from its end to its beginning."
        parts = (self._slope_is(x, self.grads[id(x)]) for x in leaves)
        return f"{said} Inside, {_list(parts)}." if leaves else said

    def _slope_is(self, node: Any, grad: Any) -> str:
        norm = "" if is_scalar(grad) else "norm of "
        return (
            f"{norm}{self.names.slope(node)} = {self.names.grad(grad).split(' ')[-1]}"
        )

    def _leave(self, moment: Moment) -> str:
        name = self.view.vertices[moment.edge[0]].name
        ends = {id(a.at): a for a in moment.arrivals}.values()
        parts = _list(self._slope_is(a.at, a.after) for a in ends)
        return f"Out of {name} come gradients: now {parts}."

    def _arrive(self, arrival: Arrival) -> str:
        names, node, x = self.names, arrival.node, arrival.at
        uses = sum(used is x for used in node.inputs)
        which = f" (input {arrival.slot + 1})" if uses > 1 else ""
        said = f"From {names[node]} = {names.formula(node)} to {names[x]}{which}:"
        return f"{said}\n{self._product(arrival)}\n{self._sum(arrival)}"

    def _product(self, arrival: Arrival) -> str:
        names, node, x = self.names, arrival.node, arrival.at
        slope = local_slope(arrival)
        if slope is None:
            return self._pullback(arrival)
        factors = [names.grad(arrival.incoming), names.value(slope)]
        chain = f"{names.slope(node)} × ∂{names[node]}/∂{names[x]}"
        return f"{chain} = {expression('×', factors)} = {names.grad(arrival.part)}"

    def _pullback(self, arrival: Arrival) -> str:
        names, op, x = self.names, arrival.node.op.name, arrival.at
        shapes = [str(np.shape(grad)) for grad in (arrival.incoming, arrival.part)]
        norm = names.value(np.linalg.norm(arrival.part))
        said = f"{vjp_name(op)}: gradient {shapes[0]} → {shapes[1]}, norm {norm}"
        if op in _BROADCASTS and shapes[0] != shapes[1]:
            return f"{said}; summed where {names[x]} was copied (broadcast undone)"
        return said

    def _sum(self, arrival: Arrival) -> str:
        slope, found = self.names.slope(arrival.at), self.names.grad(arrival.after)
        before, part, after = arrival.before, arrival.part, arrival.after
        if before is None:
            if _equal(after, part):
                return f"{slope} = {found}, the first to arrive."
            return f"{slope} is set to {found}."
        if np.shape(before) != np.shape(part) or not _equal(after, before + part):
            return (
                f"{slope} was {self.names.grad(before)}; it is overwritten by {found}."
            )
        both = [self.names.grad(before), self.names.grad(part)]
        plus = expression("+", both) if is_scalar(after) else "sum of both"
        stale = " The first number is left from an earlier pass." * arrival.stale
        return f"Paths join: {slope} = {plus} = {found}.{stale}"

    def _end(self) -> Step:
        leaves = [x for x in self.names.nodes if x.op is None and id(x) in self.grads]
        parts = _list(self._slope_is(x, self.grads[id(x)]) for x in leaves)
        return Step(f"Done. {parts}." if leaves else "Done.")


def _equal(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and np.allclose(a, b, 1e-9, 0.0, equal_nan=True)


def _list(parts: Iterable[str]) -> str:
    """Parts with commas; of many, the first few."""
    parts = list(parts)
    more = f", … ({len(parts)} in all)" if len(parts) > _MOST_LEAVES else ""
    return ", ".join(parts[:_MOST_LEAVES]) + more


def local_slope(arrival: Arrival) -> float | None:
    """The derivative along an edge: the operation's own vjp of 1; None for arrays.

    Plumbing.
    """
    if not all(map(is_scalar, (arrival.incoming, *arrival.data))):
        return None
    # x⁰ = 1, as a float or as an array without axes.
    one = arrival.incoming**0
    return arrival.node.op.vjp(one, *arrival.data)[arrival.slot]


def vjp_name(operation: str) -> str:
    """What stands on an edge through which no single number comes back. Plumbing."""
    return f"vjp of {_VJP_NAMES.get(operation, operation)}"
