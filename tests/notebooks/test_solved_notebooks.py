"""Each notebook, with the solutions in its stubs: every check says passed.

The notebook runs from top to bottom in a copy of its folder, so that nothing that a
student does can break what comes after, and no progress is left behind.
"""

from __future__ import annotations

import json
import shutil

import pytest

from course_exercises.record import FILE
from tools import store_outputs
from tools.exercise_cells import asked, library, solved, with_exercises
from tools.notebooks import FOLDER, read

EXERCISES = {exercise.number: exercise for exercise in library()}


def copied(folder):
    """A folder like that of the notebooks (00 reads the others), without progress."""
    for path in FOLDER.iterdir():
        if path.is_file() and path.name != FILE:
            shutil.copy(path, folder)
    return folder


def fill_in(notebook, path):
    """Put the solutions into the stubs; give the check cells."""
    cells = {cell.id: cell for cell in notebook.cells}
    checks = []
    for one in asked(read(path)):
        exercise = EXERCISES[one.number]
        cells[one.stub.cell_id].source = solved(exercise, one.name)
        checks.append((one.number, cells[one.check.cell_id]))
    return checks


@pytest.mark.parametrize("path", with_exercises(), ids=lambda path: path.stem)
def test_solved_notebook_passes(path, tmp_path):
    notebook = store_outputs.read(path)
    checks = fill_in(notebook, path)
    store_outputs.run(notebook, copied(tmp_path))
    for number, cell in checks:
        said = cell.outputs[-1]["data"]["text/plain"]
        assert said.startswith(f"✓ passed · {number} · "), said
    states = json.loads((tmp_path / FILE).read_text(encoding="utf-8"))["exercises"]
    assert states == {number: "done" for number, _ in checks}
