"""Drawings for the notebooks: graphs, networks, curves, matrices, images.

Every function returns a figure and shows nothing; `show(fig, alt)` is the one way to
the page, so that no picture goes without its words. Figures are made without pyplot:
none is displayed twice or left open. Matplotlib is imported where it is used.
"""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils import graphs
from course_utils.graphs import (
    Box,
    Graph,
    Line,
    block_size,
    given_names,
    grad_words,
    label_box,
    lay_out,
    node_box,
    number,
    words,
)
from course_utils.tape import Tape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): colours that stay apart for colour-blind readers.
COLORS = SimpleNamespace(
    black="#000000",
    orange="#E69F00",
    sky_blue="#56B4E9",
    green="#009E73",
    yellow="#F0E442",
    blue="#0072B2",
    vermillion="#D55E00",
    purple="#CC79A7",
)
# Yellow is left out: a thin yellow line on white cannot be seen.
_CYCLE = [
    (COLORS.blue, "-"),
    (COLORS.vermillion, "--"),
    (COLORS.green, "-."),
    (COLORS.black, ":"),
    (COLORS.purple, (0, (6, 1, 1, 1, 1, 1))),
    (COLORS.orange, (0, (3, 1))),
    (COLORS.sky_blue, (0, (1, 0.6))),
]
_MARKERS = "o^sDvPX*"
_GREY = "#5F5F5F"
_PALE = "#DCEAF5"
_DPI = 110
_WIDTH = 7.5  # inches
_SHORTEST_ALT = 20  # characters


# --- House style and the way to the page ---------------------------------------------


def _rc() -> dict[str, Any]:
    from cycler import cycler

    colors, styles = zip(*_CYCLE, strict=True)
    return {
        "figure.dpi": _DPI,
        "savefig.dpi": _DPI,
        "font.family": "DejaVu Sans",  # Matplotlib brings it: the same everywhere
        "font.size": 10.0,
        "axes.titlesize": 11.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=colors) + cycler(linestyle=styles),
        "axes.unicode_minus": True,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
        "image.cmap": "viridis",
        "figure.constrained_layout.w_pad": 0.08,
        "figure.constrained_layout.h_pad": 0.08,
    }


def style() -> None:
    """Give every later figure of this notebook the house style.

    Plumbing.
    """
    import matplotlib

    matplotlib.rcParams.update(_rc())


def axes(
    title: str | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    rows: int = 1,
    cols: int = 1,
    size: tuple[float, float] | None = None,
    **kwargs: Any,
) -> tuple[Figure, Any]:
    """Make a figure with `rows` × `cols` axes in house style; `size` is in inches.

    One axes comes back alone, several as an array, as `plt.subplots` does; `kwargs`
    go there too (`sharey=True`). Show the figure with `show(fig, alt)`.

    Raises
    ------
    ValueError : if rows or cols is below 1.

    Plumbing.
    """
    if rows < 1 or cols < 1:
        raise ValueError(
            f"axes: rows and cols must be 1 or more, not {rows} and {cols}."
        )
    with _house_style():
        fig = _figure(size or (_WIDTH, 3.9 * rows**0.8), layout="constrained")
        grid = fig.subplots(rows, cols, **kwargs)
        for ax in np.ravel(grid):
            ax.set(xlabel=xlabel or "", ylabel=ylabel or "")
            ax.tick_params(labelsize=9)
        _set_title(fig, grid, title)
    return fig, grid


def _house_style() -> Any:
    import matplotlib

    return matplotlib.rc_context(_rc())


def _figure(size: tuple[float, float], layout: str | None = None) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fig = Figure(figsize=size, dpi=_DPI, layout=layout)
    FigureCanvasAgg(fig)
    return fig


def _set_title(fig: Figure, grid: Any, title: str | None) -> None:
    if title and np.size(grid) == 1:
        grid.set_title(title)
    elif title:
        fig.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")


