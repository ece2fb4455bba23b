"""A submission put right: every cell that counts, marked as it was given out.

Other editors drop the marks. Students split cells, merge and move them, answer in a
cell of their own, and delete what they do not need. An answer is known by its line,
`# Exercise 06.1`, or by what it defines; the check comes back below it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.exercise_cells import CHECK

MOST = 50_000_000  # bytes of a notebook
LINE = re.compile(
    r"^[ \t]*#[^\w\n]*exercise[^\w\n]*(\d{1,2})[^\w\n]+(\d{1,3})\b", re.I | re.M
)
ASKS = re.compile(r"(#.*|(check|hint|solution|progress)\([^()]*\)[ \t]*;?)?")
NEW_CELL = {
    "code": nbformat.v4.new_code_cell,
    "markdown": nbformat.v4.new_markdown_cell,
}


# --- reading --------------------------------------------------------------------------


def opened(path: Path) -> NotebookNode:
    """The cells of a file: what they say, and nothing else.

    Outputs, marks and metadata stay behind: none of them counts, and a notebook in
    which one is wrong is no worse. Raises ValueError where there is no notebook.
    """
    try:
        if path.is_symlink():
            raise ValueError("it is a link")
        if not path.is_file():
            raise ValueError("it is no file")
        if path.stat().st_size > MOST:
            raise ValueError("it has more than 50 MB")
        return plain(path.read_text("utf-8-sig"))
    except Exception as why:  # whatever a file may hold, it stops nobody else
        raise ValueError(f"cannot be opened: {reason(why)}") from None


def reason(why: Exception) -> str:
    """Why a file is no notebook, in words for a table."""
    if type(why) is ValueError:
        return str(why)
    kind = "cannot be read" if isinstance(why, OSError) else "is no notebook"
    return f"it {kind} ({type(why).__name__})"


def plain(text: str) -> NotebookNode:
    """The cells of a notebook of any version; raises what a wrong one makes raise."""
    if not text.strip():
        raise ValueError("it is empty")
    stored = nbformat.reader.reads(text)
    if nbformat.reader.get_version(stored)[0] != 4:
        stored = nbformat.convert(stored, 4)
    cells = [
        NEW_CELL.get(cell["cell_type"], nbformat.v4.new_raw_cell)(cell["source"])
        for cell in stored["cells"]
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.writes(notebook).encode()  # a half of a character cannot be written
    return notebook


# --- what is asked --------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """One exercise as it was given out: the cell to fill in, and the check."""

    answer: NotebookNode
    check: NotebookNode
    given: list[list[str]]  # all code that was given out, bare

    @property
    def number(self) -> str:
        """Such as 06.1."""
        return CHECK.search(self.check.source).group(1)

    @property
    def name(self) -> str:
        """What the check asks for."""
        return CHECK.search(self.check.source).group(2)

    def begun_in(self, cell: NotebookNode) -> bool:
        """Whether a cell holds the line of this exercise."""
        return is_code(cell) and self.number in numbers_in(cell.source)

    def written_in(self, cell: NotebookNode) -> bool:
        """Whether a cell defines what is asked for, and was not given out so."""
        own = is_code(cell) and self.defined_in(cell)
        return own and bare(cell.source) not in self.given

    def defined_in(self, cell: NotebookNode) -> bool:
        """Whether a cell gives the name asked for to something."""
        given = rf"(?:async )?def {self.name}\b|class {self.name}\b"
        given += rf"|{self.name}[ \t]*(?::[^=\n]*)?=(?!=)"
        return bool(re.search(rf"^[ \t]*(?:{given})", cell.source, re.M))


def wanted(released: NotebookNode) -> list[Wanted]:
    """The exercises of the version that was given out."""
    counted = [c for c in released.cells if "nbgrader" in c.metadata]
    given = [bare(cell.source) for cell in released.cells if is_code(cell)]
    two = zip(counted[::2], counted[1::2], strict=True)
    return [Wanted(answer, check, given) for answer, check in two]


def is_code(cell: NotebookNode) -> bool:
    """Whether a cell is run."""
    return cell.cell_type == "code"


def numbers_in(source: str) -> list[str]:
    """The exercises whose line stands in a text, however it is spaced."""
    return [f"{int(a):02d}.{int(b)}" for a, b in LINE.findall(source)]


def bare(source: str) -> list[str]:
    """The lines of a code that are neither blank nor comments."""
    lines = [line.rstrip() for line in source.splitlines()]
    return [line for line in lines if line and not line.lstrip().startswith("#")]


# --- what is in a notebook ------------------------------------------------------------


def place(cells: list[NotebookNode], one: Wanted) -> int | None:
    """The cell below which to judge: the last that answers, or else has the line."""
    begun = [k for k, cell in enumerate(cells) if one.begun_in(cell)]
    written = [k for k, cell in enumerate(cells) if one.written_in(cell)]
    both = [k for k in begun if k in written]
    return next((found[-1] for found in (both, written, begun) if found), None)


def answered_in(notebook: NotebookNode, asked: list[Wanted]) -> list[str]:
    """The exercises that somebody has worked on."""
    return [w.number for w in asked if any(map(w.written_in, notebook.cells))]


def found_in(notebook: NotebookNode, asked: list[Wanted]) -> list[str]:
    """The exercises that are there at all, worked on or not."""
    return [
        w.number
        for w in asked
        if any(w.begun_in(c) or w.defined_in(c) for c in notebook.cells)
    ]


def only_asks(cell: NotebookNode) -> bool:
    """Whether a cell does nothing but call `check` and the like: it comes back."""
    lines = [line.strip() for line in cell.source.splitlines()]
    asks = any(line.startswith("check(") for line in lines)
    return is_code(cell) and asks and all(ASKS.fullmatch(line) for line in lines)


def as_code(cell: NotebookNode, asked: list[Wanted]) -> NotebookNode:
    """An answer that became a text (a slip of the key M) as the code it was."""
    source = cell.source.lstrip()
    answers = any(one.defined_in(cell) for one in asked)
    if is_code(cell) or not answers or not LINE.match(source):
        return cell
    return nbformat.v4.new_code_cell(source)


# --- putting right --------------------------------------------------------------------


def mended(path: Path, released: NotebookNode) -> NotebookNode:
    """A submission with all cells that count; raises ValueError if it is none."""
    notebook, asked = opened(path), wanted(released)
    answered = answered_in(notebook, asked)
    lost = [one for one in asked if one.number not in answered]
    cells = [as_code(c, lost) for c in notebook.cells if not only_asks(c)]
    below: dict[int | None, list[Wanted]] = {}
    for one in asked:
        below.setdefault(place(cells, one), []).append(one)
    notebook.cells = []
    for k, cell in enumerate(cells):
        notebook.cells += with_checks(cell, below.get(k, []))
    for one in below.get(None, []):
        note = f"# Exercise {one.number}\n# (the cell was missing)"
        notebook.cells += with_checks(nbformat.v4.new_code_cell(note), [one])
    rename(notebook)
    return notebook


def with_checks(cell: NotebookNode, asked: list[Wanted]) -> list[NotebookNode]:
    """A cell, and below it the checks of all exercises that it answers."""
    cells = [cell]
    for k, one in enumerate(asked):
        if k:  # nbgrader knows one answer a cell
            note = f"# Exercise {one.number}\n# (answered above)"
            cells.append(nbformat.v4.new_code_cell(note))
        cells[-1].metadata["nbgrader"] = dict(one.answer.metadata["nbgrader"])
        cells.append(nbformat.from_dict(one.check))
    return cells


def rename(notebook: NotebookNode) -> None:
    """Give every cell an id of its own."""
    for k, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{k:04d}"


def blank(released: NotebookNode, says: str) -> NotebookNode:
    """What is graded in place of a file that cannot be."""
    notebook = nbformat.from_dict(released)
    note = nbformat.v4.new_markdown_cell(says)
    counted = [c for c in notebook.cells if "nbgrader" in c.metadata]
    notebook.cells = [note, *counted]
    return notebook
