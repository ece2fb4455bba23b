"""The stepping view: a recorded computation, played forward and backward by hand.

`play` looks on while a backward pass runs, and notes which gradient arrived where. The
engine itself adds and multiplies; so a broken engine shows its own wrong numbers.
`page` turns the notes into a picture (SVG) that is complete by itself, and that carries
its steps and the script that plays them. A page takes it out of the picture and lets
the reader step; where scripts do not run, the picture stays.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MemberDescriptorType
from typing import Any

import numpy as np

from course_utils import graphs
from course_utils.graphs import Box, Graph, Line, grad_words, words
from course_utils.tape import Tape

_BLUE = "#0072B2"
_GREY = "#5F5F5F"
_INFIX = {"+", "−", "×", "÷", "@"}
_BROADCASTS = {"+", "−", "×", "÷"}
_VJP_NAMES = {"@": "matmul", "σ": "sigmoid", "√": "sqrt", "[ ]": "indexing"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MOST_LISTED = 40  # nodes that an alt text goes through one by one
_MOST_LEAVES = 8  # leaves that a sentence counts up
_PIXELS = 110  # of an inch, on a screen


# --- Looking on while a backward pass runs --------------------------------------------


@dataclass
class Arrival:
    """What came back through `node` to its input number `slot`. Plumbing."""

    node: Any
    slot: int
    incoming: Any
    part: Any
    before: Any
    after: Any
    stale: bool = False

    @property
    def at(self) -> Any:
        """The input at which it arrived."""
        return self.node.inputs[self.slot]


@dataclass
class Seed:
    """A gradient that was set from outside, as the output's 1 is. Plumbing."""

    at: Any
    after: Any


class _Watch:
    """Keeps the account of a backward pass: which rule was called, what was set."""

    def __init__(self) -> None:
        self.events: list[Arrival | Seed] = []
        self.last: dict[int, Any] = {}
        self.touched: set[int] = set()
        self.called: tuple[Any, Any] = (None, None)
        self.due: list[tuple[int, Any]] = []

    def rule_of(self, node: Any, vjp: Callable[..., tuple]) -> Callable[..., tuple]:
        """Make the rule of a node say when it is called, and what it gives back."""

        def rule(grad_out: Any, *rest: Any) -> tuple:
            parts = vjp(grad_out, *rest)
            self.called = (node, _copy(grad_out))
            self.due = [(k, _copy(part)) for k, part in enumerate(parts)]
            return parts

        return rule

    def was_set(self, node: Any, value: Any) -> None:
        """Note that a gradient was set, and by which edge."""
        value, before = _copy(value), self.last.get(id(node))
        self.last[id(node)] = value
        stale = before is not None and id(node) not in self.touched
        self.touched.add(id(node))
        source, incoming = self.called
        for k, (slot, part) in enumerate(self.due):
            if source.inputs[slot] is node:
                del self.due[k]
                notes = (source, slot, incoming, part, before, value, stale)
                if node.requires_grad:  # what a constant gets is not looked at
                    self.events.append(Arrival(*notes))
                return
        if value is not None and np.any(value):
            self.events.append(Seed(node, value))
        else:
            self.last[id(node)] = None  # cleared: what comes next is the first


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _watched(kind: type, watch: _Watch) -> type:
    """The same class, whose `grad` tells `watch` when it is set."""
    slot = getattr(kind, "grad", None)

    def get(node: Any) -> Any:
        is_slot = isinstance(slot, MemberDescriptorType)
        return slot.__get__(node) if is_slot else node.__dict__["grad"]

    def put(node: Any, value: Any) -> None:
        watch.was_set(node, value)
        if isinstance(slot, MemberDescriptorType):
            slot.__set__(node, value)
        else:
            node.__dict__["grad"] = value

    return type(kind.__name__, (kind,), {"__slots__": (), "grad": property(get, put)})


@contextmanager
def _watching(nodes: list[Any]) -> Iterator[_Watch]:
    watch, before = _Watch(), [(node, type(node), node.op) for node in nodes]
    kinds = {kind: _watched(kind, watch) for _, kind, _ in before}
    try:
        for node, kind, op in before:
            watch.last[id(node)] = _copy(node.grad)
            node.__class__ = kinds[kind]
            if op is not None:
                node.op = op._replace(vjp=watch.rule_of(node, op.vjp))
        yield watch
    finally:
        for node, kind, op in before:
            node.__class__, node.op = kind, op


