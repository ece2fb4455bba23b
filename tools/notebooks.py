"""Read the course's notebooks as plain cells: for tests, and for the lecture hall."""

from __future__ import annotations

import io
import json
import re
import sys
import tokenize
from dataclasses import dataclass, field, replace
from decimal import Decimal
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
    "12_compiled_tape",
    "13_convolution",
    "14_attention",
    "15_when_the_engine_is_wrong",
)
# All rules on one page, shown beside the course: no lecture, no exercises, no time.
SUMMARY = "summary"

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
    """Give the notebooks of the course, in order, and the summary."""
    return sorted(FOLDER.glob("*.ipynb"))


def lessons() -> list[Path]:
    """Give the notebooks that teach and ask: all but the summary."""
    return [path for path in paths() if path.stem != SUMMARY]


def chosen(prefix: str = "") -> list[Path]:
    """Give those whose names begin so: the course's, or else what stands beside them.

    What JupyterLab leaves there, such as copies and `Untitled.ipynb`, is not taken for
    part of the course; a line says so.
    """
    fitting = [path for path in paths() if path.name.startswith(prefix)]
    own = [path for path in fitting if path.stem in COURSE]
    other = [path for path in fitting if path.stem not in (*COURSE, SUMMARY)]
    if own and (left := [path.name for path in other]):
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


# --- how far its numbers may differ ---------------------------------------------------

WITHIN = "# NBVAL_WITHIN 5%"
MEANT_WITHIN = re.compile(r"^.*#.*\bNBVAL[\W_]?WITHIN.*$", re.MULTILINE | re.IGNORECASE)
WRITTEN_WITHIN = re.compile(r"# NBVAL_WITHIN (\d+(?:\.\d+)?)%")
LEAST_WITHIN, MOST_WITHIN = Decimal("0.1"), Decimal(50)  # per cent


def within(source: str) -> Decimal:
    """Give the share by which numbers of a cell may differ: 0.05 where it says 5%.

    0 where it says nothing. Raises ValueError where the line is not written as it has
    to be, or twice.
    """
    meant = MEANT_WITHIN.findall(source)
    if not meant:
        return Decimal(0)
    found = WRITTEN_WITHIN.fullmatch(meant[0].rstrip())
    percent = Decimal(found[1]) if found and len(meant) == 1 else Decimal(0)
    if not LEAST_WITHIN <= percent <= MOST_WITHIN:
        raise ValueError(
            f"expected one line such as {WITHIN!r}, with nothing else in it and a "
            f"number from {LEAST_WITHIN} to {MOST_WITHIN}; found {meant}"
        )
    return percent / 100


# --- how long it takes ----------------------------------------------------------------

WORDS_A_MINUTE, SECONDS_A_LINE = 130, 4.5
EXERCISE, OPEN_CHALLENGE = 8, 15  # minutes, besides reading them


@dataclass(frozen=True)
class Part:
    """What there is to read in a part of a notebook."""

    words: int = 0
    lines: int = 0
    predictions: int = 0
    figures: int = 0

    @property
    def reading(self) -> float:
        """The minutes for its words and its lines of code."""
        return self.words / WORDS_A_MINUTE + self.lines * SECONDS_A_LINE / 60


@dataclass(frozen=True)
class Pace:
    """A notebook up to its exercises, and the exercises."""

    text: Part
    tasks: Part
    exercises: int = 0
    challenges: int = 0  # of the exercises, those that are open

    @property
    def minutes(self) -> float:
        """Up to the exercises: reading, and a minute for each prediction and figure."""
        return self.text.reading + self.text.predictions + self.text.figures

    @property
    def more(self) -> float:
        """For the exercises: reading them, and solving them."""
        solving = EXERCISE * (self.exercises - self.challenges)
        return self.tasks.reading + solving + OPEN_CHALLENGE * self.challenges


def part_of(cells: list[Cell]) -> Part:
    """Count what there is to read; blank lines of code are none."""
    texts = [cell.source for cell in cells if cell.kind == "markdown"]
    codes = [cell for cell in cells if cell.kind == "code"]
    shown = [output.get("data", {}) for cell in codes for output in cell.outputs]
    return Part(
        words=sum(len(text.split()) for text in texts),
        lines=sum(bool(x.strip()) for c in codes for x in c.source.splitlines()),
        predictions=sum(text.count("**Predict") for text in texts),
        figures=sum(any(m.startswith("image/") for m in data) for data in shown),
    )


def parted(cells: list[Cell], title: str) -> tuple[list[Cell], list[Cell]]:
    """Give the cells above a heading of level 2, and those from it on."""
    for k, cell in enumerate(cells):
        at = re.search(rf"^## {title}\s*$", cell.source, re.MULTILINE)
        if cell.kind == "markdown" and at:
            above, below = cell.source[: at.start()], cell.source[at.start() :]
            before = [*cells[:k], replace(cell, source=above)]
            return before, [replace(cell, source=below), *cells[k + 1 :]]
    return cells, []


def pace(notebook: Notebook) -> Pace:
    """Count what a notebook asks of its reader: the one clock of the course.

    Up to the heading *Exercises*: all words, lines of code, predictions and figures.
    The exercises: their words and lines, and how many of them are open challenges.
    Sources are not counted.
    """
    text, rest = parted(notebook.cells, "Exercises")
    tasks, _ = parted(rest, "Sources")
    numbers = sum("stub" in cell.tags for cell in tasks)
    challenges = sum(cell.source.count("**Open challenge") for cell in tasks)
    return Pace(part_of(text), part_of(tasks), numbers, min(challenges, numbers))


# The line that says it, the same everywhere, and the forms that came before it.
TIME = "**Time**: about N minutes, and M more for the exercises."
TIME_LINE = re.compile(
    r"^\*\*Time\*\*: about (\d+) minutes, and (\d+) more for the exercises\.",
    re.MULTILINE,
)
ABOUT = re.compile(r"\*\*Time\W*about (\d+) minutes", re.IGNORECASE)


def text_of(notebook: Notebook) -> str:
    """Give all texts of a notebook as one."""
    return "\n\n".join(cell.source for cell in notebook.markdown)


def said_minutes(notebook: Notebook) -> tuple[int, int] | None:
    """Give the minutes of the *Time* line: for reading, and for the exercises."""
    found = TIME_LINE.search(text_of(notebook))
    return (int(found[1]), int(found[2])) if found else None


def about_minutes(notebook: Notebook) -> int | None:
    """Give the minutes that a notebook says for reading, in whatever form it does."""
    found = ABOUT.search(text_of(notebook))
    return int(found[1]) if found else None
