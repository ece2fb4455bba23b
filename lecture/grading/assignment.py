"""From a notebook of the course to an assignment, and from submissions to marks."""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
import shutil
import sys
import warnings
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from traitlets.config import PyFileConfigLoader

from tools import store_outputs
from tools.exercise_cells import asked
from tools.notebooks import FOLDER, ROOT, read

from .execute import NOTED, grade_id

CONFIG = ROOT / "lecture" / "nbgrader_config.py"
POINTS = 1
STUDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]*")
# nbgrader's own, about how it keeps its gradebook.
warnings.filterwarnings("ignore", "Object of type <Submitted")
FETCHED = re.compile(
    r"<script[^>]*\bsrc=[^>]*>\s*</script>|<link[^>]*\bhref=.http[^>]*>"
)
STUB = re.compile(r"\s*# Exercise (\d\d\.\d+)\b")


class Course:
    """The folder of a course for nbgrader: source, release, submitted, graded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        shutil.copy(CONFIG, self.folder)
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

        Raises ValueError where nbgrader refuses.
        """
        source = self.folder / "source" / path.stem
        source.mkdir(parents=True, exist_ok=True)
        nbformat.write(with_cells_marked(path), source / path.name)
        told(self.api.generate_assignment(path.stem, force=True))
        return self.folder / "release" / path.stem / path.name

    # --- collecting

    def collect(self, folder: Path, name: str) -> dict[str, str]:
        """Take submissions in; give what is wrong with those that cannot be graded.

        In the folder lie `STUDENT.ipynb`, or `STUDENT/anything.ipynb`.
        """
        released = read_released(self.folder / "release" / name / f"{name}.ipynb")
        self.config.ExecuteInRoom.hidden = [str(folder.resolve())]
        refused = {}
        for student, path in submissions(folder, name):
            target = self.folder / "submitted" / student / name
            target.mkdir(parents=True, exist_ok=True)
            try:
                notebook = mended(path, released)
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as why:
                refused[student] = f"cannot be opened: {type(why).__name__}"
                notebook = blank(released, refused[student])
            nbformat.write(notebook, target / f"{name}.ipynb")
        return refused

    # --- grading

    def grade(self, name: str) -> list[str]:
        """Grade all that was handed in; give the students that nbgrader gave up on."""
        lost = []
        noted = self.folder / NOTED
        students = sorted(p.parent.name for p in self.submitted(name))
        forget(noted, name[:2], students)
        for student in students:
            if not self.api.autograde(name, student, force=True)["success"]:
                lost.append(student)
        told(self.api.generate_feedback(name, force=True))
        for page in (self.folder / "feedback").glob(f"*/{name}/*.html"):
            ask_nothing_of_the_web(page)
        return lost

    def submitted(self, name: str) -> list[Path]:
        """The folders of all submissions."""
        return sorted((self.folder / "submitted").glob(f"*/{name}"))

    def table(self, name: str, refused: dict[str, str], lost: list[str]) -> Path:
        """Write a line for each student: points, and the mistakes by name."""
        lines = noted_lines(self.folder / NOTED, name[:2])
        numbers = list(dict.fromkeys(line["number"] for line in lines))
        path = self.folder / f"grades-{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            head = ["student", "score", "of", *numbers, "mistakes", "remarks"]
            writer.writerow(head)
            with Gradebook(self.coursedir.db_url) as book:
                for submission in sorted(
                    book.assignment_submissions(name), key=lambda s: s.student_id
                ):
                    own = [x for x in lines if x["student"] == submission.student_id]
                    by_number = {x["number"]: x for x in own}
                    student = submission.student_id
                    remarks = [refused.get(student, "")]
                    remarks += ["not graded, see the log"] * (student in lost)
                    remarks += [
                        f"look at {x['number']}"
                        for x in own
                        if x["look"] and x["points"]
                    ]
                    writer.writerow(
                        [
                            *(student, submission.score, submission.max_score),
                            *(by_number.get(n, {}).get("points", 0) for n in numbers),
                            "; ".join(mistakes_of(own)),
                            "; ".join(filter(None, remarks)),
                        ]
                    )
        return path

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