def play(
    output: Any, backward: Callable[[Any], None] | None = None
) -> tuple[list[Any], list[Arrival | Seed]]:
    """Run a backward pass under observation; give the nodes and what happened.

    Gradients that were there before stay as they were, unless `backward` is given.

    Raises
    ------
    ValueError : if the output is an array and has no gradient yet, or needs none.
    TypeError : if `output` is neither a node nor a tape.

    Plumbing.
    """
    tape = _tape(output)
    earlier = [(node, node.grad) for node in tape.nodes if node.grad is not None]
    if backward is None:
        _can_go_back(tape.output)
    with _watching(tape.nodes) as watch:
        if backward is None:
            tape.backward(tape.output.grad)
        else:
            backward(output)
    if backward is None:
        for node, grad in earlier:
            node.grad = grad
    return tape.nodes, watch.events


def _tape(output: Any) -> Tape:
    # A notebook that builds its own Tape and Node can be stepped through as well.
    last = output.output if hasattr(output, "operations") else output
    if not all(hasattr(last, name) for name in ("inputs", "data", "op", "grad")):
        raise TypeError(
            "step: expected a Value, a Tensor or a Tape, "
            f"found {type(output).__name__}."
        )
    return Tape(last)


def _can_go_back(output: Any) -> None:
    if output.grad is None and np.size(output.data) != 1:
        raise ValueError(
            f"step: the output has shape {np.shape(output.data)}, and a gradient is "
            "that of one number. Step through a loss (.sum(), .mean()), or call "
            "output.backward(grad_out) first."
        )


# --- What things are called -----------------------------------------------------------


@dataclass
class Names:
    """What every node is called in formulas, and how its value is written. Plumbing."""

    nodes: list[Any]
    given: dict[int, str]
    digits: int = 4
    of: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        taken, count = set(self.given.values()), 0
        for node in self.nodes:
            if name := self.given.get(id(node)) or self._plain(node, taken):
                self.of[id(node)] = name
                continue
            count += 1
            while (name := f"v{count}".translate(_SUBSCRIPTS)) in taken:
                count += 1
            self.of[id(node)] = name

    def _plain(self, node: Any, taken: set[str]) -> str:
        """A constant is called by its value, the output `out`."""
        if node is self.nodes[-1] and "out" not in taken:
            return "out"
        constant = node.op is None and not node.requires_grad
        return self.value(node.data) if constant and _is_scalar(node.data) else ""

    def __getitem__(self, node: Any) -> str:
        return self.of[id(node)]

    def value(self, data: Any) -> str:
        """A number, or the shape of an array."""
        return words(data, self.digits)

    def title(self, node: Any) -> str:
        """The heading of a node's box."""
        if node.op is None and self[node] == self.value(node.data):
            return ""
        return graphs.title(node, self[node])

    def formula(self, node: Any) -> str:
        """How a node was computed, in names."""
        return _expression(node.op.name, [self[x] for x in node.inputs])

    def numbers(self, node: Any) -> str:
        """How a node was computed, in numbers."""
        return _expression(node.op.name, [self.value(x.data) for x in node.inputs])

    def slope(self, node: Any) -> str:
        """∂output/∂node."""
        return f"∂{self[self.nodes[-1]]}/∂{self[node]}"

    def grad(self, grad: Any) -> str:
        """A gradient in numbers: of an array, its norm."""
        return grad_words(grad, self.digits).removeprefix("∂ ")


def _is_scalar(data: Any) -> bool:
    return np.ndim(data) == 0


def _expression(operation: str, operands: list[str]) -> str:
    """`a × b`, `x²`, `tanh(x)`; a negative number beside a sign in parentheses."""
    signed = [f"({x})" if x.startswith("−") else x for x in operands]
    if operation in _INFIX and len(operands) == 2:
        return f" {operation} ".join(signed)
    if operation.startswith("^"):
        return signed[0] + graphs.symbol(operation).removeprefix("(·)")
    if operation == "neg":
        return f"−{signed[0]}"
    return f"{operation}({', '.join(operands)})"


def _vjp_name(operation: str) -> str:
    return f"vjp of {_VJP_NAMES.get(operation, operation)}"


# --- What can be seen: nodes, or modules with nodes inside ----------------------------


