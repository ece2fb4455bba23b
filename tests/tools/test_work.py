"""A student's copies: made once, never overwritten, corrected without loss."""

from __future__ import annotations

import datetime
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.test_merging import (
    ANSWER,
    changed,
    code,
    course,
    sources,
    with_cell,
)
from tools import merging, work
from tools.notebooks import FOLDER, ROOT
from tools.work import Place, main

NAME = "06_layers.ipynb"


@pytest.fixture
def place(tmp_path):
    """A small course: a notebook, a script beside it, and what is not copied."""
    found = Place(tmp_path / "notebooks", tmp_path / "work")
    found.course.mkdir()
    (found.course / NAME).write_bytes(merging.write(course()))
    (found.course / "script.py").write_text("print(1)\n")
    (found.course / "pictures").mkdir()
    (found.course / "pictures" / "a.png").write_bytes(b"png")
    for name in (".ipynb_checkpoints", "__pycache__"):
        (found.course / name).mkdir()
        (found.course / name / NAME).write_text("no")
    return found


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    """Leave no trace of what JupyterLab would be told."""
    for name in ("OMP_NUM_THREADS", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def run(place, *command):
    return main([*command], place)


def files(folder):
    """What is in a folder, by path, but for what the copies were made from."""
    found = (p for p in folder.rglob("*") if p.is_file() and ".base" not in p.parts)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def write(place, notebook):
    """Write the student's copy."""
    (place.work / NAME).write_bytes(merging.write(notebook))


def correct(place, notebook):
    """Write the course's notebook."""
    (place.course / NAME).write_bytes(merging.write(notebook))


def copy_of(place):
    return merging.read((place.work / NAME).read_bytes())


def before(number=1):
    """The name of the file before an update of today."""
    more = f"-{number}" if number > 1 else ""
    return f"before-{datetime.date.today().isoformat()}{more}_{NAME}"


# --- copies ---------------------------------------------------------------------------


def test_copies_are_made_of_the_notebooks_and_of_what_lies_beside_them(place, capsys):
    assert run(place) == 0
    ours = {NAME: merging.write(course()), "script.py": b"print(1)\n"}
    assert files(place.work) == {**ours, "pictures/a.png": b"png"}
    assert "work/: 3 files copied" in capsys.readouterr().out


def test_a_copy_is_never_overwritten_and_made_anew_where_it_is_missing(place, capsys):
    run(place)
    (place.work / NAME).write_text("mine")
    (place.work / "script.py").unlink()
    capsys.readouterr()
    assert run(place) == 0
    assert (place.work / NAME).read_text() == "mine"
    assert (place.work / "script.py").read_text() == "print(1)\n"
    assert "1 file copied" in capsys.readouterr().out


def test_an_interrupted_copy_leaves_nothing_half(place, monkeypatch):
    def interrupted(number):
        raise KeyboardInterrupt

    monkeypatch.setattr(work.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(place)
    assert files(place.work) == {}
    monkeypatch.undo()
    assert run(place) == 0 and len(files(place.work)) == 3


def test_progress_from_before_is_brought_along_once(place):
    (place.course / "progress.json").write_text("{}")
    run(place)
    assert (place.work / "progress.json").read_text() == "{}"
    (place.work / "progress.json").unlink()
    run(place)
    assert not (place.work / "progress.json").exists()


def test_progress_is_kept(place):
    place.work.mkdir()
    (place.work / "progress.json").write_text("mine")
    (place.course / "progress.json").write_text("another")
    for command in ("copies", "update"):
        assert run(place, command) == 0
        assert (place.work / "progress.json").read_text() == "mine"


# --- updates --------------------------------------------------------------------------


def test_an_update_brings_the_new_text_and_keeps_what_is_the_students(place, capsys):
    run(place)
    mine = changed(course(), **{"06_ex1": ANSWER})
    mine = with_cell(mine, "one", code("own", "y = 2", ["2\n"], 5))
    write(place, mine)
    correct(place, course(title="# A better title"))
    capsys.readouterr()
    assert run(place, "update") == 0
    assert sources(copy_of(place)) == sources(mine) | {"title": "# A better title"}
    assert (place.work / before()).read_bytes() == merging.write(mine)
    said = capsys.readouterr().out
    assert f"work/{NAME}: corrected; kept: 1 answer, 1 cell of your own." in said
    assert f"As it was: work/{before()}" in said and "Reload" in said


def test_a_second_update_does_nothing(place, capsys):
    run(place)
    write(place, changed(course(), two="mine"))
    correct(place, course(two="new"))
    assert run(place, "update") == 0
    after = files(place.work)
    capsys.readouterr()
    assert run(place, "update") == 0 and files(place.work) == after
    assert capsys.readouterr().out == "All copies are up to date.\n"


def test_what_was_kept_before_is_never_overwritten(place):
    run(place)
    for number, title in enumerate("abc", start=1):
        mine = changed(copy_of(place), one=f"x = 1{number}")
        write(place, mine)
        correct(place, course(title=f"# {title}"))
        assert run(place, "update") == 0
        assert (place.work / before(number)).read_bytes() == merging.write(mine)
    assert len([name for name in files(place.work) if "before-" in name]) == 3


def test_a_copy_that_nobody_touched_is_replaced_and_nothing_lies_beside_it(place):
    run(place)
    correct(place, course(title="# New"))
    assert run(place, "update") == 0
    assert (place.work / NAME).read_bytes() == merging.write(course(title="# New"))
    assert not [name for name in files(place.work) if "before-" in name]


def test_an_update_that_was_interrupted_may_be_repeated(place, monkeypatch):
    """The copy is written, and then, before its base is noted, the power goes."""
    run(place)
    write(place, changed(course(), two="mine", **{"06_ex1": ANSWER}))
    correct(place, course(two="new"))

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "note_base", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(place, "update")
    monkeypatch.undo()
    once = copy_of(place)
    assert run(place, "update") == 0
    assert copy_of(place) == once
    # And from now on it stands on what is new.
    write(place, changed(once, two="mine again"))
    run(place, "update")
    assert sources(copy_of(place))["two"] == "mine again"


def test_a_new_notebook_comes_and_what_has_a_name_of_the_students_stays(place):
    run(place)
    write(place, course())
    (place.work / "my.ipynb").write_text("mine")
    (place.course / "07_new.ipynb").write_bytes(merging.write(course()))
    assert run(place, "update") == 0
    assert {"07_new.ipynb", "my.ipynb"} <= files(place.work).keys()


@pytest.mark.parametrize("mine", [None, "print(2)\n"])
def test_a_corrected_script_comes_in_and_the_students_lies_beside_it(place, mine):
    run(place)
    if mine:
        (place.work / "script.py").write_text(mine)
    (place.course / "script.py").write_text("print(3)\n")
    assert run(place, "update") == 0
    assert (place.work / "script.py").read_text() == "print(3)\n"
    beside = [name for name in files(place.work) if name.endswith("_script.py")]
    assert [(place.work / name).read_text() for name in beside] == (
        [mine] if mine else []
    )


def test_a_script_that_only_the_student_changed_stays(place):
    run(place)
    (place.work / "script.py").write_text("print(2)\n")
    correct(place, course(title="# New"))
    run(place, "update")
    assert (place.work / "script.py").read_text() == "print(2)\n"


def test_a_lost_base_loses_nothing(place):
    run(place)
    write(place, changed(course(), two="mine", **{"06_ex1": ANSWER}))
    shutil.rmtree(place.base)
    correct(place, course(title="# New"))
    assert run(place, "update") == 0
    found = sources(copy_of(place))
    assert (found["title"], found["06-ex1"]) == ("# New", ANSWER)
    assert any(source.endswith("\nmine") for source in found.values())


# --- who worked in notebooks/ before --------------------------------------------------


def git(place, *arguments):
    who = ("-c", "user.name=Test", "-c", "user.email=test@localhost")
    subprocess.run(
        ["git", *who, *arguments], cwd=place.course, check=True, capture_output=True
    )


@pytest.fixture
def cloned(place):
    if shutil.which("git") is None:
        pytest.skip("needs git")
    git(place, "init", "-q")
    git(place, "add", ".")
    git(place, "commit", "-qm", "The course")
    return place


def test_answers_from_before_come_along_and_stay(cloned):
    """They stood in notebooks/. Then these are put back, and corrected."""
    mine = with_cell(changed(course(), **{"06_ex1": ANSWER}), "one", code("own", "y"))
    correct(cloned, mine)
    assert run(cloned) == 0 and run(cloned, "update") == 0
    assert copy_of(cloned)["cells"] == mine["cells"]
    git(cloned, "checkout", NAME)
    correct(cloned, course(title="# New"))
    git(cloned, "commit", "-qam", "Corrected")
    assert run(cloned, "update") == 0
    assert sources(copy_of(cloned)) == sources(mine) | {"title": "# New"}


def test_answers_from_before_survive_a_correction_that_was_merged_with_them(cloned):
    mine = changed(course(), **{"06_ex1": ANSWER})
    correct(cloned, mine)
    run(cloned)
    correct(cloned, course(title="# New"))
    git(cloned, "commit", "-qam", "Corrected")
    correct(cloned, changed(course(title="# New"), **{"06_ex1": ANSWER}))
    assert run(cloned, "update") == 0
    git(cloned, "checkout", NAME)
    assert run(cloned, "update") == 0
    assert sources(copy_of(cloned)) == sources(mine) | {"title": "# New"}


def test_a_correction_need_not_be_committed(cloned):
    run(cloned)
    correct(cloned, course(two="new"))
    run(cloned, "update")
    write(cloned, changed(copy_of(cloned), two="mine"))
    assert run(cloned, "update") == 0
    assert sources(copy_of(cloned))["two"] == "mine"


# --- what may be in the way -----------------------------------------------------------


def test_a_broken_copy_is_named_and_left_alone_and_the_others_go_on(place, capsys):
    run(place)
    (place.work / NAME).write_text('{"cells": [{"cell_ty')
    correct(place, course(title="# New"))
    (place.course / "script.py").write_text("print(3)\n")
    assert run(place, "update") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"work/{NAME} is no notebook that can be read (")
    assert line.endswith("Rename it, and a fresh copy is made the next time.")
    assert (place.work / NAME).read_text() == '{"cells": [{"cell_ty'
    assert (place.work / "script.py").read_text() == "print(3)\n"


@pytest.mark.parametrize("there", [True, False])
def test_a_broken_notebook_of_the_course_is_named_and_not_copied(place, capsys, there):
    if there:
        run(place)
    (place.course / NAME).write_text("<<<<<<< HEAD")
    ours = files(place.work)
    assert run(place, "update") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"notebooks/{NAME} is no notebook that can be read (")
    assert f"`git checkout -- notebooks/{NAME}`" in line
    assert (NAME in files(place.work)) is there
    assert ours.items() <= files(place.work).items()


