"""Folders as they come back: nobody is left out, and nothing is taken in silence."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest

from lecture.grading import sandbox
from lecture.tests.handing_in import (
    NAME,
    OWN,
    PATH,
    answered,
    excerpt,
    references,
    row,
)

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
from lecture.grading import collecting  # noqa: E402
from lecture.grading.__main__ import run  # noqa: E402
from lecture.grading.assignment import Course, is_mended, with_cells_marked  # noqa: E402

OTHER = "05_vectorized_backprop"


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """What was given out."""
    path = excerpt(PATH, tmp_path_factory.mktemp("released") / PATH.name)
    return with_cells_marked(path)


@pytest.fixture(scope="module")
def right():
    return references(PATH, OWN)


@pytest.fixture
def put(released, right, tmp_path):
    """Lay a file into the folder: solved, untouched, or a text."""
    sources = {"solved": right, "untouched": {}, "half": {"06.1": right["06.1"]}}

    def lay(name, what="solved"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if what in sources:
            nbformat.write(answered(released, sources[what]), path)
        else:
            path.write_text(what, encoding="utf-8")
        return path

    return lay


@pytest.fixture
def handed(released, tmp_path):
    """What everybody handed in, by name: the path from the folder on, and remarks."""

    def look():
        return {
            one.student: (
                one.path and str(one.path.relative_to(tmp_path)),
                "; ".join(one.remarks),
            )
            for one in collecting.handed_in(tmp_path, released, NAME)
        }

    return look


def scratch(*sources):
    """A notebook that has nothing to do with the exercises."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


# --- nobody's -------------------------------------------------------------------------

LEFT_BEHIND = [
    ".ipynb_checkpoints/ann-checkpoint.ipynb",
    "__MACOSX/._ann.ipynb",
    "__MACOSX/ann/._ann.ipynb",
    "._ann.ipynb",
    ".DS_Store",
    ".~ann.ipynb",
    "Thumbs.db",
    "desktop.ini",
]


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_systems_leave_behind_is_nobodys(put, handed, name):
    put("ann.ipynb")
    put(name)
    assert handed() == {"ann": ("ann.ipynb", "")}


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_nor_is_it_a_students_in_a_folder(put, handed, name):
    put("ann/x.ipynb")
    put(f"ann/{name}")
    assert handed() == {"ann": ("ann/x.ipynb", "")}


# --- several --------------------------------------------------------------------------

TWO = [  # (what is graded, how it is filled in), the other, how
    (("ann/my solution.ipynb", "solved"), ("ann/Scratch.ipynb", "scratch")),
    (("ann/zz.ipynb", "solved"), ("ann/Untitled.ipynb", "scratch")),
    ((f"ann/{NAME}.ipynb", "solved"), ("ann/A Scratch.ipynb", "scratch")),
    ((f"ann/{NAME} (1).ipynb", "untouched"), ("ann/A Scratch.ipynb", "scratch")),
    ((f"ann/{NAME}-Copy1.ipynb", "solved"), (f"ann/{NAME}.ipynb", "untouched")),
    ((f"ann/{NAME}.ipynb", "solved"), (f"ann/{NAME}-Copy1.ipynb", "half")),
    ((f"ann/{NAME}.ipynb", "solved"), (f"ann/{NAME}-Copy1.ipynb", "solved")),
    ((f"ann/{NAME} (1).ipynb", "solved"), ("ann/zz.ipynb", "half")),
    (("ann/deep/er/x.ipynb", "solved"), ("ann/x.ipynb", "untouched")),
    (("ann/x.IPYNB", "solved"), ("ann/y.ipynb", "scratch")),
    (("ann/x.ipynb", "solved"), ("ann.ipynb", "untouched")),
    (("ann.ipynb", "solved"), ("ann/x.ipynb", "half")),
    (("ann.IPYNB", "solved"), ("ann.ipynb", "untouched")),
    (("ann/x.ipynb", "solved"), (f"ann/{NAME}.ipynb", "torn")),
    (("ann/x.ipynb", "solved"), ("ann/06.zip", "packed")),
    (("ann/x.ipynb", "solved"), ("ann/06.ipynb.txt", "renamed")),
]