@dataclass
class Vertex:
    """One box: a node, or a module that holds several. Plumbing."""

    nodes: list[Any]
    kind: str
    name: str = ""

    @property
    def node(self) -> Any:
        """The node, or the last one inside."""
        return self.nodes[-1]

    @property
    def folded(self) -> bool:
        """Whether it is a module."""
        return self.kind == "module"

    @property
    def given(self) -> bool:
        """Whether nothing of this view computes it."""
        return not self.folded and (self.kind == "outside" or self.node.op is None)


@dataclass
class Moment:
    """One move of the backward pass, as far as it is seen. Plumbing."""

    vertex: int
    edge: tuple[int, int] | None = None
    arrivals: list[Arrival] = field(default_factory=list)
    inside: bool = False


@dataclass
class View:
    """The vertices of one picture, the edges between them, and what moves. Plumbing."""

    names: Names
    vertices: list[Vertex]
    events: list[Arrival | Seed]
    title: str = ""

    def __post_init__(self) -> None:
        found = enumerate(self.vertices)
        self.of = {id(node): i for i, vertex in found for node in vertex.nodes}
        self.tails = [self._tails(i) for i in range(len(self.vertices))]
        self.moments = list(self._moments())
        self.arrived = {m.edge: m.arrivals for m in self.moments if m.edge}

    def _tails(self, i: int) -> list[int]:
        vertex = self.vertices[i]
        if vertex.given:
            return []
        tails = [self.of[id(x)] for node in vertex.nodes for x in node.inputs]
        # All that a module takes from one vertex is one edge.
        return (
            list(dict.fromkeys(t for t in tails if t != i)) if vertex.folded else tails
        )

    def head(self, event: Arrival | Seed) -> int | None:
        """The vertex through which something came back; None if it is not seen."""
        i = self.of.get(id(event.node)) if isinstance(event, Arrival) else None
        return None if i is None or self.vertices[i].given else i

    def edge(self, arrival: Arrival) -> tuple[int, int] | None:
        """The edge along which it came; None if it stayed inside a module."""
        head, tail = self.head(arrival), self.of[id(arrival.at)]
        if not self.vertices[head].folded:
            return head, arrival.slot
        return (head, self.tails[head].index(tail)) if tail != head else None

    def _moments(self) -> Iterator[Moment]:
        last = {self.head(event): k for k, event in enumerate(self.events)}
        waiting: dict[int, list[Arrival]] = {}
        for k, event in enumerate(self.events):
            head, tail = self.head(event), self.of.get(id(event.at))
            if head is None and tail is not None and not self._is_outside(tail):
                yield Moment(tail, arrivals=[event])
            elif head is not None and self.vertices[head].folded:
                waiting.setdefault(head, []).append(event)
                if last[head] == k:
                    yield from self._through(head, waiting.pop(head))
            elif head is not None:
                yield Moment(tail, self.edge(event), [event])

    def _is_outside(self, i: int) -> bool:
        return self.vertices[i].kind == "outside"

    def _through(self, head: int, arrivals: list[Arrival]) -> Iterator[Moment]:
        """A whole module: what happens inside, then each edge that leaves it."""
        yield Moment(head, arrivals=arrivals, inside=True)
        by_edge: dict[tuple[int, int], list[Arrival]] = {}
        for arrival in arrivals:
            if edge := self.edge(arrival):
                by_edge.setdefault(edge, []).append(arrival)
        for edge, found in by_edge.items():
            yield Moment(self.tails[edge[0]][edge[1]], edge, found)

    def outputs(self, i: int) -> list[Any]:
        """The nodes of a vertex that others use."""
        vertex = self.vertices[i]
        if not vertex.folded:
            return vertex.nodes
        used = {
            id(x)
            for node in self.names.nodes
            if self.of.get(id(node)) != i
            for x in node.inputs
        }
        return [node for node in vertex.nodes if id(node) in used] or [vertex.node]


