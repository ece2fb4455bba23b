"""Make a deck of each notebook, for a lecture without a network.

    make slides              # all; one: NB=06

What a slide is, stands in the notebook: each cell's slide type (JupyterLab shows it in
the property inspector: slide, sub-slide, fragment, skip, or nothing: goes with the cell
before). Tags say what of a cell is shown:

    deck-no-code        its outputs only
    deck-no-output      its code only
    deck-from-heading   its text from the first heading on
    deck-no-prose       of its text: headings, formulas, tables, lists and quotes
    deck-split          long code on several sub-slides, parted at blank lines;
                        a text with several headings, parted before each heading
    deck-small          smaller type, for code that a slide just fails to hold

What to say stands in `lecture/notes`, one file for each notebook, below the id of the
first cell of a slide. The decks are in `build/slides`; S opens the speaker's view with
notes and timer, and `?print-pdf` after the address lays all slides out for printing.
"""

from __future__ import annotations

import copy
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from traitlets.config import Config

from tools.notebooks import chosen

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
NOTES, TEMPLATES, WEB = HERE / "notes", HERE / "templates", HERE / "node_modules"
DECKS = ROOT / "build" / "slides"
HEAD = re.compile(r"^## +(\S+)[^\n]*\n", re.MULTILINE)
MINUTES = re.compile(r"^\W*Minutes:\W*(\d+)", re.MULTILINE)
PLUMBING = re.compile(r"^(#\| package: |# NBVAL_).*\n|  # noqa.*$", re.MULTILINE)
BLOCK = re.compile(r"\s*(#|>|\||\$\$|!\[|[-*] |\d+\. )")  # all but plain prose
LINES = 24  # of code, that a slide holds with ease
NOTHING = "-"  # reveal's sign for a cell that goes with the one before


class NotesError(ValueError):
    """Notes that belong to no slide."""


def main(prefix: str = "") -> int:
    """Make the decks of the notebooks that begin with `prefix`."""
    paths = chosen(prefix)
    if not paths:
        print(f"No notebook fits {prefix}*.ipynb", file=sys.stderr)
        return 1
    carry_along()
    for path in paths:
        print(deck(path), flush=True)
    return 0


def carry_along() -> None:
    """Lay reveal.js, MathJax and the style sheet beside the decks."""
    web = DECKS / "web"
    shutil.rmtree(web, ignore_errors=True)
    for part in ("dist", "plugin/notes"):
        shutil.copytree(WEB / "reveal.js" / part, web / "reveal" / part)
    shutil.copy(WEB / "mathjax3" / "es5" / "tex-svg.js", web)
    for part in ("deck.css", "deck.js"):
        shutil.copy(TEMPLATES / part, web)


def deck(path: Path) -> str:
    """Write the deck of one notebook; give a line that reports."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = shaped(notebook.cells)
    said = notes_of(path)
    add_notes(notebook, said, path.stem)
    minutes = sum(int(m) for text in said.values() for m in MINUTES.findall(text))
    exporter = SlidesExporter(config=settings())
    page, _ = exporter.from_notebook_node(
        notebook, {"deck_seconds": 60 * minutes, "metadata": {"name": path.stem}}
    )
    (DECKS / f"{path.stem}.html").write_text(page, "utf-8")
    kinds = [slide_type(cell) for cell in notebook.cells]
    count = sum(kind in ("slide", "subslide") for kind in kinds)
    return f"{path.stem}: {count} slides, {len(said)} with notes, {minutes} minutes"


def settings() -> Config:
    """How nbconvert makes a deck."""
    config = Config()
    config.SlidesExporter.extra_template_basedirs = [str(TEMPLATES)]
    config.SlidesExporter.template_name = "deck"
    config.SlidesExporter.reveal_url_prefix = "web/reveal"
    config.SlidesExporter.reveal_theme = "white"
    config.SlidesExporter.embed_images = True
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_input_tags = {"deck-no-code"}
    config.TagRemovePreprocessor.remove_all_outputs_tags = {"deck-no-output"}
    return config


# --- what the audience sees -----------------------------------------------------------


def shaped(cells: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The cells as their tags ask: text without a part, long ones in pieces."""
    found = []
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            cell.source = shown_text(cell.source, tags)
        else:
            cell.source = PLUMBING.sub("", cell.source)
        found += pieces(cell) if "deck-split" in tags else [cell]
    return found


