"""The computation graph on paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from course_utils.tape import Tape
from course_utils.viz import naming
from course_utils.viz.boxes import Box, Line, label_box, node_box
from course_utils.viz.house import COLORS, GREY, PALE, house_style
from course_utils.viz.layout import Graph, lay_out
from course_utils.viz.naming import given_names, grad_words, words
from course_utils.viz.sheet import MARGIN, canvas, edge_label, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_graph(
    output: Any,
    names: Mapping[str, Any] | None = None,
    *,
    grads: bool = True,
    edges: bool = False,
    title: str | None = None,
    digits: int = 4,
    max_nodes: int = 60,
) -> Figure:
    """Draw the computation behind `output` (a node or a `Tape`) from left to right.

    A box holds a node's name or its operation, its value, and in blue its gradient ∂;
    an array shows its shape and the norm of its gradient. A dashed box is a constant,
    a shaded one a leaf, a thick frame the output. Where order matters, inputs enter
    from top to bottom. `edges` writes what each edge brings back: the parts whose
    sum is the gradient. `names` maps names to nodes.

    Raises
    ------
    ValueError : beyond `max_nodes` nodes; for a name whose node is not in the graph;
        for `edges` before `backward()`.
    TypeError : if `output` is neither a node nor a tape.

    Plumbing.
    """
    nodes = _nodes_of(output, max_nodes)
    if edges and nodes[-1].grad is None:
        raise ValueError(
            "draw_graph: edges=True shows gradients, but there are none yet. "
            "Call backward() on the output first."
        )
    given = given_names(nodes, names or {}, "draw_graph")
    called = [given.get(id(node), "") for node in nodes]
    graph = _lay_out(nodes, called, grads, edges, digits)
    with house_style():
        return draw_layers(graph, title, _key(nodes, called[-1], grads))


def _nodes_of(output: Any, max_nodes: int) -> list[Any]:
    if not isinstance(output, Tape) and not (
        hasattr(output, "inputs") and hasattr(output, "data")
    ):
        raise TypeError(
            "draw_graph: expected a Value, a Tensor or a Tape, "
            f"found {type(output).__name__}."
        )
    nodes = (output if isinstance(output, Tape) else Tape(output)).nodes
    if len(nodes) > max_nodes:
        raise ValueError(
            f"draw_graph: this graph has {len(nodes)} nodes, and beyond {max_nodes} "
            "nobody can read it. Draw a smaller example, or an intermediate result, "
            f"or pass max_nodes={len(nodes)}."
        )
    return nodes


def _flows(node: Any, digits: int) -> list[Box | None]:
    """For each input, what this operation brings back to it: vjp(grad_out)."""
    if node.op is None or node.grad is None:
        return [None] * len(node.inputs)
    parts = node.op.vjp(node.grad, node.data, *[x.data for x in node.inputs])
    return [
        _flow(part, digits) if part is not None and x.requires_grad else None
        for x, part in zip(node.inputs, parts, strict=True)
    ]


def _flow(part: Any, digits: int) -> Box:
    return label_box([Line(grad_words(part, digits), 7.5, COLORS.blue)])


def _node_lines(node: Any, name: str, grads: bool, digits: int) -> list[Line]:
    head = naming.title(node, name)
    lines = [Line(head, 9.5, weight="bold")] if head else []
    lines.append(Line(words(node.data, digits)))
    if grads and node.grad is not None and node.requires_grad:
        lines.append(Line(grad_words(node.grad, digits), color=COLORS.blue))
    return lines


def _lay_out(
    nodes: list[Any], called: list[str], grads: bool, edges: bool, digits: int
) -> Graph:
    index = {id(node): i for i, node in enumerate(nodes)}
    tails = [[index[id(x)] for x in node.inputs] for node in nodes]
    none = [[None] * len(node.inputs) for node in nodes]
    labels = [_flows(node, digits) for node in nodes] if edges else none
    blocks = [
        _node_lines(*pair, grads, digits) for pair in zip(nodes, called, strict=True)
    ]
    kinds = [naming.kind(node, nodes[-1]) for node in nodes]
    boxes = list(map(node_box, blocks, kinds, labels))
    return lay_out(boxes, tails, labels, naming.unordered(nodes))


def draw_layers(graph: Graph, title: str | None, key: str) -> Figure:
    """Draw a graph that knows where everything stands. Plumbing."""
    width, height = graph.size
    size = (width + 2 * MARGIN, height + 2 * MARGIN)
    fig, ax, x0, y0 = canvas(*size, title, key)
    graph.move(x0 + MARGIN, y0 + MARGIN)
    for i in range(len(graph.tails)):
        _draw_box(ax, graph.boxes[i])
    for i, slot in graph.edges():
        _draw_edge(ax, graph.route(i, slot))
        if label := graph.label(i, slot):
            edge_label(ax, label)
    return fig


def _key(nodes: list[Any], name: str, grads: bool) -> str:
    kinds = {naming.kind(node, nodes[-1]) for node in nodes}
    parts = []
    if grads and nodes[-1].grad is not None:
        parts.append(f"blue ∂: gradient, ∂{name or 'output'}/∂(this)")
    parts += ["shaded: leaf"] if "leaf" in kinds else []
    parts += ["dashed: constant"] if "constant" in kinds else []
    return "  ·  ".join([*parts, "thick frame: output"])


def _draw_box(ax: Axes, box: Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    if box.kind == "pass":
        return
    look = {
        "leaf": {"facecolor": PALE, "linewidth": 1.0},
        "constant": {"facecolor": "white", "linestyle": (0, (3, 2)), "linewidth": 1.0},
        "operation": {"facecolor": "white", "linewidth": 1.0},
        "output": {"facecolor": "white", "linewidth": 2.6},
        "module": {"facecolor": "#F2F2F2", "linewidth": 1.8},
    }[box.kind]
    corner = (box.x - box.width / 2, box.y - box.height / 2)
    shape = f"round,pad=0,rounding_size={0.02 if box.kind == 'constant' else 0.09}"
    ax.add_patch(
        FancyBboxPatch(
            corner,
            box.width,
            box.height,
            boxstyle=shape,
            edgecolor="#333333",
            gid="box",
            zorder=3,
            **look,
        )
    )
    write(ax, box, gid="in box")


def _draw_edge(ax: Axes, points: list[tuple[float, float]]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    corners, codes = [points[0], points[1]], [Path.MOVETO, Path.LINETO]
    bends = zip(points[1:-1:2], points[2::2], points[3::2], strict=True)
    for (xa, ya), (xb, yb), after in bends:
        middle = (xa + xb) / 2
        corners += [(middle, ya), (middle, yb), (xb, yb), after]
        codes += [Path.CURVE4] * 3 + [Path.LINETO]
    look = {"color": GREY, "linewidth": 1.0, "mutation_scale": 1.6, "zorder": 1}
    arrow = FancyArrowPatch(
        path=Path(corners, codes),
        arrowstyle="-|>,head_length=3.2,head_width=1.5",
        shrinkA=0,
        shrinkB=0,
        gid="edge",
        **look,
    )
    ax.add_patch(arrow)
