"""The notes for the lecture: which cell each belongs to, and how that cell begins.

    python -m tools.notes        gives words to the notes that have none

A note stands below a line like this one, with the id of a cell and words of that cell:

    ## 03-006 · Now we write down what we did

Tools that edit notebooks may give an id to another cell. Then the words are not in it,
and `tests/notebooks/hygiene.py` says so.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools.notebooks import ROOT, Cell, Notebook, paths, read

FOLDER = ROOT / "lecture" / "notes"
HEAD = re.compile(r"^## +(\S+)(?: +· +(\S[^\n]*?))?[ ]*$", re.MULTILINE)
SILENT = re.compile(r"#\||# NBVAL_|```|\$\$|\s*$")  # lines that say nothing
LONGEST = 60  # characters


def heads(path: Path) -> list[tuple[str, str]]:
    """Give the id and the words above each note for a notebook."""
    file = FOLDER / f"{path.stem}.md"
    return HEAD.findall(file.read_text(encoding="utf-8")) if file.exists() else []


def cell_of(notebook: Notebook, name: str) -> Cell | None:
    """Find the cell of a note; 03-037-2 is the second slide that 03-037 makes."""
    cells = {cell.cell_id: cell for cell in notebook.cells}
    return cells.get(name) or cells.get(name.rpartition("-")[0])


def plain(cell: Cell) -> str:
    """Give a cell on one line; of a text, without the marks for bold and code."""
    text = cell.source if cell.kind == "code" else re.sub(r"[*`]", "", cell.source)
    return " ".join(text.split())


def lines_of(cell: Cell, part: int) -> list[str]:
    """Give the lines that tell what a cell is: of a text, its headings come first."""
    lines = [line for line in cell.source.splitlines() if not SILENT.match(line)]
    if cell.kind == "markdown":
        titles = [line for line in lines if re.match(r"#+ ", line)]
        lines = titles[part - 1 :] + lines
    return [plain(Cell(cell.kind, line)).strip("#> ") for line in lines]


def cut(line: str) -> str:
    """Cut a line so that only whole words are left."""
    while len(line) > LONGEST and " " in line:
        line = line.rpartition(" ")[0]
    return line[:LONGEST]


def first_words(cell: Cell, part: int, others: list[str]) -> str:
    """Give the beginning of a cell by a line that stands in no other, if it has one."""
    found = [cut(line) for line in lines_of(cell, part)]
    own = [words for words in found if not any(words in text for text in others)]
    return (own or found or [cut(plain(cell))])[0]


def named(text: str, notebook: Notebook) -> str:
    """Add words to the heads that have none."""

    def with_words(head: re.Match) -> str:
        name, words = head.groups()
        cell = cell_of(notebook, name)
        if words or cell is None:
            return head.group()
        part = 1 if name == cell.cell_id else int(name.rpartition("-")[2])
        others = [plain(other) for other in notebook.cells if other is not cell]
        return f"## {name} · {first_words(cell, part, others)}"

    return HEAD.sub(with_words, text)


def main() -> int:
    """Add words to all notes."""
    for path in paths():
        file = FOLDER / f"{path.stem}.md"
        if file.exists():
            text = file.read_text(encoding="utf-8")
            file.write_text(named(text, read(path)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
