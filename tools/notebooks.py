"""Read the course's notebooks as plain cells: for tests, and for the lecture hall."""

from __future__ import annotations

import io
import json
import re
import sys
import tokenize
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"

# What the course consists of (more may stand beside them).
COURSE = (
    "00_start_here",
    "01_chain_rule",
    "02_network_by_hand",
    "03_tape_engine",
    "04_gradient_checking",
    "05_vectorized_backprop",
    "06_layers_and_losses",
    "07_array_tape",
    "08_modules_and_optimizers",
    "09_training_mnist",
    "10_vanishing_exploding",
    "11_pytorch_and_beyond",
)

TAG = re.compile(r"^#\|\s*package:\s*(.+?)\s*$", re.MULTILINE)


def joined(text: str | list[str]) -> str:
    """Join the lines of a stored text; nbformat allows both forms."""
    return text if isinstance(text, str) else "".join(text)


@dataclass
class Cell:
    """One cell: what it is, what it says, what it left behind."""

    kind: str
    source: str
    number: int = 0  # position in the notebook, from 0
    cell_id: str | None = None
    count: int | None = None
    tags: list[str] = field(default_factory=list)
    metadata: dict = field(default_factory=dict)
    outputs: list[dict] = field(default_factory=list)
    attachments: dict = field(default_factory=dict)

    def __str__(self) -> str:
        first = next((s for s in self.source.splitlines() if s.strip()), "")
        return f"cell {self.number} ({self.cell_id}, {first[:40]!r})"

    @property
    def package_names(self) -> list[str]:
        """The names after `#| package:`, such as `layers.ReLU`."""
        found = TAG.findall(self.source) if self.kind == "code" else []
        return [name.strip() for line in found for name in line.split(",")]


@dataclass
class Notebook:
    """A notebook: its path, cells and metadata."""

    path: Path
    cells: list[Cell]
    metadata: dict = field(default_factory=dict)
    minor: int = 5

    @property
    def code(self) -> list[Cell]:
        """The cells that hold code."""
        return [c for c in self.cells if c.kind == "code" and c.source.strip()]

    @property
    def markdown(self) -> list[Cell]:
        """The cells that hold text."""
        return [cell for cell in self.cells if cell.kind == "markdown"]


def read_output(stored: dict) -> dict:
    """Join the texts of one stored output."""
    output = dict(stored)
    if "text" in output:
        output["text"] = joined(output["text"])
    if "data" in output:
        output["data"] = {
            mime: joined(value) if isinstance(value, str | list) else value
            for mime, value in output["data"].items()
        }
    return output


def read_cell(number: int, stored: dict) -> Cell:
    """Make a Cell of a cell as the file has it."""
    return Cell(
        kind=stored["cell_type"],
        source=joined(stored["source"]),
        number=number,
        cell_id=stored.get("id"),
        count=stored.get("execution_count"),
        tags=list(stored["metadata"].get("tags", [])),
        metadata=stored["metadata"],
        outputs=[read_output(output) for output in stored.get("outputs", [])],
        attachments=stored.get("attachments", {}),
    )


@lru_cache
def read(path: Path) -> Notebook:
    """Read a notebook from its file."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    cells = [read_cell(n, cell) for n, cell in enumerate(stored["cells"])]
    return Notebook(path, cells, stored["metadata"], stored["nbformat_minor"])


def paths() -> list[Path]:
    """Give the notebooks of the course, in order."""
    return sorted(FOLDER.glob("*.ipynb"))


def chosen(prefix: str = "") -> list[Path]:
    """Give those whose names begin so: the course's, or else what stands beside them.

    What JupyterLab leaves there, such as copies and `Untitled.ipynb`, is not taken for
    part of the course; a line says so.
    """
    fitting = [path for path in paths() if path.name.startswith(prefix)]
    own = [path for path in fitting if path.stem in COURSE]
    if own and (left := [path.name for path in fitting if path not in own]):
        print(f"Not part of the course, left out: {', '.join(left)}", file=sys.stderr)
    return own or fitting


# --- what a cell shows ----------------------------------------------------------------

DATA_URI = re.compile(r"(data:[\w/+.-]+;base64,)[A-Za-z0-9+/=\s]+")


def shown_text(output: dict) -> str:
    """Give the text that a reader sees of one output (nothing for a picture)."""
    if output["output_type"] == "stream":
        return output["text"]
    if output["output_type"] == "error":
        return "\n".join(output["traceback"])
    data = output["data"]
    rich = any(mime.startswith("image/") or mime == "text/html" for mime in data)
    return "" if rich else data.get("text/plain", "")


def all_text(output: dict) -> str:
    """Give every text of one output, pictures cut out."""
    parts = [output.get("text", ""), output.get("ename", ""), output.get("evalue", "")]
    parts += output.get("traceback", [])
    for mime, value in output.get("data", {}).items():
        if not mime.startswith("image/") or mime == "image/svg+xml":
            parts.append(value if isinstance(value, str) else json.dumps(value))
    return DATA_URI.sub(r"\1…", "\n".join(parts))


def describes(alt: str) -> bool:
    """Tell whether an alt text says what a picture shows: three words, no file."""
    name = re.search(r"\.(?:png|svg|jpe?g|gif|webp)\s*$", alt, re.IGNORECASE)
    return len(alt.split()) >= 3 and not name and "_images/" not in alt


def code_lines(source: str) -> int:
    """Count the lines that hold code: no blank ones, no comments alone."""
    lines: set[int] = set()
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)
    silent += (tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in silent:
                lines.update(range(token.start[0], token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):  # a cell that shows a syntax error
        return sum(1 for line in source.splitlines() if line.strip())
    blank = {n for n, s in enumerate(source.splitlines(), start=1) if not s.strip()}
    return len(lines - blank)


def prose(cell: Cell) -> str:
    """Give the text of a markdown cell without its blocks of code."""
    return re.sub(r"^(```|~~~).*?^\1", "", cell.source, flags=re.MULTILINE | re.DOTALL)


def headings(notebook: Notebook) -> list[tuple[Cell, int, str]]:
    """Give all headings as (cell, level, title)."""
    return [
        (cell, len(marks), title.strip(" #"))
        for cell in notebook.markdown
        for marks, title in re.findall(r"^(#{1,6}) +(.+)$", prose(cell), re.MULTILINE)
    ]