@pytest.mark.parametrize(("taken", "other"), TWO, ids=lambda x: x[0])
def test_of_several_the_one_with_the_answers_is_taken(put, handed, taken, other):
    texts = {"scratch": scratch("x = 1"), "torn": '{"cells": [', "packed": "PK"}
    put(taken[0], taken[1])
    put(other[0], texts.get(other[1], other[1]))
    put("zoe.ipynb")
    path, said = handed()["ann"]
    assert path == taken[0]
    assert said == f"graded: {taken[0]}; not looked at: {other[0]}"


def test_of_equals_the_newest_is_taken(put, handed):
    for k, name in enumerate(("attempt 2", "attempt 1", "attempt 3")):
        os.utime(put(f"ann/{name}/{NAME}.ipynb"), (k, k))
    path, said = handed()["ann"]
    assert path == f"ann/attempt 3/{NAME}.ipynb"
    assert "attempt 1" in said and "attempt 2" in said


def test_an_answer_counts_under_any_name_and_without_its_line(put, handed, right):
    put(f"ann/{NAME}.ipynb", "untouched")
    put("ann/Untitled3.ipynb", scratch("import numpy as np", right["06.1"]))
    path, said = handed()["ann"]
    assert path == "ann/Untitled3.ipynb" and NAME in said


def test_many_others_are_counted(put, handed):
    put("zoe.ipynb")
    put("ann/x.ipynb")
    for k in range(9):
        put(f"ann/{k}.ipynb", scratch("x = 1"))
    assert handed()["ann"][1].count(".ipynb") == 1 + 4
    assert handed()["ann"][1].endswith("5 more")


def test_a_folder_around_all_of_them_is_suspected(put, handed):
    """So archives are unpacked."""
    for name in ("ann/x.ipynb", "bob/x.ipynb", "cleo.ipynb"):
        put(f"back from 06/{name}")
    path, said = handed()["back from 06"]
    assert all(name in said for name in ("ann", "bob", "cleo"))
    assert said.endswith(collecting.ALL_IN_ONE)


def test_notebooks_of_other_assignments_need_no_remark(put, handed):
    """So lies what nbgrader collected."""
    put("zoe.ipynb")
    put(f"ann/{NAME}/{NAME}.ipynb")
    put(f"ann/{OTHER}/{OTHER}.ipynb", scratch("# Exercise 05.1\nx = 1"))
    put(f"ann/{NAME}/timestamp.txt", "2031-01-01 00:00:00 UTC")
    assert handed()["ann"] == (f"ann/{NAME}/{NAME}.ipynb", "")


# --- nothing to grade -----------------------------------------------------------------

NOTHING = [
    ("dan.zip", "no notebook; to be unpacked first: dan.zip"),
    ("dan/06.zip", "no notebook; to be unpacked first: dan/06.zip"),
    ("dan/06.tar.gz", "no notebook; to be unpacked first: dan/06.tar.gz"),
    ("dan.tar.gz", "no notebook; to be unpacked first: dan.tar.gz"),
    ("dan/answers.pdf", "no notebook, but dan/answers.pdf"),
    ("dan/06.ipynb.txt", "no notebook, but dan/06.ipynb.txt"),
    ("dan.ipynb.json", "no notebook, but dan.ipynb.json"),
    ("dan.py", "no notebook, but dan.py"),
    ("dan/.hidden.ipynb", "no notebook"),
    ("dan/__MACOSX/x.ipynb", "no notebook"),
]


@pytest.mark.parametrize(("name", "said"), NOTHING)
def test_who_handed_in_no_notebook_is_named_with_the_reason(put, handed, name, said):
    put("ann.ipynb")
    put(name, "PK")
    assert handed() == {"ann": ("ann.ipynb", ""), "dan": (None, said)}


def test_an_empty_folder_is_a_student(put, handed, tmp_path):
    put("ann.ipynb")
    (tmp_path / "eve" / "deeper").mkdir(parents=True)
    assert handed() == {"ann": ("ann.ipynb", ""), "eve": (None, "no notebook")}


LINKS = ["eve.ipynb", "eve", "eve/x.ipynb", "eve/x"]


