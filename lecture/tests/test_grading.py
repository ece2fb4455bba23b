"""Submissions of all kinds, graded as a class is: right, wrong, broken, hostile.

What is strange in a folder is in `test_collecting.py`, and cells that were split, moved
and merged in `test_mending.py`.
"""

from __future__ import annotations

import csv
import inspect
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_exercises.library import exercises, notebooks
from lecture.grading import sandbox, wire
from lecture.grading.__main__ import main, run
from lecture.grading.judge import can_be_asked, judge, with_other_inputs
from lecture.tests.handing_in import (
    NAME,
    OWN,
    PATH,
    answered,
    excerpt,
    references,
    row,
)
from tools.notebooks import COURSE, FOLDER, ROOT

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
from lecture.grading.assignment import (  # noqa: E402
    Course,
    mended,
    read_released,
)
from lecture.grading.assignment import notebooks as found_notebooks  # noqa: E402

room_needed = pytest.mark.skipif(bool(sandbox.missing()), reason=sandbox.missing())


def mistaken(exercise, name):
    """The source of a wrong answer that has a name, under the name asked for."""
    (mistake,) = [m for m in exercise.mistakes if m.id == name]
    source = textwrap.dedent(inspect.getsource(mistake.code))
    return f"{source}\n\n{exercise.reference.__name__} = {mistake.code.__name__}"


IMPORTS = "import numpy as np\nfrom course_utils import functional as F"

# --- a class --------------------------------------------------------------------------

NAMED = {"06.1": "sigmoid-rule", "06.2": "closed"}
SPY = """
import os, pathlib, socket, json
root, seen = pathlib.Path(ROOT_PATH), {}
seen["solutions"] = sorted(map(str, root.rglob("nb0*.py")))
seen["tests"] = (root / "tests").exists() or (root / "build").exists()
seen["course"] = os.path.exists(COURSE_PATH)
seen["others"] = os.path.exists(OTHERS_PATH)
seen["uid"] = os.getuid()
seen["home"] = os.environ["HOME"]
seen["processes"] = sum(name.isdigit() for name in os.listdir("/proc"))
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=2)
    seen["network"] = True
except OSError:
    seen["network"] = False
try:
    pathlib.Path("/usr/spy").write_text("x")
    seen["writes"] = True
except OSError:
    seen["writes"] = False
seen["data"] = (root / "data").is_dir()
print(json.dumps(seen))
"""
TAMPER = """
import course_exercises as E
check = lambda *args, **kwargs: print("✓ passed")
E.check = check
"""
FORGE = """
import course_exercises.wire as W
yes = W.dumps({"value": {"plain": 1.0}, "trouble": ["passed", "well done"],
               "printed": "", "warned": "", "changed": []})
W.call = lambda *args: yes
W.judge_here = lambda *args: W.dumps({"status": "passed", "says": "", "findings": []})
"""
SWALLOW = """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""
HARD_CODED = """
import numpy as np
SEEN = {seen}
def softplus_vjp(*args):
    key = repr([np.round(a, 6).tolist() for a in args])
    return np.array(SEEN[key]) if key in SEEN else np.zeros_like(args[0])
