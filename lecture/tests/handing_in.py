"""What students do with the notebook that they were given, for the tests of grading.

The notebook is an excerpt of 06: its imports and its exercises.
"""

from __future__ import annotations

import csv
import json
import textwrap

import nbformat

from course_exercises.library import exercises
from tools.exercise_cells import asked, solved
from tools.notebooks import FOLDER, read

PATH = FOLDER / "06_layers_and_losses.ipynb"
NAME = PATH.stem
OWN = {e.number: e for e in exercises("06")}


def excerpt(path, target):
    """The cells of a notebook that import, and its exercises."""
    notebook = nbformat.read(path, as_version=4)
    cells = notebook.cells
    start = next(k for k, c in enumerate(cells) if c.source.startswith("## Exercises"))
    notebook.cells = [c for c in cells[:start] if imports(c)] + cells[start:]
    nbformat.write(notebook, target)
    return target


def imports(cell):
    lines = [line for line in cell.source.splitlines() if line.strip()]
    first = ("import ", "from ")
    return cell.cell_type == "code" and all(x.startswith(first) for x in lines)


def answered(released, answers, before=""):
    """A copy of the notebook with sources in place of its stubs."""
    notebook = nbformat.from_dict(json.loads(json.dumps(released)))
    for cell in notebook.cells:
        for number, source in answers.items():
            if cell.source.startswith(f"# Exercise {number}\n"):
                cell.source = f"# Exercise {number}\n{textwrap.dedent(source)}"
    if before:
        at = next(
            k
            for k, c in enumerate(notebook.cells)
            if "stub" in c.metadata.get("tags", [])
        )
        cell = nbformat.v4.new_code_cell(textwrap.dedent(before))
        notebook.cells.insert(at, cell)
    return notebook


def references(path, exercises_):
    names = {one.number: one.name for one in asked(read(path))}
    return {number: solved(e, names[number]) for number, e in exercises_.items()}


def row(course, student, name=NAME):
    """The line of a student in the table."""
    with (course.folder / f"grades-{name}.csv").open(encoding="utf-8") as file:
        return next(r for r in csv.DictReader(file) if r["student"] == student)