def noted_lines(path: Path, notebook: str) -> list[dict]:
    """The verdicts of one notebook."""
    if not path.exists():
        return []
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
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


# --- the version for students ---------------------------------------------------------


def with_cells_marked(path: Path) -> nbformat.NotebookNode:
    """The notebook, its stubs marked as answers and its checks as tests with points."""
    notebook = store_outputs.read(path)
    cells = {cell.id: cell for cell in notebook.cells}
    for one in asked(read(path)):
        answer, test = cells[one.stub.cell_id], cells[one.check.cell_id]
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


# --- what comes back ------------------------------------------------------------------


def submissions(folder: Path, name: str) -> list[tuple[str, Path]]:
    """The students and their notebooks in a folder; ValueError for a strange name."""
    found = {path.stem: path for path in folder.glob("*.ipynb")}
    for inner in sorted(p for p in folder.iterdir() if p.is_dir()):
        own = sorted(inner.rglob(f"{name}.ipynb")) or sorted(inner.glob("*.ipynb"))
        if own:
            found[inner.name] = own[0]
    if not found:
        raise ValueError(f"no notebook in {folder}")
    strange = [student for student in found if not STUDENT.fullmatch(student)]
    if strange:
        raise ValueError(f"name files or folders after the student, not {strange}")
    return sorted(found.items())


def read_released(path: Path) -> nbformat.NotebookNode:
    """The version that was given out; ValueError if there is none."""
    if not path.exists():
        raise ValueError(f"{path.stem} was not given out yet: make assignment first")
    return nbformat.read(path, as_version=4)


def mended(path: Path, released: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A submission with all cells that count, marked as they were given out.

    Other editors drop the marks, and students delete cells. An answer is known by its
    first line, `# Exercise 06.1`; a check that is gone or changed comes back.
    """
    if path.is_symlink() or path.stat().st_size > 50_000_000:
        raise ValueError("no notebook")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
        cell.metadata.pop("deletable", None)
    cells = [c for c in notebook.cells if not looks_like_check(c)]
    counted = [c for c in released.cells if "nbgrader" in c.metadata]
    for answer, check in zip(counted[::2], counted[1::2], strict=True):
        number = STUB.match(answer.source).group(1)
        at = [k for k, c in enumerate(cells) if own_number(c) == number]
        if at:
            cells[at[-1]].metadata["nbgrader"] = dict(answer.metadata["nbgrader"])
            cells[at[-1]].cell_type = "code"
            cells.insert(at[-1] + 1, nbformat.from_dict(check))
        else:
            note = f"# Exercise {number}\n# (the cell was missing)"
            empty = nbformat.v4.new_code_cell(note)
            empty.metadata["nbgrader"] = dict(answer.metadata["nbgrader"])
            cells += [empty, nbformat.from_dict(check)]
    notebook.cells = cells
    rename(notebook)
    return notebook


def own_number(cell: nbformat.NotebookNode) -> str:
    """The exercise that a cell answers, or nothing."""
    found = STUB.match(cell.source) if cell.cell_type == "code" else None
    return found.group(1) if found else ""


def looks_like_check(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell stands where a check was given out: it comes back as it was."""
    tags = cell.metadata.get("tags", [])
    asks = cell.cell_type == "code" and cell.source.lstrip().startswith("check(")
    return asks or ("stub" not in tags and any(t.startswith("exercise-") for t in tags))


def rename(notebook: nbformat.NotebookNode) -> None:
    """Give every cell an id of its own."""
    for k, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{k:04d}"
    notebook.nbformat_minor = 5


def blank(released: nbformat.NotebookNode, says: str) -> nbformat.NotebookNode:
    """What is graded in place of a file that cannot be opened."""
    notebook = nbformat.from_dict(released)
    note = nbformat.v4.new_markdown_cell(f"The file that was handed in {says}.")
    counted = [c for c in notebook.cells if "nbgrader" in c.metadata]
    notebook.cells = [note, *counted]
    return notebook


def notebooks(prefix: str) -> list[Path]:
    """The notebooks of the course that begin so, and have exercises."""
    return [p for p in sorted(FOLDER.glob(f"{prefix}*.ipynb")) if asked(read(p))]
