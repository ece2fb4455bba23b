"""The hand-out holds every exercise and no solution; the solved notebooks hold all."""

from __future__ import annotations

import html
import shutil

import nbformat
import pytest

from lecture import instructor
from tools.exercise_cells import asked, body, library, with_exercises
from tools.notebooks import COURSE, FOLDER, read

PATHS = with_exercises()


@pytest.fixture(scope="module")
def sheets():
    cells = {path: instructor.sheet_cells(path) for path in PATHS}
    return {path: "\n\n".join(c.source for c in own) for path, own in cells.items()}


@pytest.mark.parametrize("exercise", library(), ids=lambda e: e.number)
def test_the_hand_out_asks_and_does_not_tell(sheets, exercise):
    (path,) = FOLDER.glob(f"{exercise.notebook}_*.ipynb")
    assert f"### {exercise.number} · {exercise.title}\n" in sheets[path]
    assert f"# Exercise {exercise.number}\n" in sheets[path]
    assert body(exercise.source) not in sheets[path]


@pytest.mark.skipif(not instructor.MATHJAX.exists(), reason="npm install was not run")
def test_the_hand_out_is_one_page_that_fetches_nothing():
    page = instructor.handout(PATHS[:2])
    assert "MathJax" in page
    assert not [x for x in page.split('src="')[1:] if x.startswith(("http", "//"))]
    assert html.escape("# Exercise 01.1") in page


def test_solving_adds_explanation_hints_and_mistakes():
    path = PATHS[0]
    known = instructor.by_number(path)
    notebook = nbformat.read(path, as_version=4)
    count = len(notebook.cells)
    for one in reversed(asked(read(path))):
        instructor.solve(notebook.cells, one, known[one.number])
    assert len(notebook.cells) == count + len(known)
    text = "\n".join(cell.source for cell in notebook.cells)
    for exercise in known.values():
        assert exercise.source in text and exercise.explanation in text
        assert all(said in text for said in exercise.hints)
        assert all(f"*{mistake.id}*" in text for mistake in exercise.mistakes)


def test_without_a_browser_there_is_no_pdf_and_a_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(instructor.browser, "find", lambda: None)
    said = instructor.as_pdf(tmp_path / "page.html")
    assert said.startswith("No PDF of it: ") and "install Chromium" in said
    assert not list(tmp_path.iterdir())


def test_a_wrong_solution_ends_everything():
    cell = nbformat.v4.new_code_cell("check('01.1', f)")
    cell.metadata["tags"] = ["exercise-01.1"]
    cell.outputs = [
        nbformat.v4.new_output("execute_result", {"text/plain": "✗ not yet · 01.1"})
    ]
    with pytest.raises(SystemExit, match="01: a solution does not pass"):
        instructor.refuse_failures(nbformat.v4.new_notebook(cells=[cell]), "01")


def test_copies_and_scratch_are_left_out_and_said(monkeypatch, tmp_path, capsys):
    """What JupyterLab leaves beside the notebooks is solved and printed by nobody."""
    for name in (PATHS[0].name, f"{PATHS[0].stem}-Copy1.ipynb", "Untitled.ipynb"):
        shutil.copy(PATHS[0], tmp_path / name)
    monkeypatch.setattr("tools.notebooks.FOLDER", tmp_path)
    done, printed = [], []
    monkeypatch.setattr(instructor, "with_solutions", done.append)
    monkeypatch.setattr(instructor, "handout", lambda paths: str(printed.extend(paths)))
    monkeypatch.setattr(instructor, "as_pdf", lambda page: "")
    for name in ("BUILD", "ROOT"):
        monkeypatch.setattr(instructor, name, tmp_path)
    for name in ("INSTRUCTOR", "HANDOUT"):
        monkeypatch.setattr(instructor, name, tmp_path / name)
    assert instructor.main() == 0
    assert done == [tmp_path / PATHS[0].name]
    assert [path.stem for path in printed] == list(COURSE)
    said = capsys.readouterr().err
    assert "left out: " in said and "Copy1" in said and "Untitled" in said


def test_no_notebook_fits(capsys):
    assert instructor.main("zz") == 1
    assert "No notebook fits" in capsys.readouterr().err