def test_a_file_in_the_place_of_the_folder_is_named(place, capsys):
    place.work.write_text("mine")
    for command in ("copies", "lab", "update"):
        assert run(place, command) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("work is a file, and your copies of the notebooks need")
    assert place.work.read_text() == "mine"


@pytest.mark.parametrize("why", [errno.ENOSPC, errno.EACCES])
def test_where_nothing_can_be_written_nothing_is_lost(place, capsys, monkeypatch, why):
    """A full disk fails within a file, a folder without rights before it."""
    run(place)
    mine = changed(course(), **{"06_ex1": ANSWER})
    write(place, mine)
    correct(place, course(title="# New"))
    ours = files(place.work)

    def refuses(*_, **__):
        raise OSError(why, os.strerror(why))

    hook = "fsync" if why == errno.ENOSPC else "replace"
    monkeypatch.setattr(work.os, hook, refuses)
    capsys.readouterr()
    assert run(place, "update") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"work/{NAME} could not be written, and is as it was: ")
    assert f": {os.strerror(why)}. Make room, " in line
    assert files(place.work) == ours
    monkeypatch.undo()
    assert run(place, "update") == 0
    assert sources(copy_of(place)) == sources(mine) | {"title": "# New"}


def test_a_folder_that_cannot_be_made_is_named(place, capsys, monkeypatch):
    def refuses(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "mkdir", refuses)
    assert run(place, "lab") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("work/ could not be written, and is as it was: Perm")