@pytest.mark.parametrize("to", ["ann.ipynb", "folder", "nothing", "."])
@pytest.mark.parametrize("name", LINKS)
def test_no_link_is_followed(put, handed, tmp_path, name, to):
    put("ann.ipynb")
    put("folder/x.ipynb")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to(tmp_path / to)
    found = handed()
    assert found["ann"] == ("ann.ipynb", "")
    assert found["eve"][0] is None
    assert f"a link, not followed: {name}" in found["eve"][1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_file_is_not_read(put, tmp_path, released):
    (tmp_path / "eve").mkdir()
    os.mkfifo(tmp_path / "eve" / "x.ipynb")  # reading it would wait for ever
    with pytest.raises(ValueError, match="cannot be opened: it is no file"):
        collecting.opened(tmp_path / "eve" / "x.ipynb")
    (one,) = collecting.handed_in(tmp_path, released, NAME)
    assert one.path.name == "x.ipynb"


@pytest.mark.parametrize("what", ["file", "folder", "inner folder"])
def test_what_cannot_be_read_stops_nobody_else(put, handed, monkeypatch, what):
    put("ann.ipynb")
    locked = put("eve/in/x.ipynb")
    locked = {"file": locked, "inner folder": locked.parent}.get(
        what, locked.parents[1]
    )
    for method in ("iterdir", "read_text"):
        monkeypatch.setattr(Path, method, refusing(locked, getattr(Path, method)))
    found = handed()
    assert found["ann"] == ("ann.ipynb", "")
    if what == "file":
        with pytest.raises(ValueError, match=r"it cannot be read \(PermissionError\)"):
            collecting.opened(locked)
    else:
        said = f"cannot be read (PermissionError): {'eve' if what == 'folder' else 'e'}"
        assert found["eve"][0] is None and found["eve"][1].startswith(said)


def refusing(locked, method):
    """A method of paths that may not be called for one of them."""

    def call(path, *args, **kwargs):
        if path == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return method(path, *args, **kwargs)

    return call


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_locked_folder_stops_nobody_else(put, handed):
    put("ann.ipynb")
    locked = put("eve/x.ipynb").parent
    try:
        locked.chmod(0)
        found = handed()
    finally:
        locked.chmod(0o700)
    assert found["ann"] == ("ann.ipynb", "") and found["eve"][0] is None


def test_a_folder_that_is_endless_stops_nobody_else(put, handed, tmp_path, monkeypatch):
    put("ann.ipynb")
    put("eve/x.ipynb")
    walk = collecting.Pile.walk

    def deep(pile, folder):
        if folder.name == "eve":
            raise RecursionError
        walk(pile, folder)

    monkeypatch.setattr(collecting.Pile, "walk", deep)
    assert handed() == {
        "ann": ("ann.ipynb", ""),
        "eve": (None, "cannot be looked through (RecursionError)"),
    }


# --- names ----------------------------------------------------------------------------

MOODLE = "Nora Müller_12345_assignsubmission_file_"
NAMES = [
    ("nora.ipynb", "nora"),
    ("nora.IPYNB", "nora"),
    ("nora.m.ipynb", "nora.m"),
    ("nora@uni.org.ipynb", "nora@uni.org"),
    ("Nora Müller.ipynb", "Nora Müller"),
    ("Nora Mu\N{COMBINING DIAERESIS}ller.ipynb", "Nora Müller"),
    ("王芳/x.ipynb", "王芳"),
    ("हिन्दी/x.ipynb", "हिन्दी"),
    ("O'Neil, Pat (Group 2)/x.ipynb", "O'Neil, Pat (Group 2)"),
    ("12345/x.ipynb", "12345"),
    (f"{MOODLE}/x.ipynb", "Nora Müller"),
    (f"{MOODLE[:-1]}/x.ipynb", "Nora Müller"),
    (f"{MOODLE}{NAME}.ipynb", "Nora Müller"),
    ("Assignment 06_jdoe_attempt_2031-05-01-10-11-12_x.ipynb", "Assignment 06_jdoe"),
    ("nora.ipynb/x.ipynb", "nora"),
]


@pytest.mark.parametrize(("path", "student"), NAMES)
def test_students_are_called_as_their_files_are(put, handed, path, student):
    put(path)
    assert handed() == {student: (path, "")}


STRANGE = [
    ("Jo Doe; rm -rf.ipynb", "Jo Doe_ rm -rf"),
    ("=cmd()+1/x.ipynb", "cmd()+1"),
    ("-rf.ipynb", "rf"),
    ("a[b]*?.ipynb", "a_b___"),
    ("two\nlines.ipynb", "two_lines"),
    ("  blanks  .ipynb", "blanks"),
    ("<b>x</b>/x.ipynb", "b_x_"),
    ("___/x.ipynb", "nameless"),
    ("\N{RIGHT-TO-LEFT OVERRIDE}nora.ipynb", "nora"),
    (os.fsdecode(b"M\xfcller.ipynb"), "M_ller"),
]


@pytest.mark.parametrize(("path", "student"), STRANGE, ids=lambda x: ascii(x))
def test_a_strange_name_is_cleaned_and_said(put, handed, path, student):
    put("ann.ipynb")
    try:
        put(path)
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such name")
    found = handed()
    assert found.pop("ann") == ("ann.ipynb", "")
    ((own, (taken, said)),) = found.items()
    assert (own, taken) == (student, path)
    assert said.startswith("handed in as ") and said.isprintable()
    said.encode()


def test_a_long_name_is_cut(put, handed):
    put(f"{'x' * 200}.ipynb")
    assert list(handed()) == ["x" * 80]


def test_names_that_become_the_same_stay_two(put, handed):
    for name in ("a*b", "a?b", "a_b"):
        put(f"{name}.ipynb")
    found = handed()
    assert {own: path for own, (path, _) in found.items()} == {
        "a_b": "a_b.ipynb",
        "a_b-2": "a*b.ipynb",
        "a_b-3": "a?b.ipynb",
    }
    assert all("the same as" in said for _, said in found.values())


def test_namesakes_keep_the_numbers_of_their_platform(put, handed):
    for number in (12345, 67890):
        put(f"Nora Müller_{number}_assignsubmission_file_/x.ipynb")
    put("Ann_11111_assignsubmission_file_/x.ipynb")
    found = handed()
    assert set(found) == {"Ann", "Nora Müller_12345", "Nora Müller_67890"}
    for number in (12345, 67890):
        assert found[f"Nora Müller_{number}"][1] == "2 are called Nora Müller"


def test_two_folders_of_one_platform_are_one_student(put, handed):
    put("Nora Müller_12345_assignsubmission_onlinetext_/onlinetext.html", "I did it")
    put(f"{MOODLE}/x.ipynb")
    assert handed() == {"Nora Müller": (f"{MOODLE}/x.ipynb", "")}


@pytest.mark.parametrize(
    "twin", ["ann (1)", "ann-Copy1", "ann - Copy", "ann copy 2", "Ann", "Copy of ann"]
)
def test_who_may_be_the_same_is_asked(put, handed, twin):
    put("ann.ipynb")
    put(f"{twin}.ipynb", "half")
    assert handed() == {
        "ann": ("ann.ipynb", f"the same as {twin}?"),
        twin: (f"{twin}.ipynb", "the same as ann?"),
    }


def test_who_is_numbered_is_not_suspected(put, handed):
    for k in (1, 2, 3):
        put(f"team ({k}).ipynb")
    assert all(said == "" for _, said in handed().values())


# --- what is no notebook --------------------------------------------------------------


def stored(**changed):
    cell = {"cell_type": "code", "metadata": {}, "source": "x = 1", "id": "a"}
    cell |= {"outputs": [], "execution_count": None} | changed.pop("cell", {})
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    return json.dumps(whole | changed)


BROKEN = {
    "empty": "",
    "torn": '{"cells": [',
    "a list": "[]",
    "a number": "3",
    "nothing": "null",
    "no cells": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "cells that are none": stored(cells=[3]),
    "null cells": stored(cells=None),
    "a future format": stored(nbformat=5),
    "a format in words": stored(nbformat="4"),
    "a source that is a number": stored(cell={"source": 7}),
    "too deep": "[" * 100_000 + "]" * 100_000,
    "deep metadata": stored(metadata={"x": 0}).replace(
        '"x": 0', '"x": ' + "[" * 900 + "]" * 900
    ),
    "half a character": stored(cell={"source": "x = '\ud800'"}),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    course = Course(folder)
    course.release(excerpt(PATH, tmp_path_factory.mktemp("excerpt") / PATH.name))
    return course


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_no_notebook_is_refused_and_stops_nobody_else(course, tmp_path, text):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "eve.ipynb").write_text(text, encoding="utf-8")
    shutil.copy(PATH, folder / "ann.ipynb")
    remarks = course.collect(folder, NAME)
    assert set(remarks) == {"eve"}
    assert remarks["eve"].startswith("cannot be opened: it ")


SOUND = {
    "wrong outputs": stored(cell={"outputs": [{"output_type": "none"}]}),
    "wrong metadata": stored(cell={"metadata": {"tags": 3, "nbgrader": "x"}}),
    "ids twice": stored(cells=[json.loads(stored())["cells"][0]] * 2),
    "no ids": stored(nbformat_minor=0),
    "a kind of cell of its own": stored(cell={"cell_type": "sql"}),
    "a byte order mark": "\ufeff" + stored(),
    "lines": stored(cell={"source": ["x = 1\n", "y = 2"]}),
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_what_does_not_count_need_not_be_right(tmp_path, text):
    (tmp_path / "x.ipynb").write_text(text, encoding="utf-8")
    notebook = collecting.opened(tmp_path / "x.ipynb")
    assert notebook.cells[0].source.startswith("x = 1")
    nbformat.validate(notebook)


def test_an_old_format_is_read(tmp_path):
    new = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    nbformat.write(nbformat.convert(new, 3), tmp_path / "x.ipynb", version=3)
    assert collecting.opened(tmp_path / "x.ipynb").cells[0].source == "x = 1"


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "x.ipynb").open("wb") as file:
        file.truncate(51_000_000)
    with pytest.raises(ValueError, match="it has more than 50 MB"):
        collecting.opened(tmp_path / "x.ipynb")


# --- remarks on what is in a notebook -------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["x = 1"], "it holds no exercise of 06"),
        (
            ["# Exercise 05.1\nx = 1", "# Exercise 05.2\nx = 1"],
            "it holds no exercise of 06, but of 05",
        ),
        (
            ["# Exercise 06.2\ndef leaky_vjp(*a):\n    return a"],
            "not in it: 06.1, 06.3, 06.4, 06.5",
        ),
        (["softplus_vjp = abs"], "not in it: 06.2, 06.3, 06.4, 06.5"),
    ],
)
def test_what_is_not_in_a_notebook_is_said(course, tmp_path, sources, said):
    (tmp_path / "ann.ipynb").write_text(scratch(*sources), encoding="utf-8")
    assert course.collect(tmp_path, NAME) == {"ann": said}


