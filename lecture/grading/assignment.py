"""From a notebook of the course to an assignment, and from submissions to marks."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import secrets
import shutil
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import PyFileConfigLoader

from tools import store_outputs
from tools.exercise_cells import asked
from tools.notebooks import ROOT, chosen, read

from .collecting import Handed, handed_in, lacking
from .execute import NOTED, grade_id
from .mending import blank, mended, opened, wanted

CONFIG = ROOT / "lecture" / "nbgrader_config.py"
POINTS = 1
# nbgrader's own, about how it keeps its gradebook.
warnings.filterwarnings("ignore", "Object of type <Submitted")
FETCHED = re.compile(
    r"<script[^>]*\bsrc=[^>]*>\s*</script>|<link[^>]*\bhref=.http[^>]*>"
)
OPEN = re.compile(r"raise NotImplementedError|=\s*\.\.\.")  # what a stub says
MARK = "mended"  # in the metadata of what we wrote


class Course:
    """The folder of a course for nbgrader: source, release, submitted, graded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        if set("*?[]") & set(str(self.folder)):
            raise ValueError(
                f"{self.folder} cannot be a course: expected a path without * ? [ ], "
                f"which nbgrader takes for patterns; take another with COURSE=…"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        shutil.copy(CONFIG, self.folder)
        self.taken: set[str] = set()  # who is in the folder that was collected
        use_own_commands()
        self._draw_seed()
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            self.config = PyFileConfigLoader(
                CONFIG.name, str(self.folder)
            ).load_config()
        finally:
            os.chdir(before)
        self.coursedir = CourseDirectory(config=self.config)
        self.api = NbGraderAPI(self.coursedir, config=self.config)

    def _draw_seed(self) -> None:
        """Draw the seed of the hidden inputs, once for this course."""
        seed = self.folder / "seed.txt"
        if not seed.exists():
            seed.write_text(f"{secrets.randbits(62)}\n", encoding="utf-8")
            seed.chmod(0o600)

    # --- giving out

    def release(self, path: Path) -> Path:
        """Make the version for students of a notebook; give where it is.

        Raises ValueError where nbgrader refuses, or a stub holds an answer.
        """
        source = self.folder / "source" / path.stem
        source.mkdir(parents=True, exist_ok=True)
        nbformat.write(with_cells_marked(path), source / path.name)
        told(self.api.generate_assignment(path.stem, force=True))
        return self.folder / "release" / path.stem / path.name

    # --- collecting

    def collect(self, folder: Path, name: str) -> dict[str, str]:
        """Take submissions in; give a remark on each that asks for one.

        In the folder lie `STUDENT.ipynb`, or `STUDENT/anything.ipynb`. Raises
        ValueError where there is nothing.
        """
        released = read_released(self.folder / "release" / name / f"{name}.ipynb")
        if folder.resolve() == self.folder:
            raise ValueError(f"{folder} is the course; what came back lies elsewhere")
        self.config.ExecuteInRoom.hidden = [str(folder.resolve())]
        remarks, self.taken = {}, set()
        for one in handed_in(self.kept(folder, name), released, name):
            if not one.is_stray:
                one.remarks += self.take(one, released, name)
                self.taken.add(one.student)
            remarks[one.student] = "; ".join(one.remarks)
        return {student: said for student, said in remarks.items() if said}

    def kept(self, folder: Path, name: str) -> Path:
        """Where to read from: what nbgrader collected is kept, for we write over it."""
        own, kept = self.folder / "submitted", self.folder / "handed_in" / name
        if folder.resolve() != own:
            return folder
        for path in self.submitted(name):
            if not is_mended(path / f"{name}.ipynb"):
                target = kept / path.parent.name
                shutil.rmtree(target, ignore_errors=True)
                with suppress(OSError):  # what cannot be read is told when graded
                    shutil.copytree(path, target, symlinks=True)
        kept.mkdir(parents=True, exist_ok=True)
        return kept

    def take(self, one: Handed, released: NotebookNode, name: str) -> list[str]:
        """Put a submission where nbgrader looks for it; give remarks."""
        remarks = []
        try:
            if one.path is None:
                raise ValueError("; ".join(one.remarks))
            notebook = mended(one.path, released)
            remarks = lacking(opened(one.path), wanted(released))
        except ValueError as why:
            remarks = [str(why)] if one.path else []
            notebook = blank(released, f"Not graded: {html.escape(str(why))}.")
        notebook.metadata[MARK] = True
        target = self.folder / "submitted" / one.student / name / f"{name}.ipynb"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # it may be a link
            nbformat.write(notebook, target)
        except OSError as why:
            remarks.append(f"cannot be put into the course ({type(why).__name__})")
        return remarks

    # --- grading

    def grade(self, name: str) -> dict[str, str]:
        """Grade all that was handed in; say whom nbgrader gave up on."""
        lost, log = {}, self.folder / f"log-{name}.txt"
        students = [path.parent.name for path in self.submitted(name)]
        forget(self.folder / NOTED, name[:2], students)
        log.unlink(missing_ok=True)
        for student in students:
            graded = self.api.autograde(name, student, force=True)
            paged = self.api.generate_feedback(name, student, force=True)
            for step, result in (("not graded", graded), ("no feedback", paged)):
                if not result["success"] and student not in lost:
                    lost[student] = f"{step}, see {log.name}"
                    note_failure(log, student, result)
            for page in (self.folder / "feedback" / student / name).glob("*.html"):
                ask_nothing_of_the_web(page)
        return lost

    def submitted(self, name: str) -> list[Path]:
        """The folders of all submissions."""
        return sorted((self.folder / "submitted").glob(f"*/{name}"))

    def table(self, name: str, remarks: dict[str, str], lost: dict[str, str]) -> Path:
        """Write a line for each student: points, and the mistakes by name."""
        released = read_released(self.folder / "release" / name / f"{name}.ipynb")
        numbers = [one.number for one in wanted(released)]
        points = self.points(name) | {student: ("", "") for student in lost}
        nothing = 0.0, float(POINTS * len(numbers))
        lines = noted_lines(self.folder / NOTED, name[:2])
        path = self.folder / f"grades-{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            head = ["student", "score", "of", *numbers, "mistakes", "remarks"]
            writer.writerow(head)
            for student in sorted({*points, *remarks}):
                own = [line for line in lines if line["student"] == student]
                by_number = {line["number"]: line["points"] for line in own}
                said = [remarks.get(student), lost.get(student), *remarks_on(own)]
                if student in points and student not in self.taken:
                    said.append("graded as collected before")
                writer.writerow(
                    [
                        *(student, *points.get(student, nothing)),
                        *(by_number.get(number, 0) for number in numbers),
                        "; ".join(mistakes_of(own)),
                        "; ".join(filter(None, said)),
                    ]
                )
        return path

    def points(self, name: str) -> dict[str, tuple]:
        """The points of each student in the gradebook, and the most there are."""
        with Gradebook(self.coursedir.db_url) as book:
            found = book.assignment_submissions(name)
            return {one.student_id: (one.score, one.max_score) for one in found}

    def export(self) -> Path:
        """Write nbgrader's own table of all assignments."""
        path = self.folder / "nbgrader.csv"
        with Gradebook(self.coursedir.db_url) as book:
            plugin = CsvExportPlugin(config=self.config)
            plugin.to = str(path)
            plugin.export(book)
        return path


def use_own_commands() -> None:
    """Let nbgrader find the commands of its own environment, such as alembic."""
    own = str(Path(sys.executable).parent)
    if own not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([own, os.environ["PATH"]])


def told(result: dict) -> None:
    """Raise ValueError with the last lines of the log where nbgrader failed."""
    if not result["success"]:
        raise ValueError(f"{result.get('log', '')}\n{result.get('error', '')}"[-3000:])


def ask_nothing_of_the_web(page: Path) -> None:
    """Take out what a page would fetch; its formulas then stay as they are typed."""
    text = page.read_text(encoding="utf-8")
    page.chmod(0o644)
    page.write_text(FETCHED.sub("", text), encoding="utf-8")


def note_failure(log: Path, student: str, result: dict) -> None:
    """Keep what nbgrader said where it gave up."""
    said = f"{result.get('log', '')}\n{result.get('error', '')}"
    with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"=== {student}\n{said}\n")