# --- JupyterLab -----------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch):
    """How JupyterLab was started: folder, arguments, one thread or not."""
    calls = []

    def start(arguments):
        calls.append((Path.cwd(), arguments, os.environ["OMP_NUM_THREADS"]))

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("jupyterlab.labapp.main", start)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "mine")
    return calls


def test_lab_opens_the_copies_and_passes_on_what_is_said(place, started):
    assert run(place, "lab", "--no-browser", "--port=9999") == 0
    assert started == [(place.work, ["--no-browser", "--port=9999"], "1")]
    assert len(files(place.work)) == 3
    # The user's own settings come first.
    assert os.environ["JUPYTER_CONFIG_PATH"] == f"mine{os.pathsep}{work.SETTINGS}"


def test_who_changes_the_course_opens_the_originals(place, started):
    assert run(place, "lab-course") == 0
    assert started == [(place.course, [], "1")]
    assert not place.work.exists()


def test_lab_tells_of_corrections_and_of_broken_copies(place, started, capsys):
    run(place)
    write(place, changed(course(), two="mine"))
    correct(place, course(two="new"))
    (place.course / "07_new.ipynb").write_bytes(merging.write(course()))
    run(place, "lab")
    assert "1 file was corrected since you got your copy: `make update`" in (
        capsys.readouterr().out
    )
    (place.work / "07_new.ipynb").write_text("torn")
    run(place, "update")
    capsys.readouterr()
    run(place, "lab")
    said = capsys.readouterr()
    assert "corrected" not in said.out and "work/07_new.ipynb is no" in said.err
    assert len(started) == 2


