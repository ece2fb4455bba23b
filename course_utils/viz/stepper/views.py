"""What can be seen: nodes under their names, or modules with nodes inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_utils.tape import Tape
from course_utils.viz import naming
from course_utils.viz.naming import grad_words, words
from course_utils.viz.stepper.watch import Arrival, Seed

_INFIX = {"+", "−", "×", "÷", "@"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

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
        return self.value(node.data) if constant and is_scalar(node.data) else ""

    def __getitem__(self, node: Any) -> str:
        return self.of[id(node)]

    def value(self, data: Any) -> str:
        """A number, or the shape of an array."""
        return words(data, self.digits)

    def title(self, node: Any) -> str:
        """The heading of a node's box."""
        if node.op is None and self[node] == self.value(node.data):
            return ""
        return naming.title(node, self[node])

    def formula(self, node: Any) -> str:
        """How a node was computed, in names."""
        return expression(node.op.name, [self[x] for x in node.inputs])

    def numbers(self, node: Any) -> str:
        """How a node was computed, in numbers."""
        return expression(node.op.name, [self.value(x.data) for x in node.inputs])

    def slope(self, node: Any) -> str:
        """∂output/∂node; where the output is an array, ∂(Σ G·output)/∂node."""
        whole = self.whole()
        return f"∂{f'({whole})' if ' ' in whole else whole}/∂{self[node]}"

    def whole(self) -> str:
        """What the gradients are of: the output, or of an array Σ G·output."""
        output = self.nodes[-1]
        return self[output] if is_scalar(output.data) else f"Σ G·{self[output]}"

    def grad(self, grad: Any) -> str:
        """A gradient in numbers: of an array, its norm."""
        return grad_words(grad, self.digits).removeprefix("∂ ")


def is_scalar(data: Any) -> bool:
    """Whether it is one number and no array. Plumbing."""
    return np.ndim(data) == 0


def expression(operation: str, operands: list[str]) -> str:
    """`a × b`, `x²`, `tanh(x)`; a negative number beside a sign in parentheses.

    Plumbing.
    """
    signed = [f"({x})" if x.startswith("−") else x for x in operands]
    if operation in _INFIX and len(operands) == 2:
        return f" {operation} ".join(signed)
    if operation.startswith("^"):
        return signed[0] + naming.symbol(operation).removeprefix("(·)")
    if operation == "neg":
        return f"−{signed[0]}"
    return f"{operation}({', '.join(operands)})"


# --- Vertices, edges, moves -----------------------------------------------------------


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


# --- Modules folded into one vertex ---------------------------------------------------


def all_vertices(nodes: list[Any], folds: Mapping[str, list[Any]]) -> list[Vertex]:
    """One vertex a node, and one for all nodes of a module, in order of creation."""
    module_of = {id(node): name for name, inside in folds.items() for node in inside}
    found: dict[Any, list[Any]] = {}
    for node in nodes:
        found.setdefault(module_of.get(id(node), id(node)), []).append(node)
    vertices = [
        Vertex(inside, "module", key)
        if isinstance(key, str)
        else Vertex(inside, naming.kind(inside[0], nodes[-1]))
        for key, inside in found.items()
    ]
    return sorted(vertices, key=lambda vertex: vertex.node.number)


def in_order(vertices: list[Vertex]) -> list[Vertex]:
    """Vertices such that each comes after all that it takes.

    Raises ValueError if a module takes what was made of its own results. Plumbing.
    """
    of = {id(x): i for i, vertex in enumerate(vertices) for x in vertex.nodes}
    takes = [
        {of[id(x)] for node in vertex.nodes for x in node.inputs} - {i}
        for i, vertex in enumerate(vertices)
    ]
    order, waiting = [], list(range(len(vertices)))
    while waiting:
        ready = next((i for i in waiting if takes[i] <= set(order)), None)
        if ready is None:
            stuck = next(v.name for v in map(vertices.__getitem__, waiting) if v.folded)
            raise ValueError(
                f"step: what comes out of {stuck!r} goes into it again by way of other "
                "nodes; it cannot be one box. Leave it out of groups."
            )
        order.append(ready)
        waiting.remove(ready)
    return [vertices[i] for i in order]


def inside(names: Names, name: str, nodes: list[Any], events: list) -> View:
    """A module opened: its nodes, and those outside that it takes."""
    own = {id(node) for node in nodes}
    taken = {id(x): x for node in nodes for x in node.inputs if id(x) not in own}
    both = sorted([*taken.values(), *nodes], key=lambda node: node.number)
    output = names.nodes[-1]
    kinds = (
        "outside" if id(x) in taken and x.op else naming.kind(x, output) for x in both
    )
    vertices = [Vertex([x], kind) for x, kind in zip(both, kinds, strict=True)]
    return View(names, vertices, events, name)


def folds_of(
    nodes: list[Any], groups: Any, named: Mapping[int, str]
) -> dict[str, list[Any]]:
    """The nodes of each group; without the last node, and the data that has a name.

    Raises
    ------
    ValueError : if an output of a group is not among the nodes.
    TypeError : if `groups` is neither a model nor a mapping.

    Plumbing.
    """
    if hasattr(groups, "named_parameters"):
        homes = _homes(nodes, groups)
    elif isinstance(groups, Mapping):
        homes = _behind(nodes, groups)
    else:
        raise TypeError(
            "step: groups is a model, or maps names to the nodes that come out of each "
            f'group: {{"hidden layer": h}}; found {type(groups).__name__}.'
        )
    folds: dict[str, list[Any]] = {}
    for node in nodes[:-1]:
        is_data = not (node.op or node.requires_grad) and id(node) in named
        if id(node) in homes and not is_data:
            folds.setdefault(homes[id(node)], []).append(node)
    return folds


def _behind(nodes: list[Any], groups: Mapping[str, Any]) -> dict[int, str]:
    """For each node its group: the first one whose outputs it stands behind."""
    on_tape, homes = {id(node) for node in nodes}, {}
    for name, outputs in groups.items():
        for node in [outputs] if hasattr(outputs, "inputs") else outputs:
            if id(node) not in on_tape:
                raise ValueError(
                    f"step: the group {name!r} has an output that is not part of this "
                    "computation. Was it made anew after the output was computed?"
                )
            for x in Tape(node).nodes:
                homes.setdefault(id(x), name)
    return homes


def _homes(nodes: list[Any], model: Any) -> dict[int, str]:
    """For each node the module whose parameters it uses.

    One without parameters, such as an activation, belongs to the module before it.
    """
    homes = {id(p): _part_of_model(name) for name, p in model.named_parameters()}
    for node in nodes:
        uses = [homes.get(id(x)) for x in node.inputs if x.op is None]
        takes = {homes.get(id(x)) for x in node.inputs if x.op or x.requires_grad}
        home = next(filter(None, uses), takes.pop() if len(takes) == 1 else None)
        if home:
            homes[id(node)] = home
    return homes


def _part_of_model(name: str) -> str:
    """`layers.0` of `layers.0.block.W`, `hidden` of `hidden.W`."""
    first, second, *_ = [*name.split("."), ""]
    return f"{first}.{second}" if second.isdigit() else first
