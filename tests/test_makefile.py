"""The Makefile does what it says: in a folder with blanks, and with stand-ins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