"""


def hard_coded(exercise):
    """The right results for the inputs of the course, and for no others."""
    rows = {
        repr([np.round(a, 6).tolist() for a in args]): exercise.reference(
            *args
        ).tolist()
        for args in exercise.draw()
    }
    return HARD_CODED.format(seen=rows)


def handed_in(folder, released, right, course):
    """Write the notebooks of a class."""

    def hand_in(student, notebook):
        nbformat.write(notebook, folder / f"{student}.ipynb")

    hand_in("right", answered(released, right))
    hand_in("untouched", answered(released, {}))
    half = {n: s for n, s in right.items() if n in ("06.1", "06.2")}
    hand_in("half", answered(released, half))
    wrong = {n: mistaken(OWN[n], name) for n, name in NAMED.items()}
    hand_in("wrong", answered(released, right | wrong))
    sign = right["06.1"] + "\n\nfirst = softplus_vjp\n"
    sign += "def softplus_vjp(*args):\n    return -first(*args)\n"
    hand_in("sign", answered(released, right | {"06.1": sign}))
    broken = {
        "06.1": "def softplus_vjp(:\n",
        "06.2": "def leaky_vjp(*args):\n    1 / 0",
    }
    hand_in("crashing", answered(released, right | broken, "import no_such_module"))
    loops = "def softplus_vjp(*args):\n    while True:\n        pass"
    hand_in("hanging", answered(released, right | {"06.1": loops}, "while True: pass"))
    hand_in("swallowing", answered(released, right, SWALLOW))
    hand_in("exiting", answered(released, right, "import os\nos._exit(0)"))
    greedy = "def softplus_vjp(*args):\n    return bytearray(10**10)"
    hand_in("greedy", answered(released, right | {"06.1": greedy}))
    hand_in(
        "remembering", answered(released, right | {"06.1": hard_coded(OWN["06.1"])})
    )
    hand_in("tampering", tampered(answered(released, half, TAMPER)))
    hand_in("forging", answered(released, half, FORGE))
    peek = "from course_exercises.nb06.softplus import softplus_vjp"
    spy = spying(course, folder)
    hand_in("spying", answered(released, right | {"06.1": peek}, spy))
    stripped = answered(released, right)
    for cell in stripped.cells:
        cell.metadata = nbformat.from_dict({})
    hand_in("stripped", stripped)
    (folder / "torn.ipynb").write_text('{"cells": [', encoding="utf-8")


def spying(course, folder):
    """A cell that looks around."""
    spy = SPY.replace("ROOT_PATH", repr(str(ROOT)))
    spy = spy.replace("COURSE_PATH", repr(str(course.folder / "seed.txt")))
    spy = spy.replace("OTHERS_PATH", repr(str(folder / "right.ipynb")))
    return spy.replace("PORT", "22")


def tampered(notebook):
    """Check cells changed, worth more, and one gone."""
    checks = [c for c in notebook.cells if c.source.startswith("check(")]
    checks[2].source = "print('✓ passed')"
    checks[3].source = 'check("06.1", softplus_vjp)'
    for cell in checks:
        cell.metadata.nbgrader["points"] = 100
    notebook.cells.remove(checks[4])
    return notebook


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course in which a class has handed in, and all was graded."""
    folder = tmp_path_factory.mktemp("grading")
    path = excerpt(PATH, folder / PATH.name)
    course = Course(folder / "course")
    course.config.ExecuteInRoom.cell_seconds = 8
    course.config.ExecuteInRoom.seconds = 90
    released = nbformat.read(course.release(path), as_version=4)
    (folder / "in").mkdir()
    handed_in(folder / "in", released, references(path, OWN), course)
    assert run(course, path, folder / "in") == 0
    return course


SCORES = {
    "right": 5,
    "untouched": 0,
    "half": 2,
    "wrong": 3,
    "sign": 4,
    "crashing": 3,
    "hanging": 4,
    "swallowing": 0,
    "exiting": 0,
    "greedy": 4,
    "remembering": 4,
    "tampering": 2,
    "forging": 0,
    "spying": 4,
    "stripped": 5,
    "torn": 0,
}


@room_needed
@pytest.mark.parametrize(("student", "score"), SCORES.items())
def test_score(graded, student, score):
    found = row(graded, student)
    assert (float(found["score"]), float(found["of"])) == (score, 5), found


@room_needed
def test_all_are_in_nbgraders_own_table(graded):
    with (graded.folder / "nbgrader.csv").open(encoding="utf-8") as file:
        found = {r["student_id"]: float(r["score"]) for r in csv.DictReader(file)}
    assert found == SCORES


SAID = {
    "wrong": [f"{number} {name}" for number, name in NAMED.items()],
    "sign": ["06.1 sign"],
    "crashing": ["06.1 raised", "06.2 raised"],
    "hanging": ["06.1 stopped"],
    "swallowing": ["06.1 stopped", "06.5 stopped"],
    "greedy": ["06.1 raised"],
    "untouched": ["06.1 not attempted", "06.4 not attempted"],
    "spying": ["06.1 raised"],
}