def show(fig: Figure, alt: str) -> None:
    """Put a figure on the page as one PNG image that carries `alt`, and close it.

    The picture is stored twice: as PNG, and as an HTML image, which alone brings its
    alt text to the reader's screen. The words also stand as plain text: a terminal
    prints them, and a test of the notebook compares them.

    Raises
    ------
    ValueError : if `alt` is shorter than a sentence.
    TypeError : if `fig` is no figure.

    Plumbing.
    """
    if not hasattr(fig, "savefig"):
        raise TypeError(
            f"show: expected a figure, found {type(fig).__name__}. "
            "Write viz.show(fig, alt=…) with what a drawing function returned."
        )
    if not isinstance(alt, str) or len(alt.strip()) < _SHORTEST_ALT:
        raise ValueError(
            "show: alt must be a sentence that says what the picture shows "
            f"({_SHORTEST_ALT} characters or more), found {alt!r}."
        )
    if _in_ipython():
        _display(_png(fig), alt)
    else:
        print(alt)
    _close(fig)


def _in_ipython() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


def _display(png: bytes, alt: str, markup: str | None = None) -> None:
    from IPython.display import display

    code = base64.b64encode(png).decode()
    # JupyterLab and nbconvert read no alt text out of an output's metadata. They prefer
    # HTML to PNG, and an <img> with its alt text survives in untrusted notebooks too.
    img = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{code}">'
    data = {"image/png": code, "text/html": markup or img, "text/plain": alt}
    display(data, metadata={"image/png": {"alt": alt}}, raw=True)


def _close(fig: Figure) -> None:
    # Only pyplot keeps figures; ours are not its own, a notebook's may be.
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)


def _png(fig: Figure, dpi: int = _DPI, palette: Sequence[str] = ()) -> bytes:
    """PNG bytes without date and version, in few colours: a third of the size.

    A `palette` names all colours of a drawing; else the colours are found.
    """
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    with _house_style():
        fig.savefig(raw, format="png", dpi=dpi, metadata={"Software": None})
    picture = Image.open(raw).convert("RGB")
    shaded = any(ax.images or ax.collections for ax in fig.axes)
    given = Image.new("P", (1, 1)) if palette else None
    if given:
        given.putpalette(bytes.fromhex("".join(palette).replace("#", "")))
    colors = 256 if shaded else 64
    picture = picture.quantize(colors, palette=given, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


# --- A sheet with words ---------------------------------------------------------------


def _write(ax: Axes, box: Box, gid: str) -> None:
    """Write the lines of a box under each other, and draw its heat maps below."""
    for thing, x, y in box.places():
        if isinstance(thing, Line):
            _write_line(ax, thing, x, y, gid)
        else:
            _draw_map(ax, thing, x, y)


def _write_line(ax: Axes, line: Line, x: float, y: float, gid: str) -> None:
    look = {"size": line.size, "color": line.color, "weight": line.weight}
    place = {"ha": "center", "va": "center_baseline", "gid": gid, "zorder": 4}
    ax.text(x, y, line.text, **look, **place)


def _draw_map(ax: Axes, levels: np.ndarray, x: float, y: float) -> None:
    from matplotlib.colors import ListedColormap

    width, height = graphs.map_size(levels)
    extent = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)
    colors = ListedColormap(graphs.HEAT)
    look = {"cmap": colors, "vmin": 0, "vmax": len(graphs.HEAT) - 1, "zorder": 4}
    limits = ax.axis()
    ax.imshow(levels, extent=extent, interpolation="nearest", aspect="auto", **look)
    ax.axis(limits)


def _canvas(
    width: float, height: float, title: str | None, key: str | None
) -> tuple[Figure, Axes, float, float]:
    """An empty sheet in inches; (x0, y0) is the lower left corner of the drawing."""
    head, foot = Line(title or "", 11, weight="bold"), Line(key or "", 7.5, _GREY)
    top, bottom = (0.32 if title else 0.0), (0.26 if key else 0.0)
    full = max(width, head.width + 0.3, foot.width + 0.3)
    fig = _figure((full, height + top + bottom))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, full), ylim=(0, height + top + bottom))
    ax.set_axis_off()
    for line, y in ((head, height + bottom + 0.12), (foot, 0.15)):
        if line.text:
            place = {"size": line.size, "weight": line.weight, "color": line.color}
            ax.text(0.12, y, line.text, va="center", gid="caption", **place)
    return fig, ax, (full - width) / 2, bottom


# --- The computation graph -----------------------------------------------------------

_MARGIN = 0.14


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
    with _house_style():
        return _draw_layers(graph, title, _key(nodes, called[-1], grads))


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
    head = graphs.title(node, name)
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
    kinds = [graphs.kind(node, nodes[-1]) for node in nodes]
    boxes = list(map(node_box, blocks, kinds, labels))
    return lay_out(boxes, tails, labels, graphs.unordered(nodes))


