"""Make an assignment of a notebook; grade what comes back.

    make assignment NB=06                       # build/course/release/06_…
    make assignment NB=06 SUBMISSIONS=folder    # grades, and feedback for each student

`folder` holds `STUDENT.ipynb` or `STUDENT/….ipynb`, or what a learning platform packs.
`build/course` is then a course of nbgrader's: its gradebook, `grades-06_….csv` with the
mistakes by name, and `feedback/`. COURSE=… takes another folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import sandbox


def folder(name: str) -> Path:
    """Give a folder by its name; `~` is home, also where no shell has said so."""
    return Path(name).expanduser()


def main(arguments: list[str] | None = None) -> int:
    """Make or grade an assignment; 1 if something could not be graded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", help="such as 06")
    parser.add_argument("submissions", nargs="?", type=folder)
    parser.add_argument("--course", type=folder, default="build/course")
    asked = parser.parse_args(arguments)
    try:
        from .assignment import Course, notebooks
    except ModuleNotFoundError as why:
        print(f"{why.name} is missing: it is part of .venv-lecture", file=sys.stderr)
        return 1
    paths = notebooks(asked.notebook)
    if len(paths) != 1:
        print(f"NB={asked.notebook}: not one notebook with exercises", file=sys.stderr)
        return 1
    try:
        return run(Course(asked.course), paths[0], asked.submissions)
    except ValueError as why:
        print(why, file=sys.stderr)
        return 1


def run(course, path: Path, folder: Path | None) -> int:
    """Release, or collect and grade."""
    from .collecting import is_nobodys, readable

    name = path.stem
    if folder is None:
        print(f"To give out: {course.release(path)}")
        return 0
    if problem := sandbox.missing():
        raise ValueError(problem)
    if not folder.is_dir():
        packed = ": unpack it first, and name the folder" * folder.is_file()
        raise ValueError(f"{folder} is no folder with submissions{packed}")
    remarks = course.collect(folder, name)
    lost = course.grade(name)
    print(course.table(name, remarks, lost).read_text("utf-8"), end="")
    if left := [p.name for p in sorted(folder.iterdir()) if is_nobodys(p.name)]:
        print(f"Nobody's, and not looked at: {', '.join(map(readable, left))}")
    print(f"nbgrader's own table: {course.export()}")
    print(f"Feedback: {course.folder / 'feedback'}")
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
