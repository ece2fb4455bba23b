"""A student's own copies of the notebooks: make them, open them, bring corrections in.

    python -m tools.work              # make in work/ what is missing there
    python -m tools.work lab          # the same, and open work/ in JupyterLab
    python -m tools.work update       # bring corrected notebooks into work/
    python -m tools.work lab-course   # open notebooks/ itself, to change the course

JupyterLab rewrites a notebook that is opened, so whoever worked in `notebooks/` could
not pull corrections any more. Git ignores `work/`. A copy is never overwritten: it is
made where there is none, under another name first, so that none is ever half a copy.
`work/.base` keeps the text that each copy was made from, without which nobody could
tell a student's change from a correction. `tools.merging` says what an update does; the
file as it was before lies beside it, and its name begins with `before-` and the date.

Only `lab` needs more than the standard library. It answers JupyterLab's question about
news, and about newer versions of itself, with no, unless the user's own settings say
yes: tools/jupyter holds that answer.
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tools import merging

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = Path(__file__).resolve().parent / "jupyter"
PROGRESS = "progress.json"
NOT_OURS = (".", "__pycache__", PROGRESS)  # how names begin that are not copied
# What an update has kept, in words.
KEPT = {
    "answer": ("1 answer", "{} answers"),
    "changed": ("1 changed cell", "{} changed cells"),
    "own": ("1 cell of your own", "{} cells of your own"),
    "both": (
        "1 cell that the course has changed as well (yours is below it)",
        "{} cells that the course has changed as well (yours are below them)",
    ),
    "end": ("1 cell at the end", "{} cells at the end"),
}


class WorkError(Exception):
    """Something is in the way; the message says what, and how to mend it."""


@dataclass(frozen=True)
class Place:
    """Where the course's notebooks are, and where the copies."""

    course: Path = ROOT / "notebooks"
    work: Path = ROOT / "work"

    @property
    def base(self) -> Path:
        """What the copies were made from."""
        return self.work / ".base"

    def names(self) -> list[Path]:
        """The notebooks, and what lies beside them, as paths in `course`."""
        inside = (path.relative_to(self.course) for path in self.course.rglob("*"))
        ours = (x for x in inside if not any(p.startswith(NOT_OURS) for p in x.parts))
        return sorted(name for name in ours if (self.course / name).is_file())

    def shown(self, path: Path) -> str:
        """A path as a student sees it, from the folder of the course."""
        folder = self.work if path.is_relative_to(self.work) else self.course
        return path.relative_to(folder.parent).as_posix()


# --- files ----------------------------------------------------------------------------


def put(path: Path, content: bytes) -> None:
    """Write a file in one step: whatever happens, it is there whole, or as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def contents(path: Path) -> bytes | None:
    """What a file holds; None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def committed(path: Path) -> bytes | None:
    """What git has of a file of the course; None without git.

    Who worked in `notebooks/` before there was `work/` may have answers in there.
    """
    command = ["git", "show", f"HEAD:./{path.name}"]
    try:
        run = subprocess.run(command, cwd=path.parent, capture_output=True)
    except FileNotFoundError:
        return None
    return run.stdout if run.returncode == 0 else None


def set_aside(place: Place, name: Path, content: bytes) -> Path:
    """Keep a file as it was before an update, beside it, under a name that is free."""
    start = f"before-{datetime.date.today().isoformat()}"
    path = place.work / name.with_name(f"{start}_{name.name}")
    count = 1
    while path.exists():
        count += 1
        path = place.work / name.with_name(f"{start}-{count}_{name.name}")
    put(path, content)
    return path


def of_the_course(place: Place, name: Path) -> bytes:
    """Read a file of the course; WorkError if it is a notebook, and broken."""
    path = place.course / name
    content = path.read_bytes()
    if name.suffix == ".ipynb":
        mend = f"`git checkout -- {place.shown(path)}` brings the course's back."
        parsed(place, path, content, mend)
    return content


def parsed(place: Place, path: Path, content: bytes, mend: str) -> merging.Notebook:
    """Read a notebook; WorkError if it is none."""
    try:
        return merging.read(content)
    except ValueError as why:
        found = f"{place.shown(path)} is no notebook that can be read ({why})."
        raise WorkError(f"{found} It was left as it is. {mend}") from why


# --- copies ---------------------------------------------------------------------------


def prepare(place: Place) -> None:
    """Make the folder; the first time, take progress along from where it was before."""
    if place.work.exists() and not place.work.is_dir():
        raise WorkError(
            f"{place.work.name} is a file, and your copies of the notebooks need a "
            "folder of this name. Rename the file, and call again."
        )
    before = contents(place.course / PROGRESS)
    first = not place.base.is_dir()
    if first and before is not None and not (place.work / PROGRESS).exists():
        put(place.work / PROGRESS, before)
    place.base.mkdir(parents=True, exist_ok=True)


def copy(place: Place, name: Path) -> bool:
    """Make one copy if it is missing; tell whether it was."""
    if (place.work / name).exists():
        return False
    content = of_the_course(place, name)
    put(place.base / name, committed(place.course / name) or content)
    put(place.work / name, content)
    return True


# --- updates --------------------------------------------------------------------------


def current(place: Place, name: Path) -> merging.Notebook | None:
    """Read a copy; WorkError if it is a notebook, and broken."""
    content = contents(place.work / name)
    if content is None or name.suffix != ".ipynb":
        return None
    mend = "Rename it, and a fresh copy is made the next time."
    return parsed(place, place.work / name, content, mend)