# --- The words of a step --------------------------------------------------------------


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
        return Step(f"Given: {_list(filter(None, parts))}.", given)

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
        if _is_scalar(node.data) and all(_is_scalar(x.data) for x in node.inputs):
            return f"{said} = {names.numbers(node)} = {value}"
        return said + (f" = {value}" if _is_scalar(node.data) else f", shape {value}")

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
        norm = "" if _is_scalar(grad) else "norm of "
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
        which = f" (input {arrival.slot + 1})" if node.inputs.count(x) > 1 else ""
        said = f"From {names[node]} = {names.formula(node)} to {names[x]}{which}:"
        return f"{said}\n{self._product(arrival)}\n{self._sum(arrival)}"

    def _product(self, arrival: Arrival) -> str:
        names, node, x = self.names, arrival.node, arrival.at
        slope = local_slope(arrival)
        if slope is None:
            return self._pullback(arrival)
        factors = [names.grad(arrival.incoming), names.value(slope)]
        chain = f"{names.slope(node)} × ∂{names[node]}/∂{names[x]}"
        return f"{chain} = {_expression('×', factors)} = {names.grad(arrival.part)}"

    def _pullback(self, arrival: Arrival) -> str:
        names, op, x = self.names, arrival.node.op.name, arrival.at
        shapes = [str(np.shape(grad)) for grad in (arrival.incoming, arrival.part)]
        norm = names.value(np.linalg.norm(arrival.part))
        said = f"{_vjp_name(op)}: gradient {shapes[0]} → {shapes[1]}, norm {norm}"
        if op in _BROADCASTS and shapes[0] != shapes[1]:
            return f"{said}; summed where {names[x]} was copied (broadcast undone)"
        return said

    def _sum(self, arrival: Arrival) -> str:
        names, slope = self.names, self.names.slope(arrival.at)
        before, part, after = arrival.before, arrival.part, arrival.after
        grads = [names.grad(grad) for grad in (before, part) if grad is not None]
        found = names.grad(after)
        if before is None and _equal(after, part):
            return f"{slope} = {found}, the first to arrive."
        if before is not None and _equal(after, before + part):
            stale = " The first number is left from an earlier pass." * arrival.stale
            plus = _expression("+", grads) if _is_scalar(after) else "sum of both"
            return f"Paths join: {slope} = {plus} = {found}.{stale}"
        return f"{slope} was {grads[0]}; it is overwritten by {found}."

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
    node = arrival.node
    data = [x.data for x in node.inputs]
    if not all(map(_is_scalar, (node.data, *data))):
        return None
    # x⁰ = 1, as a float or as an array without axes.
    return node.op.vjp(node.data**0, node.data, *data)[arrival.slot]


# --- The picture ----------------------------------------------------------------------


class Picture:
    """A view with everything in its place, and its steps. Plumbing."""

    def __init__(self, view: View):
        self.view, self.script = view, Script(view)
        count = range(len(view.vertices))
        labels = [
            [self._label((i, slot)) for slot in range(len(view.tails[i]))]
            for i in count
        ]
        boxes = [self._box(i, labels[i]) for i in count]
        loose = {i for i in count if self._unordered(view.vertices[i])}
        self.graph = graphs.lay_out(boxes, view.tails, labels, loose)

    def _unordered(self, vertex: Vertex) -> bool:
        return vertex.folded or bool(graphs.unordered([vertex.node]))

    # --- what stands in a box ---

    def _box(self, i: int, labels: list[Box | None]) -> Box:
        vertex, outputs = self.view.vertices[i], self.view.outputs(i)
        lines = [*self._heading(vertex), self._value(outputs)]
        if grad := self.script.grad_text(i):
            lines.append(Line(grad, color=_BLUE))
        maps = self._maps(outputs[0]) if len(outputs) == 1 else []
        box = graphs.node_box(lines, vertex.kind, labels, maps)
        # A sum that is not complete yet may be written longer than the last one.
        seen = [step.grad for step in self.script.steps if step.vertex == i]
        widest = max((graphs.text_width(text, 8.5) for text in seen), default=0.0)
        box.width = max(box.width, widest + 0.2)
        return box

    def _heading(self, vertex: Vertex) -> list[Line]:
        if vertex.folded:
            count = Line(f"{len(vertex.nodes)} nodes", 7.5, _GREY)
            return [Line(vertex.name, 9.5, weight="bold"), count]
        title = self.view.names.title(vertex.node)
        return [Line(title, 9.5, weight="bold")] if title else []

    def _value(self, outputs: list[Any]) -> Line:
        if len(outputs) > 1:
            return Line(f"{len(outputs)} values")
        return Line(self.view.names.value(outputs[0].data))

    def _maps(self, node: Any) -> list[np.ndarray]:
        pair = [node.data, self.script.grads.get(id(node))]
        return [graphs.heat_levels(x) for x in pair if np.size(x) > 1]

    # --- what stands on an edge ---

    def _label(self, edge: tuple[int, int]) -> Box | None:
        arrivals = self.view.arrived.get(edge)
        if not arrivals:
            return None
        if self.view.vertices[edge[0]].folded:
            parts = np.concatenate([np.ravel(a.part) for a in arrivals])
            part = parts if len(parts) > 1 else parts[0]
            return graphs.label_box([self._part(part)])
        [arrival] = arrivals[-1:]
        maps = [graphs.heat_levels(arrival.part)] if self._joins(arrival) else []
        return graphs.label_box([self._rule(arrival), self._part(arrival.part)], maps)

    def _part(self, part: Any) -> Line:
        return Line(grad_words(part, self.view.names.digits), 7.5, _BLUE)

    def _rule(self, arrival: Arrival) -> Line:
        slope = local_slope(arrival)
        if slope is None:
            return Line(_vjp_name(arrival.node.op.name), 7.5, _GREY)
        return Line(f"× {self.view.names.value(slope)}", 7.5, _GREY)

    def _joins(self, arrival: Arrival) -> bool:
        """Whether other paths end here: else the part is all of the gradient."""
        others = (a for found in self.view.arrived.values() for a in found)
        return np.size(arrival.part) > 1 and any(
            a.at is arrival.at and a is not arrival for a in others
        )


