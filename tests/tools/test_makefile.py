"""The Makefile does what it says: in a folder with blanks, and with stand-ins."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.notebooks import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("make") is None,
    reason="needs make, and a shell for the stand-ins",
)
# What an outer make hands down to an inner one, and what a user may have set.
OUTER = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL", "READY", "BIN", "PYTHON")
OUTER += ("NB", "ARGS", "SUBMISSIONS", "COURSE", "SESSIONS", "CASES")

# Says how it was called: a line for each call, with `|` between the arguments.
STAND_IN = """\
#!/bin/sh
printf '%s' "$(basename "$0")" >> "$CALLS"
for argument in "$@"; do printf '|%s' "$argument" >> "$CALLS"; done
echo >> "$CALLS"
"""


class Checkout:
    """The Makefile in a folder of its own; a program there only says it was called."""

    def __init__(self, folder: Path):
        self.folder, self.calls_file = folder, folder.parent / "calls"
        folder.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        for name in ("notebooks", "lecture"):
            (folder / name).mkdir()
        (folder / "notebooks" / "03_a b (1).ipynb").touch()

    def program(self, name: str, more: str = "") -> Path:
        """Put a stand-in for a program into the checkout."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAND_IN + more, encoding="utf-8")
        path.chmod(0o755)
        return path

    def ready(self, environment: str) -> None:
        """Have an environment ready, with a Python."""
        self.program(f"{environment}/bin/python")
        (self.folder / environment / ".ready").touch()

    def environment(self) -> dict[str, str]:
        """The environment for make: as if nobody had called it before us."""
        ours = {key: v for key, v in os.environ.items() if key not in OUTER}
        return {**ours, "CALLS": str(self.calls_file)}

    def make(self, *arguments: str) -> subprocess.CompletedProcess:
        """Call make."""
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
        )

    def calls(self) -> list[list[str]]:
        """Give what was called: the arguments of each, the program first."""
        lines = self.calls_file.read_text(encoding="utf-8").splitlines()
        return [line.split("|") for line in lines]


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "the course (1)")


def test_folders_of_submissions_may_have_blanks(checkout):
    checkout.ready(".venv-lecture")
    names = ["NB=06", "SUBMISSIONS=../subs (1) of Anna's", "COURSE=my course"]
    run = checkout.make("assignment", *names)
    assert run.returncode == 0, run.stderr
    grading = ["python", "-m", "lecture.grading", "06"]
    assert checkout.calls() == [
        [*grading, "../subs (1) of Anna's", "--course", "my course"]
    ]


def test_without_submissions_the_assignment_is_made(checkout):
    checkout.ready(".venv-lecture")
    assert checkout.make("assignment", "NB=06").returncode == 0
    (call,) = checkout.calls()
    assert call[3:] == ["06", "--course", "build/course"]
    run = checkout.make("assignment")
    assert run.returncode and "Which notebook? make assignment NB=06" in run.stderr


@pytest.mark.parametrize("target", ["notebooks", "notebooks-test"])
def test_a_notebook_with_a_blank_in_its_name_is_one_notebook(checkout, target):
    checkout.ready(".venv")
    assert checkout.make(target, "NB=03").returncode == 0
    (call,) = checkout.calls()
    assert call[-1] == "notebooks/03_a b (1).ipynb"
    run = checkout.make(target, "NB=04")
    assert run.returncode and "No notebook fits notebooks/04*.ipynb" in run.stderr


@pytest.mark.parametrize("target", ["lab", "lab-course"])
def test_what_is_said_to_jupyterlab_is_passed_on(checkout, target):
    checkout.ready(".venv")
    said = "ARGS=--no-browser --notebook-dir='a b'"
    assert checkout.make(target, said).returncode == 0
    assert checkout.calls() == [
        ["python", "-m", "tools.work", target, "--no-browser", "--notebook-dir=a b"]
    ]


def test_update_updates(checkout):
    checkout.ready(".venv")
    assert checkout.make("update").returncode == 0
    assert checkout.calls() == [["python", "-m", "tools.work", "update"]]


# --- the first use --------------------------------------------------------------------

# Stands for the Python that environments are made from: makes one of stand-ins.
MAKES_ENVIRONMENTS = """
case "$2" in venv)
  mkdir -p "$4/bin"
  for name in python uv; do cp "$0" "$4/bin/$name"; done
esac
"""


