"""How long it takes until something happens: imports, a kernel, whole notebooks.

Each is a process of its own, so nothing is warm but the file system.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import Case, Entrant

ROOT = Path(__file__).resolve().parents[1]

PROBE = """
import time
import numpy
start = time.perf_counter()
import {modules}
print(time.perf_counter() - start)
"""


def modules() -> list[str]:
    """Give all modules and packages of course_utils."""
    names = (path.stem for path in (ROOT / "course_utils").iterdir())
    return sorted(f"course_utils.{name}" for name in names if name[0].isalpha())


def importing(name: str, modules: str) -> Entrant:
    """Seconds to import the modules after NumPy, in a fresh interpreter."""
    command = [sys.executable, "-c", PROBE.format(modules=modules)]

    def work() -> float:
        run = subprocess.run(
            command, cwd=ROOT, check=True, capture_output=True, text=True
        )
        return float(run.stdout)

    return Entrant(name, work, gauge=True)


FIRST = """
import time
import numpy
start = time.perf_counter()
from course_exercises import check
check("{number}", lambda *args: args[0], keep=False)
print(time.perf_counter() - start)
"""


def first_check(number: str) -> Entrant:
    """Seconds to import `check`, and for the first answer of a notebook."""
    command = [sys.executable, "-c", FIRST.format(number=number)]

    def work() -> float:
        run = subprocess.run(
            command, cwd=ROOT, check=True, capture_output=True, text=True
        )
        return float(run.stdout.split()[-1])

    return Entrant(f"ours: `check` and its first answer, {number}", work, gauge=True)


def imports_case(
    name: str, threads: int, quick: bool = False, only: tuple = ()
) -> Case:
    """All of course_utils, a first check, and what a notebook with torch waits for."""
    entrants = [importing("ours: all of course_utils", ", ".join(modules()))]
    entrants += [first_check(number) for number in ("01.1", "06.1")]
    if only != ("ours",):
        entrants.append(importing("import torch", "torch"))
    return Case(name, "importing after NumPy, in a fresh interpreter", entrants)


def kernel() -> Entrant:
    """Seconds from asking for a kernel to its first answer."""
    from jupyter_client.manager import start_new_kernel

    def work() -> float:
        start = time.perf_counter()
        manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
        seconds = time.perf_counter() - start
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        return seconds

    return Entrant("kernel ready", work, gauge=True)


def kernel_case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """What a reader waits for before the first cell runs."""
    return Case(name, "a notebook's kernel, from start to first answer", [kernel()])


def executing(path: Path) -> Entrant:
    """Wall time of a notebook, run from its first cell to its last."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)

    def work() -> None:
        place = {"metadata": {"path": str(path.parent)}}
        NotebookClient(notebook, timeout=600, resources=place).execute()

    return Entrant(path.stem, work)


def notebooks_case(
    name: str, threads: int, quick: bool = False, only: tuple = ()
) -> Case:
    """Every notebook; slow, so only where asked for, and in few rounds."""
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))[: 1 if quick else None]
    entrants = [executing(path) for path in paths]
    what = "each notebook from its first cell to its last"
    return Case(name, what, entrants, warm_up=0, rounds=1 if quick else 3)