# --- The picture as SVG ---------------------------------------------------------------

_MARGIN, _HEAD, _FOOT = 0.14, 0.32, 0.26  # inches
_CLASSES = {_BLUE: "g", _GREY: "l"}


class _Svg:
    """Writes a picture; x to the right and y downwards, in pixels."""

    def __init__(self, picture: Picture, key: str):
        self.picture, self.graph, self.view = picture, picture.graph, picture.view
        self.key, self.title = key, picture.view.title
        width, height = self.graph.size
        words_width = max(
            graphs.text_width(self.title, 11, "bold"), graphs.text_width(key, 7.5)
        )
        self.width = max(width + 2 * _MARGIN, words_width + 0.3)
        self.height = height + 2 * _MARGIN + _FOOT + (_HEAD if self.title else 0.0)
        self.left = (self.width - width) / 2

    def at(self, x: float, y: float) -> tuple[str, str]:
        """Pixels from inches."""
        top = self.height - _FOOT - _MARGIN - y
        return _pixels(x + self.left), _pixels(top)

    def text(self) -> str:
        """The whole view as a group."""
        size = f"{_pixels(self.width)} {_pixels(self.height)}"
        name = html.escape(self.view.title)
        parts = [f'<g class="view" data-size="{size}" data-name="{name}">']
        parts += self._captions()
        parts += [self._edge(i, slot) for i, slot in self.graph.edges()]
        parts += [self._node(i) for i in range(len(self.view.vertices))]
        return "".join([*parts, self._steps(), "</g>"])

    def _captions(self) -> list[str]:
        x, foot = _pixels(0.12), _pixels(self.height - 0.11)
        head = f'<text class="head" x="{x}" y="{_pixels(0.26)}">'
        return [
            f"{head}{html.escape(self.title)}</text>" if self.title else "",
            f'<text class="key" x="{x}" y="{foot}">{html.escape(self.key)}</text>',
        ]

    def _steps(self) -> str:
        steps = [vars(step) for step in self.picture.script.steps]
        code = json.dumps(steps, ensure_ascii=False, separators=(",", ":"))
        kind = 'type="application/json" class="steps"'
        return f"<script {kind}>{html.escape(code, quote=False)}</script>"

    def _node(self, i: int) -> str:
        box, vertex = self.graph.boxes[i], self.view.vertices[i]
        name = f' data-name="{html.escape(vertex.name)}"' if vertex.folded else ""
        frame = self._frame(box, "box")
        if vertex.folded:
            frame += self._frame(box, "gap")
        return f'<g class="n {vertex.kind}"{name}>{frame}{self._content(box)}</g>'

    def _frame(self, box: Box, name: str) -> str:
        x, y = self.at(box.x - box.width / 2, box.y + box.height / 2)
        size = f'width="{_pixels(box.width)}" height="{_pixels(box.height)}"'
        corner = 2 if box.kind == "constant" else 8
        return f'<rect class="{name}" x="{x}" y="{y}" {size} rx="{corner}"/>'

    def _content(self, box: Box) -> str:
        found, maps = [], 0
        for thing, x, y in box.places():
            if isinstance(thing, Line):
                found.append(self._line(thing, x, y))
            else:
                found.append(self._map(thing, x, y, "g" if maps else "v"))
                maps += 1
        return "".join(found)

    def _line(self, line: Line, x: float, y: float) -> str:
        kind = "t" if line.weight == "bold" else _CLASSES.get(line.color, "v")
        px, py = self.at(x, y - 0.36 * line.size / 72)
        words_ = html.escape(line.text, quote=False)
        return f'<text class="{kind}" x="{px}" y="{py}">{words_}</text>'

    def _map(self, levels: np.ndarray, x: float, y: float, kind: str) -> str:
        width, height = graphs.map_size(levels)
        left, top = self.at(x - width / 2, y + height / 2)
        size = f'width="{_pixels(width)}" height="{_pixels(height)}"'
        place = f'x="{left}" y="{top}" {size} preserveAspectRatio="none"'
        code = base64.b64encode(_tiny_png(levels)).decode()
        return f'<image class="{kind}m" {place} href="data:image/png;base64,{code}"/>'

    def _edge(self, i: int, slot: int) -> str:
        points = [self.at(*point) for point in self.graph.route(i, slot)]
        label = self.graph.label(i, slot)
        words_ = self._label(label) if label else ""
        way = f'<path class="way" d="{_curve(points)}"/>'
        return f'<g class="e" data-to="{i}">{way}{_tip(*points[-1])}{words_}</g>'

    def _label(self, label: Box) -> str:
        x, y = self.at(label.x - label.width / 2 - 0.02, label.y + label.height / 2)
        size = f'width="{_pixels(label.width + 0.04)}" height="{_pixels(label.height)}"'
        paper = f'<rect class="paper" x="{x}" y="{y}" {size}/>'
        return f'<g class="label">{paper}{self._content(label)}</g>'


