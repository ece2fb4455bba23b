"""Cells that were split, merged, moved and retyped get their marks all the same."""

from __future__ import annotations

import re

import nbformat
import pytest

from course_exercises.library import exercises
from lecture.grading import mending, sandbox
from lecture.tests.handing_in import (
    NAME,
    OWN,
    PATH,
    answered,
    excerpt,
    imports,
    references,
    row,
)
from tools.exercise_cells import with_exercises
from tools.notebooks import FOLDER

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
from lecture.grading.__main__ import run  # noqa: E402
from lecture.grading.assignment import Course, with_cells_marked  # noqa: E402

RIGHT = references(PATH, OWN)
RIGHT["06.4"] = f"fresh = {tuple(map(float, OWN['06.4'].reference()))}"
IMPORTS = "import numpy as np\nfrom course_utils import functional as F"
LATE = "06.1 passed only when all cells had run"


def code(source):
    return nbformat.v4.new_code_cell(source)


def is_answer(cell):
    return cell.cell_type == "code" and cell.source.startswith("# Exercise")


def is_check(cell):
    return cell.cell_type == "code" and cell.source.startswith("check(")


def each(change):
    """What does something to each answer of a solved notebook."""

    def changed(released):
        notebook = answered(released, RIGHT)
        cells = [change(c) if is_answer(c) else [c] for c in notebook.cells]
        notebook.cells = [cell for some in cells for cell in some]
        return notebook

    return changed


# --- what students do -----------------------------------------------------------------


def parted(cell, *between):
    """Split Cell, below the first line."""
    first, rest = cell.source.split("\n", 1)
    return [code(first), *between, code(rest)]


def split_below_imports(cell):
    first, rest = cell.source.split("\n", 1)
    note = nbformat.v4.new_markdown_cell("Some thoughts.")
    return [code(f"{first}\nimport math"), note, code(rest)]


def split_below_the_check(released):
    """The line stays above the check, and the answer goes below."""
    notebook, found = answered(released, RIGHT), []
    for cell in notebook.cells:
        if is_answer(cell):
            first, rest = parted(cell)
            found.append(first)
        else:
            found += [cell, rest] if is_check(cell) else [cell]
    notebook.cells = found
    return notebook


def answered_below(released):
    """The stub stays; the answer stands below the check, which is called again."""
    notebook, found = answered(released, {}), []
    numbers = iter(sorted(RIGHT))
    for cell in notebook.cells:
        found.append(cell)
        if is_check(cell):
            found.append(code(f"{RIGHT[next(numbers)]}\n\n{cell.source}"))
    notebook.cells = found
    return notebook


def answered_above(released):
    """The stub stays, and would take the name away again."""
    notebook, found = answered(released, {}), []
    numbers = iter(sorted(RIGHT))
    for cell in notebook.cells:
        found += [code(RIGHT[next(numbers)]), cell] if is_answer(cell) else [cell]
    notebook.cells = found
    return notebook


def merged_with_their_checks(released):
    notebook, found = answered(released, RIGHT), []
    for cell in notebook.cells:
        if is_check(cell):
            found[-1].source += f"\n\n{cell.source}"
        else:
            found.append(cell)
    notebook.cells = found
    return notebook


def merged_with_the_check_before(released):
    """Each check and the answer to the next exercise in one cell."""
    notebook = answered(released, RIGHT)
    first, *own = [c for c in notebook.cells if is_answer(c) or is_check(c)]
    for check, answer in zip(own[::2], own[1::2], strict=False):
        check.source += f"\n\n{answer.source}"
        notebook.cells.remove(answer)
    return notebook


def all_in_one(released):
    notebook = answered(released, RIGHT)
    own = [c for c in notebook.cells if is_answer(c)]
    source = "\n\n\n".join(c.source for c in own)
    notebook.cells = [c for c in notebook.cells if not is_answer(c)] + [code(source)]
    return notebook