def merged(place: Place, name: Path) -> tuple[bytes, Counter] | None:
    """What an update would make of a copy, and what it keeps; None if it is current."""
    ours = current(place, name)
    new, base = of_the_course(place, name), contents(place.base / name)
    if new in (base, contents(place.work / name)):
        return None
    if ours is None:
        return new, Counter()
    result, kept = merging.merge(readable(base), ours, merging.read(new))
    same = result["cells"] == ours["cells"]
    return None if same else (merging.write(result), kept)


def readable(base: bytes | None) -> merging.Notebook:
    """Read what a copy was made from; where it is lost, nothing is known to be ours."""
    try:
        return merging.read(base or b"")
    except ValueError:
        return {"cells": []}


def note_base(place: Place, name: Path, changed: bool) -> None:
    """Remember what a copy now stands on: what git has, if that is new, or the file.

    A file of the course that was changed here, and brought nothing new, is not noted:
    it may hold the student's own answers, from before there was `work/`.
    """
    base, file = contents(place.base / name), contents(place.course / name)
    known = committed(place.course / name)
    if changed or known in (None, file):
        fresh = file if known in (None, base) else known
        if fresh != base:
            put(place.base / name, fresh)


def update(place: Place, name: Path) -> str:
    """Bring one copy up to date; say what was done, or nothing."""
    found = merged(place, name)
    if found is None:
        note_base(place, name, changed=False)
        return ""
    content, kept = found
    before, aside = contents(place.work / name), None
    if before != contents(place.base / name):
        aside = set_aside(place, name, before)
    put(place.work / name, content)
    note_base(place, name, changed=True)
    return told(place, name, kept, aside)


def told(place: Place, name: Path, kept: Counter, aside: Path | None) -> str:
    """Say what an update has done to a file."""
    words = [
        (one if kept[kind] == 1 else many).format(kept[kind])
        for kind, (one, many) in KEPT.items()
        if kept[kind]
    ]
    said = f"{place.shown(place.work / name)}: corrected"
    said += f"; kept: {', '.join(words)}" if words else ""
    return f"{said}. As it was: {place.shown(aside)}" if aside else f"{said}."


# --- commands -------------------------------------------------------------------------

Act = Callable[[Place, Path], object]


def each(place: Place, act: Act) -> tuple[list, list[str]]:
    """Do something for each file; give what came of it, and what failed in words."""
    came, failed = [], []
    for name in place.names():
        try:
            came.append(act(place, name))
        except WorkError as why:
            failed.append(str(why))
        except OSError as why:
            failed.append(refused(place.shown(place.work / name), why))
    return came, failed


def refused(what: str, why: OSError) -> str:
    """Say that the machine would not let us, and what to do."""
    where = f" ({why.filename})" if why.filename else ""
    return (
        f"{what} could not be written, and is as it was: {why.strerror}{where}. Make "
        "room, or see to it that you may write there, and call again."
    )


def say(*lines: str, to: TextIO | None = None) -> None:
    """Print each line once."""
    for line in dict.fromkeys(lines):
        print(line, file=to, flush=True)


def make_copies(place: Place) -> list[str]:
    """Make what is missing in work/; give a sentence for each failure."""
    try:
        prepare(place)
    except OSError as why:
        raise WorkError(refused(f"{place.work.name}/", why)) from why
    made, failed = each(place, copy)
    if count := sum(made):
        what = "1 file" if count == 1 else f"{count} files"
        say(f"{place.work.name}/: {what} copied from the course, yours to change.")
    return failed


def look(place: Place) -> list[str]:
    """Say how many corrections wait; give a sentence for each broken copy."""
    found, failed = each(place, merged)
    if count := sum(x is not None for x in found):
        what = "1 file was" if count == 1 else f"{count} files were"
        say(
            f"{what} corrected since you got your copy: `make update` (or `python -m "
            "tools.work update`) brings that in, and keeps what is yours."
        )
    return failed


def update_all(place: Place) -> list[str]:
    """Bring all copies up to date; give a sentence for each failure."""
    came, failed = each(place, update)
    if lines := list(filter(None, came)):
        say(
            *lines,
            "Is one of them open? In JupyterLab: File, Reload Notebook from Disk.",
        )
    elif not failed:
        say("All copies are up to date.")
    return failed


def lab(folder: Path, arguments: list[str]) -> int:
    """Open JupyterLab in a folder.

    Two threads that share two cores with a browser wait for each other: one is faster.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    paths = (os.environ.get("JUPYTER_CONFIG_PATH"), str(SETTINGS))
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    try:
        from jupyterlab.labapp import main as start
    except ModuleNotFoundError as why:
        raise WorkError(
            f"{sys.executable} has no {why.name}. Call the Python of the course: "
            "`make lab`, or .venv/bin/python (.venv\\Scripts\\python on Windows)."
        ) from why
    os.chdir(folder)
    return start(arguments) or 0


def run(place: Place, command: str, arguments: list[str]) -> int:
    """Do what a command says; its exit code."""
    if command == "lab-course":
        return lab(place.course, arguments)
    failed = make_copies(place)
    if command == "update":
        failed += update_all(place)
    if command == "lab":
        failed += look(place)
    say(*failed, to=sys.stderr)
    return lab(place.work, arguments) if command == "lab" else int(bool(failed))


def main(arguments: list[str] | None = None, place: Place | None = None) -> int:
    """Read the command line; what follows `lab` goes to JupyterLab as it is."""
    command, *rest = arguments or ["copies"]
    if command not in ("copies", "lab", "lab-course", "update"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return run(place or Place(), command, rest)
    except WorkError as why:
        print(why, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