def is_mended(path: Path) -> bool:
    """Whether a submission is what we wrote ourselves, and not what was handed in."""
    try:
        return MARK in nbformat.read(path, nbformat.NO_CONVERT)["metadata"]
    except Exception:  # whatever a file may hold: then it is not ours
        return False


def noted_lines(path: Path, notebook: str) -> list[dict]:
    """The verdicts of one notebook; a line that was torn off says none."""
    lines = []
    for text in path.read_text("utf-8").splitlines() if path.exists() else []:
        with suppress(ValueError):
            lines.append(json.loads(text))
    return [line for line in lines if line["number"].startswith(notebook)]


def forget(path: Path, notebook: str, students: list[str]) -> None:
    """Drop the verdicts that are about to be made anew."""
    if not path.exists():
        return
    left = [
        x
        for x in noted_lines(path, "")
        if not (x["number"].startswith(notebook) and x["student"] in students)
    ]
    path.write_text("".join(json.dumps(x) + "\n" for x in left), encoding="utf-8")


def mistakes_of(lines: list[dict]) -> list[str]:
    """The mistakes of one student, each with its exercise."""
    said = []
    for line in lines:
        names = line["mistakes"] or (
            [] if line["status"] == "passed" else [line["status"]]
        )
        said += [f"{line['number']} {name}" for name in names]
    return said


def remarks_on(lines: list[dict]) -> list[str]:
    """What to look at in the verdicts of one student."""
    late = [
        f"{x['number']} passed only when all cells had run"
        for x in lines
        if x.get("late")
    ]
    look = [f"look at {x['number']}" for x in lines if x["look"] and x["points"]]
    return late + look


# --- the version for students ---------------------------------------------------------


def with_cells_marked(path: Path) -> NotebookNode:
    """The notebook, its stubs marked as answers and its checks as tests with points."""
    notebook = store_outputs.read(path)
    cells = {cell.id: cell for cell in notebook.cells}
    for one in asked(read(path)):
        answer, test = cells[one.stub.cell_id], cells[one.check.cell_id]
        if not OPEN.search(answer.source):
            raise ValueError(
                f"{path.name} cannot be given out: expected a stub in {one.number}, "
                f"found an answer; take it out first"
            )
        answer.metadata["nbgrader"] = marks("answer", one.number)
        test.metadata["nbgrader"] = marks("check", one.number)
    return notebook


def marks(kind: str, number: str) -> dict:
    """What nbgrader wants to know of a cell."""
    test = kind == "check"
    found = {
        "grade": test,
        "grade_id": grade_id(kind, number),
        "locked": test,
        "schema_version": 3,
        "solution": not test,
        "task": False,
        "cell_type": "code",
    }
    return found | ({"points": POINTS} if test else {})


def read_released(path: Path) -> NotebookNode:
    """The version that was given out; ValueError if there is none."""
    if not path.exists():
        raise ValueError(f"{path.stem} was not given out yet: make assignment first")
    return nbformat.read(path, as_version=4)


def notebooks(prefix: str) -> list[Path]:
    """The notebooks of the course that begin so, and have exercises."""
    return [path for path in chosen(prefix) if asked(read(path))]