@room_needed
@pytest.mark.parametrize(("student", "said"), SAID.items())
def test_the_table_names_the_mistakes(graded, student, said):
    assert set(said) <= set(row(graded, student)["mistakes"].split("; "))


def feedback(course, student):
    path = course.folder / "feedback" / student / NAME / f"{NAME}.html"
    return path.read_text(encoding="utf-8")


@room_needed
def test_feedback_says_what_a_tutor_says(graded):
    page = feedback(graded, "wrong")
    for number, name in NAMED.items():
        (mistake,) = [m for m in OWN[number].mistakes if m.id == name]
        assert "Explained in notebook" in page
        if mistake.says:
            assert mistake.says.split("`")[0].split("$")[0][:40] in page
    assert "The sign is reversed" in feedback(graded, "sign")
    assert "Score: 3.0 / 5.0" in page
    assert "cannot be opened" in feedback(graded, "torn")


@room_needed
def test_feedback_asks_for_nothing_from_the_web(graded):
    page = feedback(graded, "right")
    assert not [x for x in page.split('src="')[1:] if x.startswith("http")]


def seen_by(course, student):
    path = course.folder / "autograded" / student / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (said,) = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and '"solutions"' in output.text
    ]
    return json.loads(said[said.index("{") :])


@room_needed
def test_the_room_holds_no_secret(graded):
    seen = seen_by(graded, "spying")
    assert seen["solutions"] == []
    assert not seen["tests"] and not seen["course"] and not seen["others"]
    assert not seen["network"] and not seen["writes"]
    assert seen["processes"] < 10
    assert seen["data"]
    if os.geteuid() == 0:
        assert seen["uid"] == sandbox.NOBODYS


@room_needed
def test_nothing_is_left_behind(graded):
    import tempfile

    left = [
        p for p in Path(tempfile.gettempdir()).glob("room-*") if (p / "wire").exists()
    ]
    own = [p for p in left if p.stat().st_uid == os.geteuid()]
    assert not own or sandbox_in_use()


def sandbox_in_use():
    """Whether other graders are at work on this machine."""
    said = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    return "ipykernel_launcher" in said


@room_needed
@pytest.mark.skipif(os.geteuid() != 0, reason="this is how it runs anyway")
def test_a_room_made_by_somebody_who_is_not_root(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 1000)
    if sandbox.missing():
        pytest.skip("no user namespaces here")
    path = excerpt(PATH, tmp_path / PATH.name)
    course = Course(tmp_path / "course")
    released = nbformat.read(course.release(path), as_version=4)
    (tmp_path / "in").mkdir()
    spy = spying(course, tmp_path / "in")
    peek = "import os\nos.system('umount -a')\n" + spy
    notebook = answered(released, references(path, OWN), peek)
    nbformat.write(notebook, tmp_path / "in" / "right.ipynb")
    assert run(course, path, tmp_path / "in") == 0
    assert row(course, "right")["score"] == "5.0"
    seen = seen_by(course, "right")
    assert seen["solutions"] == []
    assert not seen["tests"] and not seen["course"] and not seen["others"]
    assert not seen["network"] and seen["data"]


@room_needed
def test_a_challenge_is_judged_within_reach_and_said_so(tmp_path):
    path = excerpt(FOLDER / "05_vectorized_backprop.ipynb", tmp_path / "05_small.ipynb")
    course = Course(tmp_path / "course")
    released = nbformat.read(course.release(path), as_version=4)
    (tmp_path / "in").mkdir()
    right = references(path, {e.number: e for e in exercises("05")})
    # The semicolon hides what a cell gives, and may not hide a verdict.
    notebook = answered(released, right, f"{IMPORTS};")
    nbformat.write(notebook, tmp_path / "in" / "ann.ipynb")
    assert run(course, path, tmp_path / "in") == 0
    with (course.folder / "grades-05_small.csv").open(encoding="utf-8") as file:
        (found,) = csv.DictReader(file)
    assert (found["score"], found["remarks"]) == ("5.0", "look at 05.5")


# --- release --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return Course(tmp_path_factory.mktemp("course"))