def test_a_python_without_jupyterlab_is_named(place, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    assert run(place, "lab") == 1
    assert "Call the Python of the course: `make lab`" in capsys.readouterr().err


def test_another_word_gets_the_help(place, capsys):
    assert run(place, "labs") == 2
    assert "python -m tools.work update" in capsys.readouterr().err


NOTIFICATIONS = "@jupyterlab/apputils-extension:notification"


def settings(folder, own):
    """What JupyterLab tells its page of the settings for notifications."""
    from jupyterlab.labapp import LabApp
    from jupyterlab_server.settings_utils import get_settings

    path = folder / f"{NOTIFICATIONS.replace(':', '/')}.jupyterlab-settings"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(own))
    app = LabApp()
    places = (app.app_settings_dir, app.schemas_dir, str(folder))
    extensions = app.labextensions_path + app.extra_labextensions_path
    found, _ = get_settings(*places, NOTIFICATIONS, labextensions_path=extensions)
    asked = {
        key: found["schema"]["properties"][key]["default"]
        for key in ("fetchNews", "checkForUpdates")
    }
    return asked | found["settings"]


def test_jupyterlab_asks_nobody_for_news_unless_the_user_wants_it(
    tmp_path, monkeypatch
):
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(work.SETTINGS))
    assert settings(tmp_path / "1", {}) == quiet
    wanted = {"fetchNews": "true"}
    assert settings(tmp_path / "2", wanted) == quiet | wanted


def test_the_settings_hold_nothing_else():
    """A folder of settings could as well open the server to others."""
    ours = files(work.SETTINGS)
    assert ours.keys() == {"labconfig/default_setting_overrides.json"}
    (found,) = map(json.loads, ours.values())
    assert found.keys() == {NOTIFICATIONS}


# --- the course itself ----------------------------------------------------------------


def test_git_sees_nothing_of_it():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    seen = ["work/06.ipynb", "work/.base/06.ipynb", "work/progress.json"]
    run = subprocess.run(
        ["git", "check-ignore", *seen], cwd=ROOT, capture_output=True, text=True
    )
    assert run.stdout.split() == seen


def test_all_of_the_course_is_copied(tmp_path):
    place = Place(FOLDER, tmp_path / "work")
    assert run(place) == 0
    tracked = {path.name for path in FOLDER.glob("*.ipynb")} | {"data_parallel.py"}
    assert tracked <= files(place.work).keys()
    assert run(place, "update") == 0


@pytest.mark.parametrize("module", ["tools.work", "tools.merging"])
def test_copies_need_nothing_but_python(module):
    """On a hub, or with another Python at hand, `update` works as well."""
    probe = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", probe],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name.partition(".")[0] for name in done.stdout.split()}
    assert names - {"tools", "__main__"} <= sys.stdlib_module_names
