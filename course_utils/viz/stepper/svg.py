"""A picture as SVG: complete by itself, and with a part for everything that can step.

The first group is what is seen. Each group holds the edges of a view (`e`), in order,
then its nodes (`n`). A text is a title (`t`), a value (`v`), a gradient (`g`) or a
local derivative (`l`).
"""

from __future__ import annotations

import base64
import html
import io
from typing import Any

import numpy as np

from course_utils.viz.boxes import HEAT, Box, Line, map_size, text_width
from course_utils.viz.stepper.picture import BLUE, GREY, Picture

_PIXELS = 110  # of an inch
_MARGIN, _HEAD, _FOOT = 0.14, 0.32, 0.26  # inches
_SHEET = 8  # pixels: the width of the sheet with all heat maps
_CLASSES = {BLUE: "g", GREY: "l"}


class Sheet:
    """All small heat maps of a document under each other, each of them once.

    Plumbing.
    """

    def __init__(self) -> None:
        self.tops: dict[tuple, int] = {}
        self.height = 0

    def place(self, levels: np.ndarray) -> str:
        """Left, top, width and height of a heat map on the sheet."""
        rows, columns = levels.shape
        key = tuple(map(tuple, levels.tolist()))
        if key not in self.tops:
            self.tops[key] = self.height
            self.height += rows
        return f"0 {self.tops[key]} {columns} {rows}"

    def text(self) -> str:
        """The sheet as an image that is not seen itself."""
        if not self.tops:
            return ""
        rows = [row + (0,) * (_SHEET - len(row)) for key in self.tops for row in key]
        code = base64.b64encode(tiny_png(np.array(rows))).decode()
        size = f'width="{_SHEET}" height="{self.height}"'
        href = f'href="data:image/png;base64,{code}"'
        return f'<defs><image id="maps" {size} {href}/></defs>'


class Svg:
    """Writes a picture; x to the right and y downwards, in pixels. Plumbing."""

    def __init__(self, picture: Picture, key: str, sheet: Sheet):
        self.picture, self.graph, self.key = picture, picture.lay_out(), key
        self.sheet = sheet
        self.title = picture.view.title
        width, height = self.graph.size
        captions = (
            text_width(self.title, 11, "bold"),
            text_width(key, 7.5),
        )
        self.width = max(width + 2 * _MARGIN, *(caption + 0.3 for caption in captions))
        self.height = height + 2 * _MARGIN + _FOOT + (_HEAD if self.title else 0.0)
        self.left = (self.width - width) / 2

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return pixels(self.width), pixels(self.height)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Pixels from inches."""
        return pixels(x + self.left), pixels(self.height - _FOOT - _MARGIN - y)

    def data(self) -> dict[str, Any]:
        """What the player has to know besides what is seen."""
        return {
            "name": self.title,
            "size": self.size,
            "heads": [head for head, _ in self.graph.edges()],
            "steps": [vars(step) for step in self.picture.script.steps],
        }

    def text(self) -> str:
        """The whole view, without the group that it stands in."""
        edges = [self._edge(i, slot) for i, slot in self.graph.edges()]
        nodes = [self._node(i) for i in range(len(self.picture.view.vertices))]
        return "".join([*self._captions(), *edges, *nodes])

    def _captions(self) -> list[str]:
        x, foot = pixels(0.12), pixels(self.height - 0.11)
        head = f'<text class="head" x="{x}" y="{pixels(0.26)}">'
        return [
            f"{head}{_escape(self.title)}</text>" if self.title else "",
            f'<text class="key" x="{x}" y="{foot}">{_escape(self.key)}</text>',
        ]

    def _node(self, i: int) -> str:
        box, vertex = self.graph.boxes[i], self.picture.view.vertices[i]
        name = f' data-name="{html.escape(vertex.name)}"' if vertex.folded else ""
        frames = self._frame(box)
        if vertex.folded:
            frames += self._frame(box, ' class="gap"')
        return f'<g class="n {vertex.kind}"{name}>{frames}{self._content(box)}</g>'

    def _frame(self, box: Box, attributes: str = "") -> str:
        left, top = self.at(box.x - box.width / 2, box.y + box.height / 2)
        right, bottom = self.at(box.x + box.width / 2, box.y - box.height / 2)
        size = f'width="{right - left}" height="{bottom - top}"'
        return f'<rect{attributes} x="{left}" y="{top}" {size}/>'

    def _content(self, box: Box) -> str:
        found, kinds = [], iter("vg")  # of two heat maps the second is the gradient
        for thing, x, y in box.places():
            is_line = isinstance(thing, Line)
            found.append(
                self._line(thing, x, y)
                if is_line
                else self._map(thing, x, y, next(kinds))
            )
        return "".join(found)

    def _line(self, line: Line, x: float, y: float) -> str:
        if not line.text:
            return ""
        kind = "t" if line.weight == "bold" else _CLASSES.get(line.color, "v")
        left, base = self.at(x, y - 0.36 * line.size / 72)
        attributes = f'class="{kind}" x="{left}" y="{base}"'
        return f"<text {attributes}>{_escape(line.text)}</text>"

    def _map(self, levels: np.ndarray, x: float, y: float, kind: str) -> str:
        width, height = map_size(levels)
        left, top = self.at(x - width / 2, y + height / 2)
        size = f'width="{pixels(width)}" height="{pixels(height)}"'
        place = f'class="{kind}m" x="{left}" y="{top}" {size}'
        box = f'viewBox="{self.sheet.place(levels)}"'
        return f'<svg {place} {box}><use href="#maps"/></svg>'

    def _edge(self, i: int, slot: int) -> str:
        points = [self.at(*point) for point in self.graph.route(i, slot)]
        label = self.graph.label(i, slot)
        words = self._content(label) if label else ""
        return f'<g class="e"><path d="{_curve(points)}"/>{words}</g>'


def pixels(inches: float) -> int:
    """Whole pixels. Plumbing."""
    return round(inches * _PIXELS)


def _escape(words: str) -> str:
    return html.escape(words, quote=False)


def _curve(points: list[tuple[int, int]]) -> str:
    """Level inside of layers, an S between two, and a tip at the end."""
    (x, y), (level, _) = points[:2]
    parts = [f"M{x} {y}H{level}"]
    bends = zip(points[1:-1:2], points[2::2], points[3::2], strict=True)
    for (xa, ya), (xb, yb), (end, _) in bends:
        middle = (xa + xb) // 2
        parts.append(f"C{middle} {ya} {middle} {yb} {xb} {yb}H{end}")
    return "".join([*parts, "m-6-3l6 3-6 3"])


def tiny_png(levels: np.ndarray) -> bytes:
    """A PNG with one pixel for each cell of small heat maps. Plumbing."""
    from PIL import Image

    picture = Image.fromarray(levels.astype(np.uint8), mode="P")
    picture.putpalette(bytes.fromhex("".join(HEAT).replace("#", "")))
    file = io.BytesIO()
    picture.save(file, format="png", optimize=True, bits=4)
    return file.getvalue()


def document(svgs: list[Svg], player: str, style: str) -> str:
    """An SVG file with all views, the first one shown, and the packed player.

    Plumbing.
    """
    width, height = svgs[0].size
    shown = f"<g>{svgs[0].text()}</g>"
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    hidden = "".join(f'<g display="none">{svg.text()}</g>' for svg in svgs[1:])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}><style>{style}</style>'
        f"{svgs[0].sheet.text()}{shown}{hidden}<metadata>{player}</metadata></svg>"
    )