def backwards(released):
    notebook = answered(released, RIGHT)
    own = [c for c in notebook.cells if is_answer(c) or is_check(c)]
    notebook.cells = [c for c in notebook.cells if c not in own] + own[::-1]
    return notebook


def imports_last(released):
    notebook = answered(released, RIGHT)
    own = [c for c in notebook.cells if imports(c)]
    notebook.cells = [c for c in notebook.cells if c not in own] + own
    return notebook


def without_lines_and_headings(released):
    notebook = answered(released, RIGHT)
    notebook.cells = [c for c in notebook.cells if c.cell_type == "code"]
    for cell in notebook.cells:
        cell.source = re.sub("# Exercise.*\n", "", cell.source)
    return notebook


def with_line(line):
    def change(cell):
        cell.source = re.sub(r"# Exercise 0(\d)\.(\d)", line, cell.source, count=1)
        return [cell]

    return each(change)


def as_text(kind):
    """A slip of the keys M or R."""
    new = {"markdown": nbformat.v4.new_markdown_cell, "raw": nbformat.v4.new_raw_cell}
    return each(lambda cell: [new[kind](cell.source)])


def helper_below(released):
    notebook = answered(released, RIGHT)
    for cell in notebook.cells:
        if cell.source.startswith("# Exercise 06.1"):
            cell.source = re.sub(r"\bdef softplus_vjp\b", "def own", cell.source)
            cell.source += "\n\ndef softplus_vjp(*args):\n    return helper(*args)"
            cell.source = cell.source.replace("softplus_vjp = ", "own = ")
    notebook.cells.append(code("def helper(*args):\n    return own(*args)"))
    return notebook


def spoilt_below(released):
    """Right where it stands; somebody goes on trying at the end."""
    notebook = answered(released, RIGHT)
    notebook.cells.append(code("def softplus_vjp(grad_out, x):\n    return x"))
    return notebook


def mended_below(released):
    """A wrong attempt in its cell, and a right one at the end."""
    wrong = "def softplus_vjp(grad_out, x):\n    return grad_out"
    notebook = answered(released, RIGHT | {"06.1": wrong})
    notebook.cells.append(code(RIGHT["06.1"]))
    return notebook


def ended_below(released):
    """Split Cell, and something at the end that stops Python."""
    notebook = each(parted)(released)
    notebook.cells.append(code("import os\nos._exit(0)"))
    return notebook


def with_a_check_that_stops(released):
    notebook = answered(released, RIGHT)
    for cell in notebook.cells:
        if is_check(cell):
            cell.source = f"assert {cell.source}, 'not yet'"
    return notebook


def wrong_and_split(released):
    wrong = "def softplus_vjp(grad_out, x):\n    return -grad_out / (1 + np.exp(-x))"
    notebook = answered(released, {"06.1": wrong})
    cells = [parted(c) if is_answer(c) else [c] for c in notebook.cells]
    notebook.cells = [cell for some in cells for cell in some]
    return notebook


