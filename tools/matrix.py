"""Run sessions of noxfile.py, and say what was left out, and whether anything was run.

    make matrix                                 all sessions
    make matrix SESSIONS="locked-3.12 oldest"   some of them

nox leaves out a session whose Python is missing, says so, and goes on; in the end it
counts that as a success. So does this, as long as one of the Pythons was there: where
none was, nothing has been tried, and that is a failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def starts(version: str) -> bool:
    """Whether a Python is here and starts: as `python3.12`, or as `py -3.12`.

    A name on the PATH is not enough: pyenv has one for each Python it ever saw.
    """
    asked = tuple(map(int, version.split(".")))
    probe = f"import sys; sys.exit(sys.version_info[:2] != {asked})"
    for command in ([f"python{version}"], ["py", f"-{version}"]):
        try:
            run = subprocess.run([*command, "-c", probe], capture_output=True)
        except OSError:
            continue
        if run.returncode == 0:
            return True
    return False


def newest(versions: Sequence[str], here: Callable[[str], bool] = starts) -> str:
    """Give the newest version that is here; the newest of all where none is."""
    return next(filter(here, reversed(versions)), versions[-1])


def judge(sessions: list[dict], code: int) -> tuple[int, list[str]]:
    """Give the exit code for what nox has reported, and what there is to say."""
    skipped = [s for s in sessions if s["result"] == "skipped"]
    said = [f"matrix: left out {s['signatures'][0]}: {s['reason']}" for s in skipped]
    if sessions and len(skipped) == len(sessions):
        said.append("matrix: no session had its Python, so nothing was tried")
        code = code or 1
    return code, said


def main(sessions: list[str]) -> int:
    """Run the sessions named, or all; 1 if one failed, or none could be run."""
    wanted = ["--session", *sessions] if sessions else []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        nox = [sys.executable, "-m", "nox", "--report", str(report), *wanted]
        code = subprocess.run(nox, cwd=ROOT).returncode
        found = json.loads(report.read_text("utf-8")) if report.exists() else {}
    code, said = judge(found.get("sessions", []), code)
    print(*said, sep="\n" if said else "", end="\n" if said else "")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
