"""Bring a corrected notebook and a student's copy of it together, cell by cell.

Three notebooks meet: `base`, the course's text that the copy was made from; `work`, the
copy; `new`, the course's text of today. Cells are known by their ids, exercises by
their number, too. Text alone is compared: an editor rewrites metadata by itself.

- The result is `new`, in its order.
- Where only the student changed a cell, it stays theirs, and so does every answer. If
  the exercise was corrected, too, its new beginning is shown below the answer.
- Where both changed a cell, the course's comes first, and the student's stands below
  it, as text that does not run.
- The student's own cells stay behind the cell they were behind. What the student wrote
  into a cell that the course no longer has comes to the end, under a heading.
- A cell that the student removed stays away, unless the course has changed it.
- Outputs are the student's, unless the cell's text is new, or was never run by them.

To merge twice is to merge once, so an interrupted update may be repeated.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

from tools.notebooks import joined, read_output

Cell = dict[str, Any]
Notebook = dict[str, Any]

FIRST_LINE = re.compile(r"^# Exercise (\d\d\.\d+)\b", re.MULTILINE)
TAG = re.compile(r"exercise-(\d\d\.\d+)")
END = "kept-from-before"
OURS = (END, "yours-", "stub-")  # how the ids of cells begin that a merge has added

CODE_OF_BOTH = (
    "# Your version of the cell above, which the course has corrected meanwhile.\n"
    "# It is kept as text; to make it run, press Esc, then Y.\n"
)
TEXT_OF_BOTH = (
    "*Your version of the text above, which the course has corrected meanwhile:*\n\n"
)
NEW_STUB = "*The course has corrected this exercise meanwhile. It now begins with:*\n\n"
HEADING = (
    "## Kept from before the update\n\n"
    "The course no longer has the cells below; what you wrote into them is here."
)


# --- reading and writing --------------------------------------------------------------


def read(content: bytes) -> Notebook:
    """Read a notebook of format 4; ValueError says what it is instead."""
    notebook = json.loads(content)
    try:
        if notebook["nbformat"] != 4 or not isinstance(notebook["cells"], list):
            raise ValueError("no cells of notebook format 4 in it")
        cells = named([plain(cell) for cell in notebook["cells"]])
        minor, metadata = int(notebook["nbformat_minor"]), {**notebook["metadata"]}
    except (TypeError, KeyError, AttributeError) as why:
        raise ValueError("no notebook of format 4, or a torn one") from why
    return {
        "nbformat": 4,
        "nbformat_minor": minor,
        "metadata": metadata,
        "cells": cells,
    }


def plain(cell: Cell) -> Cell:
    """Give a cell with its texts joined: editors differ in how they split them.

    What is none ends in a TypeError, KeyError or AttributeError.
    """
    if not isinstance(cell["cell_type"], str):
        raise TypeError("a cell has a kind")
    found = {**cell, "metadata": {**cell["metadata"]}, "source": joined(cell["source"])}
    if "outputs" in cell:
        found["outputs"] = [read_output(output) for output in cell["outputs"]]
    return found


def named(cells: list[Cell]) -> list[Cell]:
    """Give every cell an id of its own: some editors drop ids, or double them."""
    taken: set[str] = set()
    found = []
    for cell in cells:
        name = cell.get("id")
        if not isinstance(name, str) or name in taken:
            name = made_id("own", cell["source"])
            while name in taken:
                name += "x"
        taken.add(name)
        found.append({**cell, "id": name})
    return found


def made_id(word: str, *texts: str) -> str:
    """Make an id of texts: the same each time, so that nothing is added twice."""
    content = chr(0).join(texts).encode(errors="surrogatepass")
    return f"{word}-{hashlib.sha256(content).hexdigest()[:10]}"


def write(notebook: Notebook) -> bytes:
    """Give the bytes of a notebook."""
    return (json.dumps(notebook, indent=1) + "\n").encode()


# --- what a cell is -------------------------------------------------------------------


def text(cell: Cell) -> tuple[str, str]:
    """What is compared of a cell: its kind and its text."""
    source = cell["source"].replace("\r\n", "\n")
    return cell["cell_type"], source.rstrip()


def number(cell: Cell) -> str | None:
    """The exercise that a cell asks for or answers."""
    if cell["cell_type"] != "code":
        return None
    if found := FIRST_LINE.search(cell["source"]):
        return found[1]
    tags = [str(tag) for tag in cell["metadata"].get("tags") or []]
    numbers = [m[1] for tag in tags if (m := TAG.fullmatch(tag))]
    return numbers[0] if numbers and "stub" in tags else None


def output_of(cell: Cell) -> Cell:
    """The fields in which a run leaves something, where the cell has them."""
    return {k: cell[k] for k in ("outputs", "execution_count") if k in cell}


def dressed(cell: Cell, new: Cell) -> Cell:
    """Give the student's cell with the id and the tags that the course has today."""
    metadata = {**cell["metadata"], **new["metadata"]}
    return {**cell, "id": new["id"], "metadata": metadata}


def added(
    word: str, kind: str, new: Cell, head: str, body: str, tail: str = ""
) -> Cell:
    """Make a cell that tells of another one."""
    name = made_id(word, new["id"], body)
    return {"cell_type": kind, "id": name, "metadata": {}, "source": head + body + tail}


def yours(work: Cell, new: Cell) -> Cell:
    """Keep the student's version of a cell that both have changed."""
    if work["cell_type"] == "code":
        return added("yours", "raw", new, CODE_OF_BOTH, work["source"])
    kind = work["cell_type"]
    kept = added("yours", kind, new, TEXT_OF_BOTH, work["source"])
    pictures = {k: work[k] for k in ("attachments",) if k in work}
    return {**kept, **pictures}