def shown_text(text: str, tags: list[str]) -> str:
    """What a slide shows of a text."""
    if "deck-from-heading" in tags:
        text = text[re.search(r"^#+ |\Z", text, re.MULTILINE).start() :]
    if "deck-no-prose" in tags:
        blocks = re.split(r"\n\s*\n", text)
        text = "\n\n".join(block for block in blocks if BLOCK.match(block))
    return text


def pieces(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """A cell as several slides; what it gives stands with the last."""
    is_code = cell.cell_type == "code"
    parts = parts_of_code(cell.source) if is_code else parts_of_text(cell.source)
    found = [copy.deepcopy(cell) for _ in parts]
    for k, (piece, part) in enumerate(zip(found, parts, strict=True)):
        piece.source = part
        if k:
            begins = not is_code and part.startswith("## ")
            piece.id = f"{cell.id}-{k + 1}"
            kind = "slide" if begins else "subslide"
            piece.metadata["slideshow"] = {"slide_type": kind}
        if is_code and piece is not found[-1]:
            piece.outputs = []
    return found


def parts_of_text(text: str) -> list[str]:
    """A text in parts: what stands before its headings, then each of them."""
    parts = re.split(r"\n(?=#+ )", text)
    return [part.strip("\n") for part in parts if part.strip()]


def parts_of_code(code: str) -> list[str]:
    """Code in parts that a slide holds."""
    parts = [""]
    for block in re.split(r"\n(?=\n)", code):
        longer = f"{parts[-1]}\n{block}".strip("\n")
        if parts[-1] and longer.count("\n") >= LINES:
            parts.append(block.strip("\n"))
        else:
            parts[-1] = longer
    return parts


# --- what the speaker sees ------------------------------------------------------------


def notes_of(path: Path) -> dict[str, str]:
    """The notes of a notebook by the id of the slide's first cell.

    Raises NotesError where an id stands twice.
    """
    file = NOTES / f"{path.stem}.md"
    if not file.exists():
        return {}
    parts = HEAD.split(file.read_text("utf-8"))
    if twice := [name for name, n in Counter(parts[1::2]).items() if n > 1]:
        raise NotesError(
            f"lecture/notes/{file.name}: several notes below {', '.join(twice)}; "
            f"expected one for each slide"
        )
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2])}  # noqa: B905


def slide_type(cell: nbformat.NotebookNode) -> str:
    """The slide type of a cell."""
    return cell.metadata.get("slideshow", {}).get("slide_type") or NOTHING


def add_notes(notebook: nbformat.NotebookNode, said: dict[str, str], name: str) -> None:
    """Put each note at the end of the slide that begins with the cell of its id.

    Raises NotesError for an id that begins no slide.
    """
    begins = [c.id for c in notebook.cells if slide_type(c) in ("slide", "subslide")]
    if lost := sorted(set(said) - set(begins)):
        raise NotesError(
            f"lecture/notes/{name}.md: no slide begins with cell {', '.join(lost)}; "
            f"give notes to the first cell of a slide or sub-slide"
        )
    cells, pending = [], ""
    for cell in notebook.cells:
        if slide_type(cell) in ("slide", "subslide"):
            cells += [as_note(pending)] if pending else []
            pending = said.get(cell.id, "")
        cells.append(cell)
    notebook.cells = cells + ([as_note(pending)] if pending else [])


def as_note(text: str) -> nbformat.NotebookNode:
    """A cell that only the speaker sees."""
    return nbformat.v4.new_markdown_cell(
        text, metadata={"slideshow": {"slide_type": "notes"}}
    )


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except NotesError as why:
        sys.exit(str(why))