def test_the_folder_of_nbgrader_is_not_lost(course, put, tmp_path):
    """What is graded takes the place of what was collected: that is kept beside."""
    submitted = course.folder / "submitted"
    shutil.rmtree(submitted, ignore_errors=True)
    put(f"torn/{NAME}/{NAME}.ipynb", '{"cells": [')
    put(f"ann/{NAME}/{NAME}.ipynb", "half")
    put(f"ann/{NAME}/Scratch.ipynb", scratch("x = 1"))
    put(f"bob/{NAME}/{NAME}.ipynb")
    shutil.copytree(tmp_path, submitted)
    first = course.collect(submitted, NAME)
    assert first["torn"].startswith("cannot be opened") and "Scratch" in first["ann"]
    assert is_mended(submitted / "torn" / NAME / f"{NAME}.ipynb")
    assert course.collect(submitted, NAME) == first
    kept = course.folder / "handed_in" / NAME / "torn" / f"{NAME}.ipynb"
    assert kept.read_text("utf-8") == '{"cells": ['
    put(f"torn/{NAME}/{NAME}.ipynb", "solved")  # handed in again
    shutil.copytree(tmp_path, submitted, dirs_exist_ok=True)
    assert set(course.collect(submitted, NAME)) == {"ann"}


def test_what_is_collected_is_not_written_through_a_link(course, put, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("dear", encoding="utf-8")
    target = course.folder / "submitted" / "eve" / NAME
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / f"{NAME}.ipynb").symlink_to(precious)
    put("in/eve.ipynb")
    assert course.collect(tmp_path / "in", NAME) == {}
    assert precious.read_text("utf-8") == "dear"
    assert not (target / f"{NAME}.ipynb").is_symlink()