def _pixels(inches: float) -> str:
    return f"{inches * _PIXELS:.1f}".removesuffix(".0")


def _curve(points: list[tuple[str, str]]) -> str:
    """Level inside of layers, an S between two."""
    parts = ["M{} {}".format(*points[0]), "H" + points[1][0]]
    bends = zip(points[1:-1:2], points[2::2], points[3::2], strict=True)
    for (xa, ya), (xb, yb), after in bends:
        middle = f"{(float(xa) + float(xb)) / 2:.1f}"
        parts.append(f"C{middle} {ya} {middle} {yb} {xb} {yb}H{after[0]}")
    return "".join(parts)


def _tip(x: str, y: str) -> str:
    return f'<path class="tip" d="M{x} {y}l-7-3.3v6.6z"/>'


def _tiny_png(levels: np.ndarray) -> bytes:
    from PIL import Image

    picture = Image.fromarray(levels.astype(np.uint8), mode="P")
    picture.putpalette(bytes.fromhex("".join(graphs.HEAT).replace("#", "")))
    file = io.BytesIO()
    picture.save(file, format="png", optimize=True, bits=4)
    return file.getvalue()


# --- Modules folded into one vertex ---------------------------------------------------


def _vertices(nodes: list[Any], folds: Mapping[str, list[Any]]) -> list[Vertex]:
    """One vertex a node, and one for all nodes of a module, in order of creation."""
    module_of = {id(node): name for name, inside in folds.items() for node in inside}
    found: dict[Any, list[Any]] = {}
    for node in nodes:
        found.setdefault(module_of.get(id(node), id(node)), []).append(node)
    vertices = [
        Vertex(inside, "module", key)
        if isinstance(key, str)
        else Vertex(inside, graphs.kind(inside[0], nodes[-1]))
        for key, inside in found.items()
    ]
    # A module is played when the last node inside can be.
    return sorted(vertices, key=lambda vertex: vertex.node.number)


def _inside(names: Names, name: str, nodes: list[Any], events: list) -> View:
    """A module opened: its nodes, and those outside that it takes."""
    own = {id(node) for node in nodes}
    taken = {id(x): x for node in nodes for x in node.inputs if id(x) not in own}
    both = sorted([*taken.values(), *nodes], key=lambda node: node.number)
    output = names.nodes[-1]
    kinds = (
        "outside" if id(x) in taken and x.op else graphs.kind(x, output) for x in both
    )
    vertices = [Vertex([x], kind) for x, kind in zip(both, kinds, strict=True)]
    return View(names, vertices, events, name)


