"""Run a submission in a room of its own, and put the verdicts into its check cells.

nbgrader takes this in place of its own `Execute` (see `nbgrader_config.py`).
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.preprocessors import Execute
from traitlets import Integer, List, Unicode

from course_exercises.judge.answer import Answer
from course_exercises.library import find
from tools.exercise_cells import CHECK

from . import sandbox
from .judge import WIRE, better, can_be_asked, judge, judge_within_reach, stopped

NOTED = "verdicts.jsonl"
DEAD = "The notebook ended Python, or was ended: too much memory, or `exit`."
DEAF = "This cell does not end, and cannot be stopped: nothing below was run."
PRINT = "__import__('builtins').print"
SAID = re.compile(r"<<([A-Za-z0-9+/=]*)>>")
REACH = (
    "Judged beside the student's code, with the inputs of the course: look at the code."
)

LATE = "Judged when all cells had run: it did not pass at its place."


def grade_id(kind: str, number: str) -> str:
    """The name of a cell in the gradebook."""
    return f"{kind}-{number.replace('.', '-')}"


class InRoom(AsyncKernelManager):
    """Start the kernel of a room."""

    room: sandbox.Room

    def __init__(self, **kwargs: Any) -> None:
        wires = self.room.folder / "wire"
        kwargs |= {"transport": "ipc", "ip": str(wires / "k")}
        super().__init__(connection_file=str(self.room.connection), **kwargs)

    def format_kernel_cmd(self, extra_arguments: list | None = None) -> list[str]:
        """Give the command that starts the kernel."""
        return self.room.command()


class ExecuteInRoom(Execute):
    """Run all cells in a room; judge the check cells from outside."""

    seconds = Integer(900, help="for one whole submission").tag(config=True)
    cell_seconds = Integer(120, help="for one cell").tag(config=True)
    seed = Integer(0, help="of the hidden inputs").tag(config=True)
    course = Unicode("", help="the course folder, which is hidden").tag(config=True)
    hidden = List(help="more folders to hide").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple:
        """Run a submission; never fail because of what is in it."""
        room = sandbox.make([Path(p) for p in (self.course, *self.hidden) if p])
        self.ends = time.monotonic() + self.seconds
        self.dead, self.first, self.later = "", {}, []
        self.student = resources["nbgrader"]["student"]
        resources.setdefault("metadata", {})["path"] = str(room.folder)
        self.kernel_manager_class = type("InThisRoom", (InRoom,), {"room": room})
        try:
            super().preprocess(nb, resources)
        except (DeadKernelError, CellTimeoutError):
            self.dead = self.dead or DEAD
        finally:
            room.remove()
        for index, cell in enumerate(nb.cells):
            if is_check(cell) and not cell.outputs:
                asked = self.exercise(cell)
                self.write(cell, asked, self.first.get(index, stopped(asked[0])))
        return nb, resources

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple:
        """Run a cell, or judge what stands above it."""
        if cell.cell_type == "code":
            cell.outputs = []
        if is_check(cell):
            self.judge(cell, index)
        elif self.dead or time.monotonic() > self.ends:
            self.dead = self.dead or f"Stopped: {self.seconds} s are over."
        else:
            try:
                self.timeout = self.patience()
                super().preprocess_cell(cell, resources, index)
            except (DeadKernelError, CellTimeoutError) as why:
                self.dead = DEAF if isinstance(why, CellTimeoutError) else DEAD
                cell.outputs.append(error(self.dead))
        if index == len(self.nb.cells) - 1:
            self.judge_the_rest()
        return cell, resources

    def patience(self) -> int:
        """The seconds that a cell may take, at most what is left for all."""
        return max(1, min(self.cell_seconds, int(self.ends - time.monotonic())))

    # --- judging

    def exercise(self, cell: Any) -> tuple:
        """The exercise that a check cell asks, and the name of its answer."""
        number, name = CHECK.search(cell.source).groups()
        return find(number), name

    def judge(self, cell: Any, index: int) -> None:
        """Judge from outside, at the place; put off what does not pass there."""
        exercise, name = self.exercise(cell)
        if not can_be_asked(exercise):
            if not self.dead:
                self.timeout = self.patience()
                self.ask(f"keep(globals(), {name!r})", index)
                self.later.append((cell, index))
            return
        said = self.said(judge, index, exercise, name, self.seed)
        if said.passed:
            self.write(cell, (exercise, name), said)
        else:
            self.first[index] = said

    def judge_the_rest(self) -> None:
        """Judge once more, now that all cells have run; let solutions in only then."""
        for index, first in self.first.items():
            cell = self.nb.cells[index]
            asked = self.exercise(cell)
            again = self.said(judge, index, *asked, self.seed)
            said = better(first, again, *asked)
            self.write(cell, asked, said, *[LATE] * said.passed)
        for cell, index in self.later:
            self.judge_within_reach(cell, index)

    def judge_within_reach(self, cell: Any, index: int) -> None:
        """Judge inside the room: what stood at the place, then what stands now."""
        asked = self.exercise(cell)
        self.kernel_manager_class.room.let_in(asked[0].notebook)
        first = self.said(judge_within_reach, index, *asked, f"{WIRE}.KEPT")
        said = first
        if not first.passed:
            again = self.said(judge_within_reach, index, *asked)
            said = better(first, again, *asked)
        late = [LATE] * (said.passed and not first.passed)
        self.write(cell, asked, said, REACH, *late)

    def said(
        self, how: Any, index: int, exercise: Any, name: str, *more: Any
    ) -> Answer:
        """What the judge says, or that there was nobody to ask."""
        if self.dead or time.monotonic() > self.ends:
            return stopped(exercise)
        self.timeout = min(self.patience(), int(exercise.seconds) + 20)
        return how(exercise, name, lambda text: self.ask(text, index), *more)

    def ask(self, text: str, index: int) -> Any:
        """Run an expression of wire.py in the kernel; give the text it gives."""
        outputs = self.run_aside(f"{PRINT}('<<' + {WIRE}.{text} + '>>')", index)
        said = "".join(o.text for o in outputs if o.output_type == "stream")
        found = SAID.search(said)
        return found.group(1) if found else None

    def run_aside(self, source: str, index: int) -> list:
        """Run a cell that is not part of the notebook; give its outputs."""
        cell, kept = nbformat.v4.new_code_cell(source), self.nb.cells[index]
        try:
            self.execute_cell(cell, index, store_history=False)
        except (DeadKernelError, CellTimeoutError):
            self.dead = DEAD
        finally:
            self.nb.cells[index] = kept
        return cell.outputs

    # --- writing

    def write(self, cell: Any, asked: tuple, said: Answer, *notes: str) -> None:
        """Put the answer and its points below a check; note both for the table."""
        points = float(cell.metadata.nbgrader.points) if said.passed else 0.0
        text, rich = repr(said), said._repr_html_()
        for note in notes:
            text, rich = f"{text}\n{note}", f"{rich}<div>{note}</div>"
        data = {"text/plain": text, "text/html": rich}
        cell.outputs = [
            nbformat.v4.new_output("display_data", data),
            nbformat.v4.new_output("execute_result", {"text/plain": str(points)}),
        ]
        line = {
            "student": self.student,
            "number": asked[0].number,
            "points": points,
            "status": said.status,
            "mistakes": said.mistakes,
            "look": REACH in notes,
            "late": LATE in notes,
        }
        if self.course:
            with (Path(self.course) / NOTED).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def is_check(cell: Any) -> bool:
    """Whether a cell is a check whose points count."""
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def error(says: str) -> Any:
    """An error as the output of a cell."""
    return nbformat.v4.new_output(
        "error", ename="Stopped", evalue=says, traceback=[says]
    )