def test_whom_nothing_can_be_written_for_stops_nobody_else(course, put, tmp_path):
    shutil.rmtree(course.folder / "submitted", ignore_errors=True)
    (course.folder / "submitted").mkdir()
    (course.folder / "submitted" / "eve").write_text("in the way", encoding="utf-8")
    put("in/ann.ipynb")
    put("in/eve.ipynb")
    remarks = course.collect(tmp_path / "in", NAME)
    (course.folder / "submitted" / "eve").unlink()
    assert set(remarks) == {"eve"}
    assert remarks["eve"].startswith("cannot be put into the course (")
    assert [p.parent.name for p in course.submitted(NAME)] == ["ann"]


# --- to the end -----------------------------------------------------------------------


@pytest.mark.skipif(bool(sandbox.missing()), reason=sandbox.missing())
def test_each_has_a_line_in_the_table(put, tmp_path, capsys):
    (tmp_path / "excerpt").mkdir()
    path = excerpt(PATH, tmp_path / "excerpt" / PATH.name)
    course = Course(tmp_path / "course (1)")
    course.release(path)
    put("came back/nora/my solution.ipynb")
    put("came back/nora/Scratch.ipynb", scratch("x = 1"))
    put("came back/mia (2)/._x.ipynb", "\0")
    put("came back/mia (2)/x.ipynb", "half")
    put("came back/otto/sub dir/homework.ipynb", "half")
    put("came back/dan.zip", "PK")
    put("came back/eve/06.zip", "PK")
    put("came back/Jo Doe; rm.ipynb", '{"cells": [')
    put(f"came back/{MOODLE}/x.ipynb", "half")
    put("came back/.ipynb_checkpoints/x.ipynb")
    put("came back/__MACOSX/x.ipynb")
    put("came back/ola.ipynb", BROKEN["too deep"])
    assert run(course, path, tmp_path / "came back") == 0
    said = capsys.readouterr().out
    assert "not looked at: .ipynb_checkpoints, __MACOSX" in said
    expected = {
        "nora": (5, "not looked at: nora/Scratch.ipynb"),
        "mia (2)": (1, ""),
        "otto": (1, ""),
        "dan": (0, "to be unpacked first: dan.zip"),
        "eve": (0, "to be unpacked first: eve/06.zip"),
        "Jo Doe_ rm": (0, "cannot be opened"),
        "Nora Müller": (1, ""),
        "ola": (0, "cannot be opened"),
    }
    for student, (points, remark) in expected.items():
        found = row(course, student)
        assert (float(found["score"]), float(found["of"])) == (points, 5), found
        assert remark in found["remarks"] and bool(remark) == bool(found["remarks"])
    feedback = course.folder / "feedback"
    graded = {p.parents[1].name for p in feedback.glob(f"*/{NAME}/*.html")}
    assert graded == set(expected) - {"dan"}
    # Again, with one of them alone: the others stay as they were, and that is said.
    (tmp_path / "late").mkdir()
    put("late/otto.ipynb")
    assert run(course, path, tmp_path / "late") == 0
    assert (row(course, "otto")["score"], row(course, "otto")["remarks"]) == ("5.0", "")
    assert row(course, "nora")["remarks"] == "graded as collected before"


