"""Measure in a browser whether every slide of a deck fits, and print decks as PDF.

    make slides              # all notebooks; one: NB=06

A slide that asks for scrolling is named with its notebook, its cell, and the pixels
that it has too many. `build/slides/*.pdf` then holds each deck with all its formulas.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from lecture.slides import DECKS, ROOT
from tools import browser

# Each slide with all its fragments: how far the lowest and the rightmost thing stands
# beyond 1280 × 720, and the widest that hides behind a scroll bar; 1 px is rounding.
MEASURE = """
() => {
  const scale = Reveal.getScale();
  const frame = document.querySelector(".reveal .slides").getBoundingClientRect();
  return Reveal.getSlides().map((slide, number) => {
    const at = Reveal.getIndices(slide);
    Reveal.slide(at.h, at.v, 999);
    const worst = {number: number + 1, cell: "", down: 0, right: 0};
    for (const cell of slide.querySelectorAll(".jp-Cell, .cell")) {
      for (const part of [cell, ...cell.querySelectorAll("*")]) {
        if (part.closest("aside, .jp-InputPrompt, mjx-assistive-mml")) continue;
        const box = part.getBoundingClientRect();
        if (!box.width || !box.height) continue;
        const hidden = part.matches("pre, .jp-OutputArea-output, .cm-scroller")
          ? part.scrollWidth - part.clientWidth : 0;
        const down = (box.bottom - frame.top) / scale - 720;
        const right = Math.max((box.right - frame.left) / scale - 1280, hidden);
        if (down > worst.down + 1 || right > worst.right + 1) {
          worst.cell = cell.id.replace("cell-id=", "");
          worst.down = Math.max(worst.down, down);
          worst.right = Math.max(worst.right, right);
        }
      }
    }
    return worst;
  });
}
"""


@dataclass
class Overflow:
    """A slide that does not fit: which cell reaches out of it, and how far."""

    deck: str
    slide: int
    cell: str
    down: int
    right: int

    def __str__(self) -> str:
        sides = (f"{self.down} px too high", f"{self.right} px too wide")
        said = [s for s, n in zip(sides, (self.down, self.right), strict=True) if n > 1]
        return f"{self.deck}, slide {self.slide}, cell {self.cell}: {', '.join(said)}"


def ready(page, deck: Path, query: str = "") -> None:
    """Open a deck and wait until its formulas are set."""
    page.goto(deck.as_uri() + query)
    page.wait_for_function("window.Reveal && Reveal.isReady()", timeout=60_000)


def overflows(page, deck: Path) -> list[Overflow]:
    """The slides of a deck that do not fit 1280 × 720."""
    ready(page, deck)
    found = page.evaluate(MEASURE)
    return [
        Overflow(deck.stem, f["number"], f["cell"], round(f["down"]), round(f["right"]))
        for f in found
        if max(f["down"], f["right"]) > 1
    ]


def to_pdf(page, deck: Path) -> Path:
    """Print a deck, all fragments shown, a slide to a page."""
    ready(page, deck, "?print-pdf")
    page.wait_for_load_state("networkidle")
    pdf = deck.with_suffix(".pdf")
    page.pdf(path=str(pdf), prefer_css_page_size=True, print_background=True)
    return pdf


def main(prefix: str = "") -> int:
    """Measure and print the decks; 1 if a slide does not fit."""
    decks = sorted(DECKS.glob(f"{prefix}*.html"))
    if not decks:
        print("There are no decks: make slides makes them", file=sys.stderr)
        return 1
    found = []
    with browser.opened() as chromium:
        for deck in decks:
            page = chromium.new_page(viewport={"width": 1320, "height": 743})
            found += overflows(page, deck)
            print(f"{to_pdf(page, deck).relative_to(ROOT)}", flush=True)
            page.close()
    print(*found, sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