def _folds(
    nodes: list[Any], groups: Any, named: dict[int, str]
) -> dict[str, list[Any]]:
    """The nodes of each group: everything behind its outputs, and in no other group."""
    if hasattr(groups, "named_parameters"):
        return _model_folds(nodes, groups)
    if not isinstance(groups, Mapping):
        raise TypeError(
            "step: groups is a model, or maps names to the nodes that come out of each "
            f'group: {{"hidden layer": h}}; found {type(groups).__name__}.'
        )
    on_tape, taken, folds = {id(node) for node in nodes}, set(), {}
    for name, outputs in groups.items():
        outputs = [outputs] if hasattr(outputs, "inputs") else list(outputs)
        if not all(id(node) in on_tape for node in outputs):
            raise ValueError(
                f"step: the group {name!r} has an output that is not part of this "
                "computation. Was it made anew after the output was computed?"
            )
        behind = {id(x) for node in outputs for x in Tape(node).nodes}
        own = behind - taken - {id(nodes[-1])}
        taken |= own
        folds[name] = [node for node in nodes if id(node) in own]
    return {name: _without_inputs(inside, named) for name, inside in folds.items()}


def _without_inputs(inside: list[Any], named: dict[int, str]) -> list[Any]:
    """Data stays outside: constants that somebody gave a name."""
    return [x for x in inside if x.op or x.requires_grad or id(x) not in named]


def _model_folds(nodes: list[Any], model: Any) -> dict[str, list[Any]]:
    """The nodes of each module: an operation belongs to the parameters that it uses.

    One without parameters, such as an activation, belongs to the module before it.
    """
    owner = {
        id(p): name.rpartition(".")[0] or "model"
        for name, p in model.named_parameters()
    }
    folds: dict[str, list[Any]] = {}
    for node in nodes[:-1]:
        if node.op is not None:
            homes = [owner.get(id(x)) for x in node.inputs if x.op or x.requires_grad]
            direct = [owner.get(id(x)) for x in node.inputs if not x.op]
            home = next(filter(None, direct), None) or (
                homes[0] if len(set(homes)) == 1 else None
            )
            if home:
                owner[id(node)] = home
        if id(node) in owner:
            folds.setdefault(owner[id(node)], []).append(node)
    return folds


# --- The page -------------------------------------------------------------------------


@dataclass
class Page:
    """A stepping view, ready to be shown. Plumbing.

    `graph` is the whole graph in its place, for a drawing on paper; `markup` the HTML.
    """

    graph: Graph
    title: str
    key: str
    alt: str
    markup: str


def page(
    output: Any,
    names: Any = None,
    *,
    groups: Any = None,
    backward: Callable[[Any], None] | None = None,
    title: str = "",
    alt: str | None = None,
    digits: int = 4,
    max_nodes: int = 200,
) -> Page:
    """Make the stepping view of a computation: see `viz.step`.

    Raises
    ------
    ValueError : as `viz.step`.
    TypeError : as `viz.step`.

    Plumbing.
    """
    nodes, events = play(output, backward)
    model = names if hasattr(names, "named_parameters") else None
    given = graphs.given_names(nodes, _name_map(nodes, names), "step")
    if groups is None and model is not None and len(nodes) > max_nodes:
        groups = model
    folds = _folds(nodes, groups, given) if groups is not None else {}
    called = Names(nodes, given, digits)
    pictures = [
        Picture(view) for view in _views(called, folds, events, title, max_nodes)
    ]
    alt = alt or _describe(pictures[0])
    key = _key(pictures[0])
    svgs = [_Svg(picture, key) for picture in pictures]
    return Page(pictures[0].graph, title, key, alt, _markup(svgs, alt))


def _name_map(nodes: list[Any], names: Any) -> Mapping[str, Any]:
    if not hasattr(names, "named_parameters"):
        return names or {}
    on_tape = {id(node) for node in nodes}
    return {n: p for n, p in names.named_parameters() if id(p) in on_tape}


def _views(
    names: Names, folds: dict, events: list, title: str, max_nodes: int
) -> list[View]:
    vertices = _vertices(names.nodes, folds)
    if len(vertices) > max_nodes:
        raise ValueError(
            f"step: this graph shows {len(vertices)} nodes, and beyond {max_nodes} "
            "nobody can follow. Fold parts of it: groups=model, or "
            'groups={"hidden layer": h} with the nodes that come out of each part; '
            f"or pass max_nodes={len(vertices)}."
        )
    _check_order(vertices)
    inner = (_inside(names, *fold, events) for fold in folds.items())
    small = (view for view in inner if len(view.vertices) <= max_nodes)
    return [View(names, vertices, events, title), *small]