@pytest.mark.skipif(bool(sandbox.missing()), reason=sandbox.missing())
def test_a_class_without_a_notebook_has_a_table(put, tmp_path):
    (tmp_path / "excerpt").mkdir()
    path = excerpt(PATH, tmp_path / "excerpt" / PATH.name)
    course = Course(tmp_path / "course")
    course.release(path)
    put("in/dan.zip", "PK")
    assert run(course, path, tmp_path / "in") == 0
    assert row(course, "dan")["remarks"] == "no notebook; to be unpacked first: dan.zip"
    with pytest.raises(ValueError, match="dan.zip is no folder .* unpack it first"):
        run(course, path, tmp_path / "in" / "dan.zip")


@pytest.mark.skipif(bool(sandbox.missing()), reason=sandbox.missing())
def test_whom_nbgrader_gives_up_on_stops_nobody_else(put, tmp_path, monkeypatch):
    (tmp_path / "excerpt").mkdir()
    path = excerpt(PATH, tmp_path / "excerpt" / PATH.name)
    course = Course(tmp_path / "course")
    course.release(path)
    put("in/ann.ipynb")
    put("in/eve.ipynb")
    put("in/zoe.ipynb")
    grade, feedback = course.api.autograde, course.api.generate_feedback

    def failing(call, who):
        def api(name, student, **kwargs):
            if student == who:
                return {"success": False, "error": f"Boom for {who}"}
            return call(name, student, **kwargs)

        return api

    monkeypatch.setattr(course.api, "autograde", failing(grade, "eve"))
    monkeypatch.setattr(course.api, "generate_feedback", failing(feedback, "zoe"))
    assert run(course, path, tmp_path / "in") == 1
    assert row(course, "ann")["score"] == "5.0"
    log = f"log-{NAME}.txt"
    assert row(course, "eve")["remarks"] == f"not graded, see {log}"
    assert row(course, "zoe")["remarks"] == f"no feedback, see {log}"
    assert row(course, "eve")["score"] == ""
    assert "Boom for eve" in (course.folder / log).read_text("utf-8")
