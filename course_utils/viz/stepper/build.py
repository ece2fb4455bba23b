"""From a computation to a page: everything that `viz.step` shows."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from course_utils.viz import naming
from course_utils.viz.layout import Graph
from course_utils.viz.stepper.picture import Picture
from course_utils.viz.stepper.svg import Sheet, Svg, document
from course_utils.viz.stepper.views import (
    Names,
    Vertex,
    View,
    all_vertices,
    folds_of,
    in_order,
    inside,
)
from course_utils.viz.stepper.watch import play

_MOST_LISTED = 16  # boxes that an alt text goes through one by one
_MOST_SAID = 24  # sentences that it has at most
_MOST_LABELLED = 12  # boxes up to which the picture on paper has labels on its edges


@dataclass
class Page:
    """A stepping view, ready to be shown. Plumbing.

    `graph` is the whole graph in its place, for a drawing on paper, if it is `large`
    without labels on its edges; `img` is its picture in HTML (see `markup`).
    """

    graph: Graph
    title: str
    key: str
    alt: str
    img: str
    large: bool


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
    given = naming.given_names(nodes, _name_map(nodes, names), "step")
    if groups is None and _is_model(names) and len(nodes) > max_nodes:
        groups = names
    folds = {} if groups is None else folds_of(nodes, groups, given)
    called = Names(nodes, given, digits)
    views = _views(called, folds, events, title, max_nodes)
    pictures = [Picture(view) for view in views]
    whole, key = pictures[0], _key(pictures[0])
    alt = alt or _describe(whole)
    sheet = Sheet()
    svgs = [Svg(picture, key, sheet) for picture in pictures]
    large = len(whole.view.vertices) > _MOST_LABELLED
    graph = whole.lay_out(labelled=not large)
    return Page(graph, title, key, alt, _img(svgs, alt), large)


def _is_model(names: Any) -> bool:
    return hasattr(names, "named_parameters")


def _name_map(nodes: list[Any], names: Any) -> Mapping[str, Any]:
    if not _is_model(names):
        return {} if names is None else names
    on_tape = {id(node) for node in nodes}
    return {n: p for n, p in names.named_parameters() if id(p) in on_tape}


def _views(
    names: Names, folds: dict, events: list, title: str, max_nodes: int
) -> list[View]:
    """The whole graph, then each module opened."""
    vertices = all_vertices(names.nodes, folds)
    if len(vertices) > max_nodes:
        raise ValueError(
            f"step: this graph shows {len(vertices)} nodes, and beyond {max_nodes} "
            "nobody can follow. Fold parts of it: groups=model, or "
            'groups={"hidden layer": h} with the nodes that come out of each part; '
            f"or pass max_nodes={len(vertices)}."
        )
    inner = (inside(names, *fold, events) for fold in folds.items())
    small = (view for view in inner if len(view.vertices) <= max_nodes)
    return [View(names, in_order(vertices), events, title), *small]


# --- Words about the whole ------------------------------------------------------------


def _key(picture: Picture) -> str:
    names, kinds = picture.view.names, {v.kind for v in picture.view.vertices}
    whole = names.whole()
    of = f" of {whole}" if " " in whole else f", ∂{whole}/∂(this)"
    parts = [f"blue ∂: gradient{of}"]
    parts += ["shaded: leaf"] if "leaf" in kinds else []
    parts += ["dashed: constant"] if "constant" in kinds else []
    parts += ["double frame: module"] if "module" in kinds else []
    parts += ["small maps: dark below 0, bright above"] if picture.has_maps() else []
    return "  ·  ".join([*parts, "thick frame: output"])


def _describe(picture: Picture) -> str:
    """An alt text: formulas, values and gradients, of many nodes the named ones."""
    view, names = picture.view, picture.view.names
    said = [
        _describe_vertex(vertex, picture.script.grad_text(i), names)
        for i, vertex in enumerate(view.vertices)
        if len(view.vertices) <= _MOST_LISTED or _stands_out(vertex, names)
    ]
    said = [sentence for sentence in said if sentence]
    more = [f"And {len(said) - _MOST_SAID} more."] if len(said) > _MOST_SAID else []
    title = f"{view.title}. " if view.title else ""
    first = f"{title}Computation graph of {names[names.nodes[-1]]}"
    head = f"{first}, to be stepped through: {len(view.vertices)} boxes."
    return " ".join([head, *said[:_MOST_SAID], *more])


def _stands_out(vertex: Vertex, names: Names) -> bool:
    named = vertex.kind in ("leaf", "output", "module")
    return named or id(vertex.node) in names.given


def _describe_vertex(vertex: Vertex, grad: str, names: Names) -> str:
    node = vertex.node
    if vertex.folded:
        return f"{vertex.name}: {len(vertex.nodes)} nodes, {grad}."
    if names[node] == names.value(node.data):
        return ""
    formula = f" = {names.formula(node)}" if node.op else ""
    slope = f", {names.slope(node)} = {grad.removeprefix('∂ ')}" if grad else ""
    return f"{names[node]}{formula} = {names.value(node.data)}{slope}."


# --- HTML -----------------------------------------------------------------------------

# The picture brings its player along, packed. This takes it out of each picture, once.
_STARTER = (
    'for(const img of document.querySelectorAll("img[data-steps]")){'
    'img.removeAttribute("data-steps");'
    "const bytes=code=>Uint8Array.from(atob(code),c=>c.charCodeAt(0)),"
    'text=new TextDecoder().decode(bytes(img.src.split(",")[1])),'
    'svg=new DOMParser().parseFromString(text,"image/svg+xml").documentElement,'
    'packed=new Blob([bytes(svg.querySelector("metadata").textContent)]);'
    'new Response(packed.stream().pipeThrough(new DecompressionStream("deflate")))'
    ".json().then(({player,...data})=>{"
    'const script=document.createElement("script");script.textContent=player;'
    "Object.assign(script,{img,svg,data});document.head.append(script);"
    "script.remove()})}"
)


def markup(pages: Sequence[Page]) -> str:
    """HTML of one view, or of several beside each other, as far as there is room.

    It starts as pictures; where scripts run, players take their places. Plumbing.
    """
    row = "".join(page.img for page in pages)
    if len(pages) > 1:
        row = f'<div style="display:flex;flex-wrap:wrap;gap:12px">{row}</div>'
    return f"{row}<script>{_STARTER}</script>"


def _img(svgs: list[Svg], alt: str) -> str:
    text = document(svgs, _packed(svgs), _asset("picture.css"))
    source = f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"
    # No width in figures: a picture's bytes may differ elsewhere, the page may not.
    style = 'style="max-width:100%;height:auto"'
    return f'<img data-steps alt="{html.escape(alt)}" {style} src="{source}">'


def _packed(svgs: list[Svg]) -> str:
    """The player, its style and the steps: a third of their size when packed."""
    data = {
        "player": _asset("player.js"),
        "style": _asset("player.css"),
        "views": [svg.data() for svg in svgs],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


@lru_cache
def _asset(name: str) -> str:
    """A file beside this one, without comments and indentation."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(x for x in lines if x and not x.startswith("//"))