DONE = {  # what a student does: how many points, and the remarks
    "split": (each(parted), 5, ""),
    "split_below_imports": (each(split_below_imports), 5, ""),
    "split_below_the_check": (split_below_the_check, 5, ""),
    "answered_below": (answered_below, 5, ""),
    "answered_above": (answered_above, 5, ""),
    "merged_with_their_checks": (merged_with_their_checks, 5, ""),
    "merged_with_the_check_before": (merged_with_the_check_before, 5, ""),
    "all_in_one": (all_in_one, 5, ""),
    "backwards": (backwards, 5, ""),
    "imports_last": (imports_last, 5, LATE),
    "without_lines": (without_lines_and_headings, 5, ""),
    "hash_alone": (with_line(r"#Exercise \1.\2"), 5, ""),
    "timed": (with_line(r"%%time\n\n  ##  exercise:  0\1. \2 (mine)"), 5, ""),
    "as_text": (as_text("markdown"), 5, ""),
    "as_raw": (as_text("raw"), 5, ""),
    "helper_below": (helper_below, 5, LATE),
    "spoilt_below": (spoilt_below, 5, ""),
    "mended_below": (mended_below, 5, LATE),
    "ended_below": (ended_below, 5, ""),
    "a_check_that_stops": (with_a_check_that_stops, 5, ""),
    "wrong_and_split": (wrong_and_split, 0, ""),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course in which a class that tidied up was graded."""
    folder = tmp_path_factory.mktemp("mending")
    path = excerpt(PATH, folder / PATH.name)
    course = Course(folder / "course")
    released = nbformat.read(course.release(path), as_version=4)
    (folder / "in").mkdir()
    for student, (change, _, _) in DONE.items():
        nbformat.write(change(released), folder / "in" / f"{student}.ipynb")
    assert run(course, path, folder / "in") == 0
    return course


room_needed = pytest.mark.skipif(bool(sandbox.missing()), reason=sandbox.missing())


@room_needed
@pytest.mark.parametrize("student", DONE)
def test_marks(graded, student):
    _, score, remark = DONE[student]
    found = row(graded, student)
    assert (float(found["score"]), float(found["of"])) == (score, 5), found
    assert remark in found["remarks"] and bool(remark) == bool(found["remarks"]), found


@room_needed
def test_what_is_wrong_is_named_though_it_was_split(graded):
    assert "06.1 sign" in row(graded, "wrong_and_split")["mistakes"]


@room_needed
def test_feedback_says_when_it_was_judged(graded):
    path = graded.folder / "feedback" / "mended_below" / NAME / f"{NAME}.html"
    assert "Judged when all cells had run" in path.read_text("utf-8")


@room_needed
def test_what_is_judged_within_reach_is_judged_at_its_place_too(tmp_path):
    """05.5 is judged at the end alone: what stood at its place was kept."""
    path = excerpt(FOLDER / "05_vectorized_backprop.ipynb", tmp_path / "05_small.ipynb")
    course = Course(tmp_path / "course")
    released = nbformat.read(course.release(path), as_version=4)
    right = references(path, {e.number: e for e in exercises("05")})
    stub = next(c for c in released.cells if c.source.startswith("# Exercise 05.5"))
    (tmp_path / "in").mkdir()

    def hand_in(student, answers, *below):
        notebook = answered(released, answers, IMPORTS)
        notebook.cells += map(code, below)
        nbformat.write(notebook, tmp_path / "in" / f"{student}.ipynb")

    hand_in("spoilt", right, "def gradient_lengths(X, G):\n    return X")
    hand_in("stubbed", right, stub.source)
    wrong = "def gradient_lengths(X, G):\n    return X"
    hand_in("late", right | {"05.5": wrong}, right["05.5"])
    assert run(course, path, tmp_path / "in") == 0
    late = "05.5 passed only when all cells had run; look at 05.5"
    for student, said in (
        ("spoilt", "look at 05.5"),
        ("stubbed", "look at 05.5"),
        ("late", late),
    ):
        found = row(course, student, "05_small")
        assert (found["score"], found["remarks"]) == ("5.0", said)


# --- without a room -------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    path = excerpt(PATH, tmp_path_factory.mktemp("released") / PATH.name)
    return with_cells_marked(path)


@pytest.mark.parametrize("student", DONE)
def test_whatever_is_done_every_cell_counts_once(released, tmp_path, student):
    path = tmp_path / "x.ipynb"
    nbformat.write(DONE[student][0](released), path)
    notebook = mending.mended(path, released)
    marked = [c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata]
    given = [c.metadata.nbgrader for c in released.cells if "nbgrader" in c.metadata]
    order = lambda mark: mark.grade_id  # noqa: E731
    assert sorted(marked, key=order) == sorted(given, key=order)
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)
    nbformat.validate(notebook)


@pytest.mark.parametrize("path", with_exercises(), ids=lambda path: path.stem[:2])
def test_what_was_given_out_is_nobodys_answer(path):
    """The name that 10.3 asks for stands in a cell far above, too."""
    given = with_cells_marked(path)
    asked = mending.wanted(given)
    assert asked and mending.answered_in(given, asked) == []
    assert mending.found_in(given, asked) == [one.number for one in asked]
    for one in asked:
        assert given.cells[mending.place(given.cells, one)] is one.answer


LINES = [
    ("# Exercise 06.1", ["06.1"]),
    ("#Exercise 6.1", ["06.1"]),
    ("###   EXERCISE  06 . 1 : mine", ["06.1"]),
    ("\n\n  # exercise\t06.1", ["06.1"]),
    ("#\N{NO-BREAK SPACE}Exercise\N{NO-BREAK SPACE}06.1", ["06.1"]),
    ("# Exercise 06.10", ["06.10"]),
    ("# Exercise 06.1\r\nx = 1", ["06.1"]),
    ("import x\n# Exercise 06.1\n\n# Exercise 06.2", ["06.1", "06.2"]),
    ("# Exercises", []),
    ("## Exercises\n\n06.1", []),
    ("# as in exercise 06.1", []),
    ("x = 1  # Exercise 06.1", []),
]


@pytest.mark.parametrize(("source", "numbers"), LINES)
def test_the_line_is_known_however_it_is_spaced(source, numbers):
    assert mending.numbers_in(source) == numbers


LONG = [c * 10**6 for c in "# (-"] + [" " * 10**6 + "x", "# Exercise 6." + "1" * 10**6]


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:1] + text[-1:])
def test_no_text_holds_the_grader_up(released, tmp_path, text):
    """What is made of a submission outside of the room only looks for words."""
    notebook = nbformat.v4.new_notebook(cells=[code(f"check({text}")])
    notebook.cells.append(code(f"check(1)\n{text}\n{text}"))
    notebook.cells.append(code(f"# Exercise 06.1\n{text}\ncheck("))
    notebook.cells.append(nbformat.v4.new_markdown_cell(f"# Exercise 06.1\n{text}"))
    nbformat.write(notebook, tmp_path / "x.ipynb")
    cells = mending.mended(tmp_path / "x.ipynb", released).cells
    assert sum("nbgrader" in cell.metadata for cell in cells) == 2 * len(OWN)


@pytest.mark.parametrize(
    ("source", "defines"),
    [
        ("def softplus_vjp(a, b):\n    return a", True),
        ("    async def softplus_vjp(): ...", True),
        ("class softplus_vjp:\n    pass", True),
        ("softplus_vjp = other", True),
        ("softplus_vjp: object = other", True),
        ("softplus_vjp == other", False),
        ("softplus_vjp(1, 2)", False),
        ("def softplus_vjp2(a): ...", False),
        ("# def softplus_vjp", False),
        ("check('06.1', softplus_vjp)", False),
    ],
)
def test_what_defines_the_name(released, source, defines):
    one = mending.wanted(released)[0]
    assert one.defined_in(code(source)) == defines


def test_a_stub_is_no_answer_whatever_is_noted_in_it(released):
    for one in mending.wanted(released):
        noted = f"# my notes\n\n{one.answer.source}\n# to do\n"
        assert not one.written_in(code(noted))
        assert one.begun_in(code(noted))


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ('check("06.1", f)', True),
        ('# now\ncheck("06.1", f)\nhint("06.1")', True),
        ('check("06.1", f);', True),
        ('progress()\ncheck("06.1", f)', True),
        ('check("06.1", f)\nx = 1', False),
        ('x = check("06.1", f)', False),
        ('check("06.1", (f := abs))', False),
        ('check("06.1", f); f = (1)', False),
        ('x = 1\ncheck("06.1", f)', False),
        ('check("06.1", f)\ndef f(): ...', False),
        ('check("06.1", f)\nexec("x = 1")', False),
        ('check("06.1", f', False),
        ("", False),
        ("# check", False),
        ("print(1)", False),
    ],
)
def test_what_only_asks_gives_nothing(source, asks):
    assert mending.only_asks(code(source)) == asks
