"""The hand-out holds every exercise and no solution; the solved notebooks hold all."""

from __future__ import annotations

import html
import shutil

import nbformat
import pypdf
import pytest

from lecture import instructor
from tools.exercise_cells import asked, body, library, with_exercises
from tools.notebooks import COURSE, FOLDER, SUMMARY, read

PATHS = with_exercises()
SHEETS = FOLDER / f"{SUMMARY}.ipynb"
needs_mathjax = pytest.mark.skipif(
    not instructor.MATHJAX.exists(), reason="npm install was not run"
)


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


@needs_mathjax
def test_the_hand_out_is_one_page_that_fetches_nothing():
    page = instructor.handout(PATHS[:2])
    assert "MathJax" in page
    assert not [x for x in page.split('src="')[1:] if x.startswith(("http", "//"))]
    assert html.escape("# Exercise 01.1") in page


@needs_mathjax
def test_the_hand_out_ends_with_every_rule():
    page = instructor.handout(PATHS[:1])
    assert page.index("# Exercise 00.1") < page.index("Every rule on one page")
    assert page.count('class="rules"') == len(read(SHEETS).code) - 2
    assert "rulebook.both_ways(" not in page and ".ipynb" not in page.split("<body")[1]


@pytest.fixture
def printed(monkeypatch, tmp_path):
    """Print a page as an instructor does; give its sheets."""
    if instructor.browser.find() is None:
        pytest.skip("no browser")
    monkeypatch.setattr(instructor, "ROOT", tmp_path)

    def sheets(page):
        file = tmp_path / "page.html"
        file.write_text(page, "utf-8")
        assert instructor.as_pdf(file) == "The same as PDF: page.pdf"
        return pypdf.PdfReader(file.with_suffix(".pdf")).pages

    return sheets


@needs_mathjax
def test_every_rule_stands_on_two_sheets_of_a4(printed):
    sheets = printed(instructor.printed(instructor.summary_cells()))
    assert [[round(side) for side in s.mediabox[2:]] for s in sheets] == [
        [595, 842]
    ] * 2
    first, second = (sheet.extract_text() for sheet in sheets)
    assert "Every rule on one page" in first and "by nudges" in second


@needs_mathjax
def test_each_notebook_begins_a_sheet_and_so_do_the_rules(printed):
    sheets = printed(instructor.handout(PATHS[:2]))
    starts = [sheet.extract_text().strip().splitlines()[0] for sheet in sheets]
    titles = [read(path).cells[0].source.splitlines()[0][2:] for path in PATHS[:2]]
    assert [s for s in starts if s in titles] == titles
    assert starts[0] == titles[0] and starts[-2] == "Every rule on one page"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("once ([03](03_a.ipynb#The-end)).", "once (03)."),
        ('<td><a href="03_a.ipynb#b" title="b">03</a></td>', "<td>03</td>"),
        ("Z[[0, 1], k] (f)", "Z[[0, 1], k] (f)"),
    ],
)
def test_on_paper_a_link_is_its_words(text, bare):
    assert instructor.bare(text) == bare


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
    for name in ("INSTRUCTOR", "HANDOUT", "ALL_RULES"):
        monkeypatch.setattr(instructor, name, tmp_path / name)
    assert instructor.main() == 0
    assert done == [tmp_path / PATHS[0].name]
    assert [path.stem for path in printed] == list(COURSE)
    said = capsys.readouterr().err
    assert "left out: " in said and "Copy1" in said and "Untitled" in said


def test_no_notebook_fits(capsys):
    assert instructor.main("zz") == 1
    assert "No notebook fits" in capsys.readouterr().err
