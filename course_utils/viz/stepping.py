"""The computation graph, step by step."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

from course_utils.viz.graph import draw_layers
from course_utils.viz.house import house_style
from course_utils.viz.page import display_png, in_ipython, png_of

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
    from course_utils.viz import stepper

    several = isinstance(backward, Mapping)
    look = {"groups": groups, "digits": digits, "max_nodes": max_nodes}
    look["alt"] = None if several else alt
    pages = [
        stepper.page(output, names, backward=run, title=head, **look)
        for head, run in (backward if several else {title: backward}).items()
    ]
    words = alt or " ".join(page.alt for page in pages)
    if in_ipython():
        png = _beside([_page_png(page) for page in pages])
        display_png(png, words, stepper.markup(pages))
    else:
        print(words)


def _page_png(page: Any) -> bytes:
    with house_style():
        fig = draw_layers(page.graph, page.title, page.key)
    dpi = 60 if fig.get_figwidth() > 16 else 72  # a wide one in fewer bytes
    return png_of(fig, dpi, _GRAPH_PALETTE) if page.large else png_of(fig)


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
