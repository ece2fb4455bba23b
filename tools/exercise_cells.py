"""The exercises as they stand in the notebooks: stubs and checks, and solved ones."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from course_exercises.judge import Exercise
from course_exercises.library import exercises, notebooks
from tools.notebooks import Cell, Notebook, paths, read

TAG = re.compile(r"exercise-(\d\d\.\d+)")
CHECK = re.compile(r'check\("(\d\d\.\d+)", (\w+)\)')


@dataclass
class Asked:
    """One exercise in a notebook: the cells before, the stub, and the check."""

    number: str
    heading: Cell
    stub: Cell
    check: Cell

    @property
    def name(self) -> str:
        """The name that is handed to `check`."""
        found = CHECK.fullmatch(self.check.source.strip())
        assert found, f"{self.check}: expected check(…, name) alone"
        assert found.group(1) == self.number, self.check
        return found.group(2)


def numbers_of(cell: Cell) -> list[str]:
    """The exercises that a cell is tagged with."""
    return [m.group(1) for tag in cell.tags if (m := TAG.fullmatch(tag))]


def asked(notebook: Notebook) -> list[Asked]:
    """The exercises of a notebook, in the order of their stubs."""
    cells = [cell for cell in notebook.cells if numbers_of(cell)]
    stubs = [cell for cell in cells if "stub" in cell.tags]
    found = []
    for stub in stubs:
        (number,) = numbers_of(stub)
        checks = [
            c for c in cells if numbers_of(c) == [number] and "stub" not in c.tags
        ]
        assert len(checks) == 1, f"{stub}: expected one check cell, found {checks}"
        heading = next(
            cell
            for cell in reversed(notebook.cells[: stub.number])
            if cell.kind == "markdown" and cell.source.startswith("### ")
        )
        found.append(Asked(number, heading, stub, checks[0]))
    return found


def solved(exercise: Exercise, name: str) -> str:
    """The source that solves an exercise: the reference, under the name asked for."""
    reference = exercise.reference.__name__
    if exercise.is_value:
        return f"{exercise.source}\n\n{name} = {reference}()"
    return exercise.source + (f"\n\n{name} = {reference}" if name != reference else "")


def library() -> list[Exercise]:
    """All exercises, by notebook."""
    return [exercise for notebook in notebooks() for exercise in exercises(notebook)]


def with_exercises() -> list[Path]:
    """The notebooks that have stubs."""
    return [path for path in paths() if any("stub" in c.tags for c in read(path).cells)]


def body(source: str) -> str:
    """The statements of the definitions in a source, without their docstrings."""
    lines = []
    for node in ast.parse(source).body:
        statements = getattr(node, "body", [node])
        if getattr(node, "body", None) and ast.get_docstring(node):
            statements = statements[1:]
        lines += map(ast.unparse, statements)
    return "\n".join(lines)