def new_stub(new: Cell) -> Cell:
    """Show how a corrected exercise begins, below the answer to the old one."""
    return added(
        "stub", "markdown", new, NEW_STUB + "```python\n", new["source"], "\n```"
    )


# --- the merge ------------------------------------------------------------------------


class Merge:
    """The three notebooks, and which of their cells belong together."""

    def __init__(self, base: list[Cell], work: list[Cell], new: list[Cell]):
        self.work = work
        self.new = {cell["id"]: cell for cell in new}
        self.renamed = self._renamed(base)
        self.base = {self.today(cell): cell for cell in base}
        self.course = {**self.base, **self.new}
        self.found = self._found()
        self.kept: Counter[str] = Counter()

    # Which cells belong together.

    def today(self, cell: Cell) -> str:
        """The id that a cell of the course has today."""
        return self.renamed.get(cell["id"], cell["id"])

    def _renamed(self, base: list[Cell]) -> dict[str, str]:
        """Exercises whose cell has another id than it had: the old one → today's."""
        ids = {cell["id"] for cell in base}
        old = {number(cell): cell["id"] for cell in base if cell["id"] not in self.new}
        fresh = {
            number(cell): name for name, cell in self.new.items() if name not in ids
        }
        return {old[n]: fresh[n] for n in old.keys() & fresh.keys() if n}

    def _found(self) -> dict[int, str]:
        """Which cell of the course each cell of the copy is, where it is one."""
        found: dict[int, str] = {}
        for alike in (self._same_id, self._same_exercise, self._same_text):
            for i, cell in enumerate(self.work):
                free = (x for x in alike(cell) if x not in found.values())
                if i not in found and (name := next(free, None)):
                    found[i] = name
        return found

    def _same_id(self, cell: Cell) -> list[str]:
        return [self.today(cell)] if self.today(cell) in self.course else []

    def _same_exercise(self, cell: Cell) -> list[str]:
        wanted = number(cell)
        return [x for x, c in self.course.items() if wanted and number(c) == wanted]

    def _same_text(self, cell: Cell) -> list[str]:
        both = [*self.base.items(), *self.new.items()]
        return [x for x, c in both if text(c) == text(cell) and text(c)[1]]

    # What becomes of them.

    def decide(self, name: str, work: Cell | None) -> list[Cell]:
        """Give what becomes of one cell of the course."""
        base, new = self.base.get(name), self.new[name]
        as_it_was = base is not None and text(base) == text(new)
        if work is None:
            return [] if as_it_was else [new]
        if text(work) == text(new):
            never_run = as_it_was and output_of(work) == output_of(base)
            return [dressed({**work, **output_of(new)} if never_run else work, new)]
        if base is not None and text(work) == text(base):
            return [new]
        return self.decide_changed(work, new, as_it_was)

    def decide_changed(self, work: Cell, new: Cell, as_it_was: bool) -> list[Cell]:
        """Give what becomes of a cell that the student has changed."""
        answer = number(new) is not None
        kind = "answer" if answer else "changed" if as_it_was else "both"
        self.kept[kind] += 1
        if as_it_was:
            return [dressed(work, new)]
        if answer:
            return [dressed(work, new), *self.once(new_stub(new))]
        return [new, *self.once(yours(work, new))]

    def once(self, cell: Cell) -> list[Cell]:
        """Give a cell that tells of another, unless the copy has it already."""
        return [] if cell["id"] in {own["id"] for own in self.work} else [cell]

    def theirs(self) -> tuple[dict[str | None, list[Cell]], list[Cell]]:
        """Give the student's own cells by what they stand behind, and what is left."""
        behind: dict[str | None, list[Cell]] = {}
        left: list[Cell] = []
        last = None
        for i, cell in enumerate(self.work):
            name = self.found.get(i)
            if name in self.new:
                last = name
            elif name is None:
                behind.setdefault(last, []).append(cell)
            elif text(cell) != text(self.base[name]):
                left.append(cell)
        return behind, left

    def cells(self) -> list[Cell]:
        """Give the cells of the merged notebook."""
        at = {name: self.work[i] for i, name in self.found.items()}
        behind, left = self.theirs()
        merged = list(behind.get(None, []))
        for name in self.new:
            merged += self.decide(name, at.get(name)) + behind.get(name, [])
        if left:
            head = {"cell_type": "markdown", "id": END, "metadata": {}}
            merged += [*self.once({**head, "source": HEADING}), *left]
        self.kept["end"] = len(left)
        own = (cell["id"] for cells in behind.values() for cell in cells)
        self.kept["own"] = sum(not name.startswith(OURS) for name in own)
        return named(merged)


def merge(base: Notebook, work: Notebook, new: Notebook) -> tuple[Notebook, Counter]:
    """Give the merged notebook, and how much of the student's was kept, by kind.

    The kinds: `answer`; `changed`, a cell of the course that only the student changed;
    `both`; `own`, a cell of the student's; `end`, what the course has no place for.
    """
    meeting = Merge(base["cells"], work["cells"], new["cells"])
    cells = meeting.cells()
    merged = {
        **new,
        "cells": cells,
        "metadata": {**new.get("metadata", {}), **work.get("metadata", {})},
        "nbformat_minor": max(5, new.get("nbformat_minor", 0)),
    }
    return merged, meeting.kept