def _draw_layers(graph: Graph, title: str | None, key: str) -> Figure:
    width, height = graph.size
    size = (width + 2 * _MARGIN, height + 2 * _MARGIN)
    fig, ax, x0, y0 = _canvas(*size, title, key)
    graph.move(x0 + _MARGIN, y0 + _MARGIN)
    for i in range(len(graph.tails)):
        _draw_box(ax, graph.boxes[i])
    for i, slot in graph.edges():
        _draw_edge(ax, graph.route(i, slot))
        if label := graph.label(i, slot):
            _edge_label(ax, label)
    return fig


def _key(nodes: list[Any], name: str, grads: bool) -> str:
    kinds = {graphs.kind(node, nodes[-1]) for node in nodes}
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
        "leaf": {"facecolor": _PALE, "linewidth": 1.0},
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
    _write(ax, box, gid="in box")


def _draw_edge(ax: Axes, points: list[tuple[float, float]]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    corners, codes = [points[0], points[1]], [Path.MOVETO, Path.LINETO]
    bends = zip(points[1:-1:2], points[2::2], points[3::2], strict=True)
    for (xa, ya), (xb, yb), after in bends:
        middle = (xa + xb) / 2
        corners += [(middle, ya), (middle, yb), (xb, yb), after]
        codes += [Path.CURVE4] * 3 + [Path.LINETO]
    look = {"color": _GREY, "linewidth": 1.0, "mutation_scale": 1.6, "zorder": 1}
    arrow = FancyArrowPatch(
        path=Path(corners, codes),
        arrowstyle="-|>,head_length=3.2,head_width=1.5",
        shrinkA=0,
        shrinkB=0,
        gid="edge",
        **look,
    )
    ax.add_patch(arrow)


def _edge_label(ax: Axes, box: Box) -> None:
    from matplotlib.patches import Rectangle

    corner = (box.x - box.width / 2 - 0.02, box.y - box.height / 2)
    size = (box.width + 0.04, box.height)
    paper = Rectangle(corner, *size, color="white", lw=0, zorder=2)
    paper.set_gid("label")
    ax.add_patch(paper)
    _write(ax, box, gid="on edge")


# --- The computation graph, step by step ----------------------------------------------

# A large graph in few bytes: paper and leaves, ink, words in blue.
_GRAPH_PALETTE = (
    *("#FFFFFF", "#DCEAF5", "#A0A0A0", "#505050", "#000000"),
    *("#7FAEC8", "#005A8C"),
)


def step(
    output: Any,
    names: Any = None,
    *,
    groups: Any = None,
    backward: Callable[[Any], None] | Mapping[str, Any] | None = None,
    title: str = "",
    alt: str | None = None,
    digits: int = 4,
    max_nodes: int = 200,
) -> None:
    """Show the computation behind `output`, a node or a `Tape`, to be stepped through.

    First the forward pass, node by node; then the backward pass, edge by edge: incoming
    gradient × local derivative = contribution, and the sum where paths join. Keys: ← →,
    Home, End. Where no script runs, the last step stands there as a picture.

    - `names` maps names to nodes, `{"x": x, "w": w}`, or is a model, whose parameters
      then bear their own names. Other results are called v₁, v₂, ….
    - `groups` folds parts into one box each, which can be opened: a model (one box a
      module with parameters), or a mapping `{"hidden": h}` from a part's name to the
      node (or nodes) that come out of it; a part is what stands behind them and in no
      earlier part. Beyond `max_nodes` nodes, a model given as `names` is folded.
    - `backward(output)` is run instead of the tape's own backward pass, and what it
      does is shown, right or wrong: so a broken engine can be looked at. A mapping
      `{"broken": backward_assigning, "right": None}` shows several beside each other,
      played in this order; None is the tape's own.
    - `alt` describes the picture; by default it lists values and gradients.

    Raises
    ------
    ValueError : if more than `max_nodes` boxes would be seen; if the output is an array
        without a gradient, or needs none; for a name or group that is not on the tape.
    TypeError : if `output` is neither a node nor a tape; for other `names`, `groups`.

    Plumbing.
    """
    from course_utils import stepper

    several = isinstance(backward, Mapping)
    look = {"groups": groups, "digits": digits, "max_nodes": max_nodes}
    look["alt"] = None if several else alt
    pages = [
        stepper.page(output, names, backward=run, title=head, **look)
        for head, run in (backward if several else {title: backward}).items()
    ]
    words = alt or " ".join(page.alt for page in pages)
    if _in_ipython():
        png = _beside([_page_png(page) for page in pages])
        _display(png, words, stepper.markup(pages))
    else:
        print(words)


def _page_png(page: Any) -> bytes:
    with _house_style():
        fig = _draw_layers(page.graph, page.title, page.key)
    dpi = 60 if fig.get_figwidth() > 16 else 72  # a wide one in fewer bytes
    return _png(fig, dpi, _GRAPH_PALETTE) if page.large else _png(fig)


def _beside(pngs: list[bytes]) -> bytes:
    """Several pictures as one, from left to right."""
    from PIL import Image

    if len(pngs) == 1:
        return pngs[0]
    pictures = [Image.open(io.BytesIO(png)).convert("RGB") for png in pngs]
    width, height = sum(p.width for p in pictures), max(p.height for p in pictures)
    sheet, left, file = Image.new("RGB", (width, height), "white"), 0, io.BytesIO()
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width
    sheet = sheet.quantize(64, dither=Image.Dither.NONE)
    sheet.save(file, format="png", optimize=True)
    return file.getvalue()


# --- The neural network --------------------------------------------------------------

_MOST_WEIGHTS = 40


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
    weights = [np.asarray(W, dtype=float) for W in weights]
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
    with _house_style():
        return _draw_neurons(
            cells, notes, title, bool(weight_grads or activation_grads)
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
    fig, ax, x0, y0 = _canvas(width + 2 * _MARGIN, height + 2 * _MARGIN, title, key)
    x0, y0 = x0 + _MARGIN, y0 + _MARGIN
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
    ax.plot([xa + x0, xb + x0], [ya + y0, yb + y0], color=_GREY, lw=1, ls="-", zorder=1)
    left, bottom, right, top = label.box(label.share)
    box = label_box(label.lines)
    box.x, box.y = (left + right) / 2 + x0, (bottom + top) / 2 + y0
    _edge_label(ax, box)


def _draw_neuron(ax: Axes, x: float, y: float, radius: float, lines: list) -> None:
    from matplotlib.patches import Circle

    look = {"facecolor": _PALE, "edgecolor": "#333333", "linewidth": 1.2}
    ax.add_patch(Circle((x, y), radius, gid="box", zorder=3, **look))
    _write(ax, Box(lines, x=x, y=y), gid="in box")


# --- Curves, matrices, images --------------------------------------------------------


def plot_curves(
    curves: Mapping[str, Any],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log: str | None = None,
) -> Figure:
    """Plot named curves, each with its own colour and line style.

    A curve is a sequence of y, or a pair `(x, y)` as a tuple; `log` is "x", "y" or
    "xy". The legend stands beside the axes, in the order in which the curves end.

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
    with _house_style():
        handles = [ax.plot(x, y, label=name)[0] for name, (x, y) in points.items()]
        for axis in log or "":
            getattr(ax, f"set_{axis}scale")("log")
        _count_in_whole_numbers(ax, points, log)
        if len(points) > 1:
            handles.sort(key=lambda line: -_last(line.get_ydata()))
            fig.legend(handles=handles, loc="outside right center", handlelength=2.8)
    return fig


def _count_in_whole_numbers(ax: Axes, points: dict, log: str | None) -> None:
    from matplotlib.ticker import MaxNLocator

    # Epochs and steps are counted: there is no epoch 2.5.
    if "x" not in (log or "") and all(
        (x == x.round()).all() for x, _ in points.values()
    ):
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def _points(name: str, curve: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(curve, tuple) and len(curve) == 2 and np.ndim(curve[1]):
        x, y = (np.asarray(part, dtype=float) for part in curve)
    else:
        y = np.asarray(curve, dtype=float)
        x = np.arange(len(y)) if y.ndim else np.array(0)
    if x.ndim != 1 or x.shape != y.shape or not len(y):
        raise ValueError(
            f"plot_curves: curve {name!r} should be a sequence of numbers or a pair "
            f"(x, y) of equal lengths, found shapes {x.shape} and {y.shape}."
        )
    return x, y


def _last(y: np.ndarray) -> float:
    finite = y[np.isfinite(y)]
    return float(finite[-1]) if len(finite) else -np.inf


def _matrix(what: str, matrix: Any) -> np.ndarray:
    matrix = np.asarray(matrix, dtype=float)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"{what}: expected a matrix, found shape {matrix.shape}.")
    return matrix


def confusion_matrix(
    matrix: Any,
    labels: Sequence[Any] | None = None,
    title: str = "Which class is taken for which",
) -> Figure:
    """Draw counts, rows true and columns predicted; colour shows the mistakes.

    The diagonal is left grey: it would outshine everything. Colour is the share of
    the row, count / (row sum), off the diagonal.

    Raises
    ------
    ValueError : if `matrix` is not square, holds negative counts, or `labels` differ
        from it in length.

    Plumbing.
    """
    counts = _matrix("confusion_matrix", matrix)
    n = len(counts)
    if counts.shape != (n, n) or counts.min() < 0:
        raise ValueError(
            "confusion_matrix: expected a square matrix of counts, rows true and "
            f"columns predicted, found shape {counts.shape}, minimum {counts.min():g}."
        )
    labels = list(range(n)) if labels is None else list(labels)
    if len(labels) != n:
        raise ValueError(f"confusion_matrix: {n} classes, but {len(labels)} labels.")
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300)
    shares[np.eye(n, dtype=bool)] = np.nan
    fig, ax = axes(title, "predicted", "true", size=_square(n, n, 0.46))
    image = _cells(ax, shares, labels, labels, _colors("magma_r", 0.75), vmin=0)
    _write_cells(ax, image, shares, [[f"{c:g}" for c in row] for row in counts])
    _color_bar(fig, image, ax, "mistakes, % of the row")
    return fig


def _colors(name: str, share: float = 1.0) -> Any:
    """The first `share` of a colour map; what is no number is grey."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    colors = matplotlib.colormaps[name](np.linspace(0, share, 256))
    return ListedColormap(colors).with_extremes(bad="#E4E4E4")


def _square(rows: int, cols: int, cell: float) -> tuple[float, float]:
    """A size in inches that gives every cell its place, within reason."""
    return min(9.0, max(4.2, cols * cell + 2.0)), min(8.0, max(2.6, rows * cell + 1.1))


def _cells(
    ax: Axes, values: np.ndarray, ylabels: Any, xlabels: Any, cmap: Any, **scale: Any
) -> Any:
    image = ax.imshow(
        values, cmap=cmap, interpolation="nearest", aspect="auto", **scale
    )
    if xlabels is not None:
        ax.set_xticks(range(len(xlabels)), [str(x) for x in xlabels])
        ax.set_yticks(range(len(ylabels)), [str(y) for y in ylabels])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return image


def _write_cells(ax: Axes, image: Any, values: np.ndarray, words: list) -> None:
    """Write into every cell, white on dark and black on light."""
    rgb = image.cmap(image.norm(np.ma.masked_invalid(values)))[..., :3]
    light = rgb @ [0.299, 0.587, 0.114] > 0.5
    for i, j in np.ndindex(values.shape):
        color = "black" if light[i, j] else "white"
        ax.text(j, i, words[i][j], ha="center", va="center", size=8, color=color)


def _color_bar(fig: Figure, image: Any, ax: Any, label: str) -> None:
    bar = fig.colorbar(image, ax=ax, label=label, shrink=0.9, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8)


def heat_map(
    matrix: Any,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    label: str,
    log: bool = False,
    annotate: bool = False,
    diverging: bool = False,
) -> Figure:
    """Draw a matrix as colours; `label` says what they measure, with the unit.

    `log` takes the logarithm (cells ≤ 0 stay grey), `annotate` writes the numbers,
    `diverging` makes the scale symmetric about 0.

    Raises
    ------
    ValueError : if `matrix` is no matrix; for `log` with `diverging`, or with nothing
        above 0.

    Plumbing.
    """
    values = _matrix("heat_map", matrix)
    if log and (diverging or not (values > 0).any()):
        raise ValueError(
            "heat_map: log=True needs values above 0 and no diverging scale. "
            "Drop log, or take the absolute value."
        )
    fig, ax = axes(
        title, xlabel, ylabel, size=_square(*values.shape, 0.5 if annotate else 0.28)
    )
    shown = np.where(values > 0, values, np.nan) if log else values
    image = _cells(ax, shown, None, None, **_scale(shown, log, diverging))
    _whole_ticks(ax, values.shape)
    if annotate:
        words = [[number(v, 3) for v in row] for row in values]
        _write_cells(ax, image, shown, words)
    _color_bar(fig, image, ax, label)
    return fig


def _scale(values: np.ndarray, log: bool, diverging: bool) -> dict[str, Any]:
    from matplotlib.colors import LogNorm

    if diverging:
        far = np.nanmax(np.abs(values)) or 1.0
        return {"cmap": _colors("RdBu_r"), "vmin": -far, "vmax": far}
    return {"cmap": _colors("viridis"), **({"norm": LogNorm()} if log else {})}


def _whole_ticks(ax: Axes, shape: tuple[int, int]) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(min(10, shape[0]), integer=True))
    ax.xaxis.set_major_locator(MaxNLocator(min(10, shape[1]), integer=True))


def image_grid(
    images: Any,
    titles: Sequence[Any] | None = None,
    n_cols: int | None = None,
    title: str | None = None,
    shape: tuple[int, int] = (28, 28),
    cmap: str = "gray",
    *,
    diverging: bool = False,
) -> Figure:
    """Draw images `(N, height·width)` or `(N, height, width)` on one common scale.

    `diverging` is for weights: blue below 0, white at 0, red above, symmetric.

    Raises
    ------
    ValueError : if the images do not have `shape`, or `titles` differ in number.

    Plumbing.
    """
    pictures = _pictures(images, shape)
    n = len(pictures)
    if titles is not None and len(titles) != n:
        raise ValueError(f"image_grid: {n} images, but {len(titles)} titles.")
    n_cols = n_cols or min(n, 10)
    rows = -(-n // n_cols)
    side = min(1.1, _WIDTH / n_cols)
    height = rows * (
        side * shape[0] / shape[1] + (0.22 if titles is not None else 0.05)
    )
    size = (side * n_cols + (0.8 if diverging else 0), height + (0.4 if title else 0.1))
    fig, grid = axes(title, rows=rows, cols=n_cols, size=size, squeeze=False)
    fig.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
    scale = {"vmin": np.nanmin(pictures), "vmax": np.nanmax(pictures), "cmap": cmap}
    if diverging:
        scale = _scale(pictures, False, True)
    for ax in grid.flat:
        ax.set_axis_off()
    for k, (ax, picture) in enumerate(zip(grid.flat, pictures, strict=False)):
        image = ax.imshow(picture, interpolation="nearest", **scale)
        if titles is not None:
            ax.set_title(str(titles[k]), size=9, loc="center", weight="normal", pad=3)
    if diverging:
        _color_bar(fig, image, grid, "value")
    return fig


def _pictures(images: Any, shape: tuple[int, int]) -> np.ndarray:
    images = np.asarray(images, dtype=float)
    fits = images.shape[1:] in (tuple(shape), (shape[0] * shape[1],))
    if not fits or not len(images):
        raise ValueError(
            f"image_grid: expected images (N, {shape[0] * shape[1]}) or "
            f"(N, {shape[0]}, {shape[1]}), found shape {images.shape}. "
            "One image is images[i:i + 1]; other sizes say shape=(height, width)."
        )
    return images.reshape(-1, *shape)


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
    X, y = np.asarray(X, dtype=float), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1]:
        raise ValueError(
            "decision_boundary: expected X (N, 2) and y (N,), "
            f"found {X.shape} and {y.shape}."
        )
    xs, ys, scores = _on_a_grid(predict, X)
    fig, ax = axes(title, "x₁", "x₂", size=(6.0, 4.4))
    with _house_style():
        classes = np.unique(y)
        if scores.dtype.kind in "iub":
            classes = np.union1d(classes, scores)
        _color_plane(ax, xs, ys, scores, classes, threshold)
        for k, label in enumerate(classes):
            ax.scatter(
                *X[y == label].T,
                s=26,
                marker=_MARKERS[k % len(_MARKERS)],
                color=_CYCLE[k % len(_CYCLE)][0],
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
    scores = np.asarray(predict(points))
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
            _color_regions(ax, xs, ys, here, 0.5, [None, _CYCLE[k % len(_CYCLE)][0]])
        return
    if len(classes) > 2:
        raise ValueError(
            "decision_boundary: scores part two classes; y has more. "
            f"Let predict return one of the classes {classes.tolist()} for each point."
        )
    inside = scores.min() >= 0 and scores.max() <= 1
    middle = (0.5 if inside else 0.0) if threshold is None else threshold
    _color_regions(ax, xs, ys, scores, middle, [color for color, _ in _CYCLE[:2]])


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