def test_the_first_use_says_what_it_costs_and_shows_how_far_it_is(checkout):
    python = f"PYTHON={checkout.program('python', MAKES_ENVIRONMENTS).name}"
    first = checkout.make("unit", python.replace("=", "=./"))
    assert first.returncode == 0, first.stderr
    said = first.stdout.splitlines()[0]
    cost = r"[\d.]+ GB to download.*, about \w+ minutes at 100 Mbit/s\."
    assert re.fullmatch(
        rf"Setting up \.venv, once: the course and its tests, {cost}", said
    )
    (fill,) = (call for call in checkout.calls() if "--require-hashes" in call)
    assert fill[:2] == ["uv", "pip"] and fill[-1] == "requirements/course.lock"
    assert not {"--quiet", "-q", "--no-progress"} & set(fill)
    assert "Setting up" not in checkout.make("unit").stdout


@pytest.mark.parametrize("room", ["bench", "lecture", "tools"])
def test_other_environments_say_it_too(checkout, room):
    checkout.program("python", MAKES_ENVIRONMENTS)
    run = checkout.make(f".venv-{room}/.ready", "PYTHON=./python")
    assert run.returncode == 0, run.stderr
    said = run.stdout.splitlines()[0]
    assert (
        said.startswith(f"Setting up .venv-{room}, once: ") and " to download" in said
    )


def test_a_python_that_is_too_old_is_named_before_anything_is_made(checkout):
    checkout.program("python", "echo too old >&2; exit 1")
    run = checkout.make("unit", "PYTHON=./python")
    assert run.returncode and "too old" in run.stderr
    assert "Setting up" not in run.stdout
    assert not (checkout.folder / ".venv").exists()


def test_readme_and_makefile_name_the_same_sizes(checkout):
    sizes = set(re.findall(r"([\d.]+ GB)", (ROOT / "Makefile").read_text("utf-8")))
    told = (ROOT / "README.md").read_text("utf-8").partition("Two commands")[2]
    assert set(re.findall(r"([\d.]+ GB)", told)) == sizes


def test_mutants_are_made_where_python_finds_our_tools(checkout):
    """The noxfile imports `tools`, which `nox` alone does not find; python -m does."""
    checkout.ready(".venv-tools")
    run = checkout.make("mutants", "ARGS=tape scalar")
    assert run.returncode == 0, run.stderr
    nox = ["python", "-m", "nox", "--session", "mutants", "--", "tape", "scalar"]
    assert checkout.calls() == [nox]


# --- the three parts of make test -----------------------------------------------------


def parts(checkout) -> list[str]:
    """The targets that the inner makes were called with."""
    return [call[-1] for call in checkout.calls() if call[0] == "make"]


ALL = ["unit", "notebooks-test", "browser-test"]


def test_each_part_is_said_and_all_run(checkout):
    checkout.program("make")
    run = checkout.make("test", "READY=", "MAKE=./make")
    assert run.returncode == 0, run.stderr
    assert parts(checkout) == ALL
    said = [line for line in run.stdout.splitlines() if line.startswith("== ")]
    assert said[:3] == [
        f"== make test, part {n} of 3: {part}" for n, part in enumerate(ALL, start=1)
    ]
    assert said[3] == "== make test: all of unit notebooks-test browser-test passed"


@pytest.mark.parametrize("bad", [ALL[:1], ALL[1:2], ALL[::2], ALL])
def test_a_part_that_fails_keeps_no_other_from_running(checkout, bad):
    fails = "|".join(bad)
    checkout.program("make", f'case "$2" in {fails}) exit 2; esac\n')
    run = checkout.make("test", "READY=", "MAKE=./make")
    assert run.returncode != 0
    assert parts(checkout) == ALL
    assert run.stdout.splitlines()[-1] == f"== make test: failed: {' '.join(bad)}"


SHELLS = [shell for shell in map(shutil.which, ("sh", "bash")) if shell]


@pytest.mark.parametrize("shell", SHELLS)
def test_ctrl_c_ends_the_whole(checkout, shell):
    """Also where the part that it hits ends as if nothing were: bash would go on."""
    waits = 'trap "exit 0" INT\necho waits >> "$CALLS"\n'
    checkout.program("make", waits + "while :; do sleep 0.1; done\n")
    started = subprocess.Popen(
        ["make", "test", "READY=", "MAKE=./make", f"SHELL={shell}"],
        cwd=checkout.folder,
        env=checkout.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not (
        checkout.calls_file.exists() and "waits" in checkout.calls_file.read_text()
    ):
        assert started.poll() is None
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    try:
        said, _ = started.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
    assert started.returncode != 0
    assert parts(checkout) == ["unit"], said
    assert "part 2" not in said