@pytest.mark.parametrize("notebook", ["01", "06"])
def test_release_marks_answers_and_locks_checks(course, notebook):
    (path,) = FOLDER.glob(f"{notebook}_*.ipynb")
    released = nbformat.read(course.release(path), as_version=4)
    marked = [c for c in released.cells if "nbgrader" in c.metadata]
    count = len(exercises(notebook))
    assert len(marked) == 2 * count
    for answer, check in zip(marked[::2], marked[1::2], strict=True):
        assert answer.source.startswith("# Exercise ")
        assert answer.metadata.nbgrader.solution
        assert check.source.startswith("check(")
        assert check.metadata.nbgrader.locked and check.metadata.nbgrader.points == 1
    plain = nbformat.read(path, as_version=4)
    assert [c.source for c in released.cells] == [c.source for c in plain.cells]
    assert not any(c.get("outputs") for c in released.cells)


def test_the_folder_is_its_owners_alone(course):
    assert course.folder.stat().st_mode & 0o077 == 0
    assert (course.folder / "seed.txt").stat().st_mode & 0o077 == 0


def test_strange_folders_are_refused(course, tmp_path, capsys):
    course.release(PATH)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    with pytest.raises(ValueError, match="no notebook in"):
        course.collect(tmp_path, NAME)
    with pytest.raises(ValueError, match="is the course"):
        course.collect(course.folder, NAME)
    with pytest.raises(ValueError, match="make assignment first"):
        course.collect(tmp_path, "07_array_tape")
    assert main(["zz"]) == 1
    assert "not one notebook" in capsys.readouterr().err


def test_a_notebook_with_an_answer_is_not_given_out(course, tmp_path):
    path = excerpt(PATH, tmp_path / PATH.name)
    (tmp_path / "own").mkdir()
    notebook = nbformat.read(path, as_version=4)
    right = {"06.2": references(path, OWN)["06.2"]}
    mine = tmp_path / "own" / PATH.name
    nbformat.write(answered(notebook, right), mine)
    with pytest.raises(ValueError, match="expected a stub in 06.2, found an answer"):
        course.release(mine)


@pytest.mark.parametrize("name", ["a course (1)", "Übung 06, 'quoted' & #1 100%"])
def test_a_course_may_lie_in_a_folder_of_any_name(tmp_path, name):
    course = Course(tmp_path / name)
    folder = tmp_path / f"back from {name}"
    folder.mkdir()
    shutil.copy(course.release(PATH), folder / "ann.ipynb")
    assert course.collect(folder, NAME) == {}
    assert [p.parent.name for p in course.submitted(NAME)] == ["ann"]


def test_a_course_in_a_folder_that_is_a_pattern_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected a path without \* \? \[ \]"):
        Course(tmp_path / "course [1]")


def test_what_lies_beside_the_notebooks_is_not_taken_for_one(tmp_path, monkeypatch):
    for name in (PATH.name, f"{NAME}-Copy1.ipynb", f"._{PATH.name}"):
        shutil.copy(PATH, tmp_path / name)
    monkeypatch.setattr("tools.notebooks.FOLDER", tmp_path)
    assert found_notebooks("06") == [tmp_path / PATH.name]


@room_needed
def test_a_room_holds_the_notebooks_of_the_course_alone(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "notebooks" / "06_solved.ipynb").write_text("{}", "utf-8")
    (tmp_path / "notebooks" / "solutions.py").write_text("", "utf-8")
    for name in ("course_utils", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setattr(sandbox, "ROOT", tmp_path)
    room = sandbox.make([])
    try:
        found = {path.name for path in (room.folder / "work").iterdir()}
    finally:
        room.remove()
    assert found == {*(f"{stem}.ipynb" for stem in COURSE), "data_parallel.py"}


def test_a_folder_for_each_student_will_do(course, tmp_path):
    (tmp_path / "ann").mkdir()
    released = course.release(PATH)
    shutil.copy(released, tmp_path / "ann" / "my copy.ipynb")
    assert course.collect(tmp_path, NAME) == {}
    assert [p.parent.name for p in course.submitted(NAME)] == ["ann"]


def test_what_students_lose_comes_back(course, tmp_path):
    given = read_released(course.release(PATH))
    cells = [c for c in given.cells if "stub" not in c.metadata.get("tags", [])]
    given.cells = cells
    nbformat.write(given, tmp_path / "x.ipynb")
    notebook = mended(tmp_path / "x.ipynb", read_released(course.release(PATH)))
    marked = [c for c in notebook.cells if "nbgrader" in c.metadata]
    assert len(marked) == 2 * len(OWN)
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)