def _check_order(vertices: list[Vertex]) -> None:
    """Folded modules have to follow each other, or nothing can be played in order."""
    place = {id(x): i for i, vertex in enumerate(vertices) for x in vertex.nodes}
    for i, vertex in enumerate(vertices):
        for x in (x for node in vertex.nodes for x in node.inputs):
            if place[id(x)] > i:
                raise ValueError(
                    f"step: {vertex.name!r} is used before and after other parts, and "
                    "cannot be folded into one. Leave it out of groups."
                )


def _key(picture: Picture) -> str:
    names, kinds = picture.view.names, {v.kind for v in picture.view.vertices}
    output = names[names.nodes[-1]]
    parts = [f"blue ∂: gradient, ∂{output}/∂(this)"]
    parts += ["shaded: leaf"] if "leaf" in kinds else []
    parts += ["dashed: constant"] if "constant" in kinds else []
    parts += ["double frame: module"] if "module" in kinds else []
    return "  ·  ".join([*parts, "thick frame: output"])


def _describe(picture: Picture) -> str:
    """An alt text: every node with its formula, its value and its gradient."""
    view, script, names = picture.view, picture.script, picture.view.names
    said = [f"Computation graph of {names[names.nodes[-1]]}, to step through."]
    short = len(view.vertices) > _MOST_LISTED
    for i, vertex in enumerate(view.vertices):
        if not short or vertex.kind in ("leaf", "output"):
            said += _describe_vertex(vertex, script.grad_text(i), names)
    return " ".join(said)


def _describe_vertex(vertex: Vertex, grad: str, names: Names) -> list[str]:
    if vertex.kind == "constant" and names[vertex.node] == names.value(
        vertex.node.data
    ):
        return []
    if vertex.folded:
        return [f"{vertex.name}: {len(vertex.nodes)} nodes, {grad}."]
    node = vertex.node
    formula = f" = {names.formula(node)}" if node.op else ""
    slope = f", {names.slope(node)} = {grad.removeprefix('∂ ')}" if grad else ""
    return [f"{names[node]}{formula} = {names.value(node.data)}{slope}."]


def _markup(svgs: Sequence[_Svg], alt: str) -> str:
    size = [_pixels(svgs[0].width), _pixels(svgs[0].height)]
    code = base64.b64encode(_picture_file(svgs, size).encode()).decode()
    source = f"data:image/svg+xml;base64,{code}"
    place = f'width="{float(size[0]):.0f}" style="max-width:100%;height:auto"'
    img = f'<img data-steps alt="{html.escape(alt)}" {place} src="{source}">'
    return f"{img}<script>{_STARTER}</script>"


# The picture brings its player along. This takes it out, once for each picture.
_STARTER = (
    'for(const img of document.querySelectorAll("img[data-steps]")){'
    'img.removeAttribute("data-steps");'
    'const code=Uint8Array.from(atob(img.src.split(",")[1]),c=>c.charCodeAt(0));'
    "const svg=new DOMParser().parseFromString(new TextDecoder().decode(code),"
    '"image/svg+xml").documentElement;'
    'const script=document.createElement("script");'
    'script.textContent=svg.querySelector(".player").textContent;'
    "Object.assign(script,{img,svg});document.head.append(script);script.remove()}"
)


def _picture_file(svgs: Sequence[_Svg], size: list[str]) -> str:
    space = 'xmlns="http://www.w3.org/2000/svg"'
    box = f'width="{size[0]}" height="{size[1]}" viewBox="0 0 {size[0]} {size[1]}"'
    views = svgs[0].text() + "".join(
        svg.text().replace("<g", '<g style="display:none"', 1) for svg in svgs[1:]
    )
    player = (
        f'<script type="text/plain" class="player"><![CDATA[{_asset("js")}]]></script>'
    )
    title = html.escape(svgs[0].title or "a computation")
    style = f"<style>{_asset('css')}</style>"
    return f'<svg {space} {box} data-title="{title}">{style}{views}{player}</svg>'


def _asset(kind: str) -> str:
    """The player or its style, without comments and indentation."""
    text = Path(__file__).with_suffix(f".{kind}").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(x for x in lines if x and not x.startswith("//"))