# --- over the wire --------------------------------------------------------------------


def there_and_back(value):
    return wire.unpack(wire.loads(wire.dumps(wire.pack(value))))


@pytest.mark.parametrize(
    "value",
    [
        *(3, 2.5, True, None, "text", (1, (2.0,)), [1, "a"], {"a": 1.5}, float("inf")),
        ...,
    ],
)
def test_plain_values_come_back(value):
    assert there_and_back(value) == value


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.array(2.5),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.array(["a", "bc"]),
        np.arange(4, dtype=">f4"),
        np.array([1 + 2j]),
    ],
    ids=lambda a: str(a.dtype),
)
def test_arrays_come_back(array):
    found = there_and_back(array)
    np.testing.assert_array_equal(found, array)
    assert found.shape == array.shape and found.flags.writeable


@pytest.mark.parametrize(
    "text",
    [
        None,
        "x" * 10,
        wire.dumps({"array": "AAAA", "type": "O", "shape": [1]}),
        wire.dumps({"array": "AAAA", "type": "<f8", "shape": [10**9]}),
        wire.dumps({"plain": [1]}),
        wire.dumps({"list": [3]}),
    ],
    ids=["none", "noise", "objects", "too few", "nested", "bare"],
)
def test_no_data_is_refused(text):
    with pytest.raises((ValueError, TypeError)):
        wire.unpack(wire.loads(text))


def test_other_things_say_their_type():
    assert type(there_and_back({1, 2})).__name__ == "set"
    assert type(wire.unpack({"other": "a b; c"})).__name__ == "object"
    assert callable(there_and_back(len))


def test_most_exercises_are_judged_from_outside():
    every = [e for n in range(12) for e in own(f"{n:02d}")]
    outside = [e for e in every if can_be_asked(e)]
    assert len(outside) > 0.7 * len(every)
    assert all(can_be_asked(e) for e in every if e.gradient and e.called_plainly)


def own(notebook):
    try:
        return exercises(notebook)
    except ModuleNotFoundError:
        return []


def test_hidden_inputs_are_others():
    exercise = OWN["06.1"]
    other = with_other_inputs(exercise, seed=1)
    assert not np.array_equal(other.draw()[0][0], exercise.draw()[0][0])
    assert np.array_equal(
        other.draw()[0][0], with_other_inputs(exercise, 1).draw()[0][0]
    )


def test_without_a_room_nothing_is_graded(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    arguments = ["06", str(tmp_path), "--course", str(tmp_path / "course")]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert "install util-linux" in said or sys.platform != "linux"


EVERY = [e for n in notebooks() for e in exercises(n) if can_be_asked(e)]


def over_the_wire(exercise, answer, seed):
    """Judge as a graded notebook is, without a kernel."""
    names = {"f": answer() if exercise.is_value else answer}
    known = {"names": names, **vars(wire)}
    return judge(
        exercise,
        "f",
        lambda text: eval(text.replace("globals()", "names"), known),
        seed,
    )


@pytest.mark.parametrize("exercise", EVERY, ids=lambda e: e.number)
def test_right_answers_pass_on_hidden_inputs(exercise):
    for seed in range(1, 4):
        said = over_the_wire(exercise, exercise.reference, seed)
        assert said.passed, said
    for variant in filter(callable, exercise.variants):
        assert (said := over_the_wire(exercise, variant, 1)).passed, said


@pytest.mark.parametrize("exercise", EVERY, ids=lambda e: e.number)
def test_mistakes_are_named_on_hidden_inputs(exercise):
    made = [m for m in exercise.mistakes if m.code]
    named = 0
    for mistake in made:
        said = over_the_wire(exercise, mistake.code, seed=1)
        assert not said.passed, mistake.id
        named += mistake.id in said.mistakes
    assert named >= 0.9 * len(made) - 1, f"{named} of {len(made)}"
