"""Run a notebook in a fresh kernel, and clean what it leaves: the one way to do it.

What stores outputs (`tools/store_outputs.py`) and what compares them
(`tests/notebooks/nbval_numeric.py`) both call `run` and `clean`, so whatever is stored
is what a comparison finds: a history (`_`, `Out[1]`), cleared outputs and updated
displays in their last state, what child processes print. The kernel is this very
Python, and its surroundings are the same whoever starts it.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import ascii_lowercase
from typing import BinaryIO

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
STARTUP = ROOT / "tools" / "kernel_startup.py"
TIMEOUT = 600  # seconds that one cell may take
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
KEPT_CELL_METADATA = ("tags", "slideshow")
# On the site these tags hide the code of a cell; this is how JupyterLab is told to.
HIDES_CODE, HIDDEN = {"hide-input", "hide-cell"}, {"source_hidden": True}
WIDGETS = "application/vnd.jupyter.widget-view+json"
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


class NotebookError(Exception):
    """A notebook could not be run to its end; the message says where and why."""

    def __init__(self, message: str, cell: int | None = None) -> None:
        super().__init__(message)
        self.cell = cell or 0  # where the run ended, counted from 0


# --- reading --------------------------------------------------------------------------


def free(name: str, endings: str | tuple[str, ...], taken: set[str]) -> str:
    """Give a name, with an ending, that nobody has, and take it."""
    while not (found := [name + end for end in endings if name + end not in taken]):
        name += endings[-1]
    taken.add(found[0])
    return found[0]


def name_cells(notebook: dict, prefix: str) -> None:
    """Give each cell a stable id that begins with the notebook's number.

    One without an id is named by its place. One with an id from elsewhere (editors draw
    them at random) is named after the last cell that has its own: 03-012, 03-012b.
    """
    cells, last = notebook["cells"], f"{prefix}-000"
    taken = {cell.get("id") for cell in cells}
    for number, cell in enumerate(cells, start=1):
        if "id" not in cell:
            cell["id"] = free(f"{prefix}-{number:03d}", ("", "x"), taken)
        elif prefix.isdigit() and not cell["id"].startswith(f"{prefix}-"):
            cell["id"] = free(last, ascii_lowercase[1:], taken)
            continue
        last = cell["id"]


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook in the newest format, every cell with an id."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw.get("nbformat") != 4:
        raise NotebookError(f"{path.name}: expected notebook format 4")
    name_cells(raw, path.stem.split("_")[0])
    raw["nbformat_minor"] = 5
    return nbformat.reads(json.dumps(raw), as_version=4)


# --- running --------------------------------------------------------------------------


class ThisPython(KernelSpecManager):
    """Know one kernel: the Python that runs this, whatever the machine has besides."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Give that kernel under any name."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


# What pytest and a person's own settings would change in an output. (Under pytest,
# ipykernel does not catch what child processes print.)
PERSONAL = re.compile(
    r"PYTEST_.*|COLUMNS|LINES|.*_COLORS?|CLICOLOR.*|IPYKERNEL_.*|MPLBACKEND"
    r"|PYTHONSTARTUP|PYTHONWARNINGS|PYTHONINSPECT"
)


def surroundings(profile: Path) -> dict[str, str]:
    """Give the environment of the kernel: the same, whoever starts it."""
    kept = {k: v for k, v in os.environ.items() if not PERSONAL.fullmatch(k)}
    return {**kept, "IPYTHONDIR": str(profile)}


@contextmanager
def fresh_profile() -> Iterator[Path]:
    """Give IPython a profile that is nobody's, with our start-up file in it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        startup = Path(folder) / "profile_default" / "startup"
        startup.mkdir(parents=True)
        shutil.copy(STARTUP, startup)
        yield Path(folder)


class Watch:
    """Remember which cell is the last that began, and how long each took."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}
        self.cell: int | None = None
        self._started = 0.0

    def start(self, cell: dict, cell_index: int) -> None:
        """Begin with a cell (a hook of nbclient)."""
        self.cell, self._started = cell_index, time.perf_counter()

    def stop(self, cell: dict, cell_index: int, execute_reply: dict) -> None:
        """End with a cell (a hook of nbclient)."""
        self.seconds[cell_index] = time.perf_counter() - self._started

    def slowest(self) -> str:
        """Name the cell that took longest."""
        if not self.seconds:
            return "none"
        index = max(self.seconds, key=self.seconds.__getitem__)
        return f"cell {index} ({self.seconds[index]:.1f} s)"


def forget_outputs(notebook: nbformat.NotebookNode) -> None:
    """Empty all code cells, so that nothing old can survive."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def last_words(log: BinaryIO) -> str:
    """Give the last line that the kernel itself left behind, or nothing."""
    log.seek(0)
    lines = log.read().decode(errors="replace").replace("\0", "").strip().splitlines()
    return f" ({lines[-1].strip()})" if lines else ""


def failure(
    notebook: nbformat.NotebookNode, at: int | None, why: Exception, last: str
) -> str:
    """Tell the source of the cell that failed, and why it did."""
    said = (ANSI.sub("", str(why)).strip() or type(why).__name__).splitlines()[0]
    if at is None:
        return f"the kernel did not start: {said}{last}"
    cell = notebook.cells[at]
    if isinstance(why, DeadKernelError):
        said += last
    for output in cell.outputs:
        if output.output_type == "error":
            said = f"{output.ename}: {output.evalue}"
    return f"cell {at} ({cell.id}) failed:\n{cell.source}\n-> {said}"


def run(notebook: nbformat.NotebookNode, folder: Path, go_on: bool = False) -> Watch:
    """Execute all cells in a fresh kernel; raise NotebookError where one fails.

    With `go_on` a cell that raises keeps its error, and the next ones run; a kernel
    that dies and a cell without an end still stop the notebook.
    """
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    watch = Watch()
    forget_outputs(notebook)
    client = NotebookClient(
        notebook,
        AsyncKernelManager(kernel_spec_manager=ThisPython()),
        timeout=TIMEOUT,
        iopub_timeout=60,
        raise_on_iopub_timeout=True,  # otherwise outputs would be lost in silence
        allow_errors=go_on,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        on_cell_execute=watch.start,
        on_cell_executed=watch.stop,
    )
    with fresh_profile() as profile, (profile / "kernel.log").open("w+b") as log:
        try:
            client.execute(
                cleanup_kc=True, env=surroundings(profile), stdout=log, stderr=log
            )
        except (RuntimeError, CellControlSignal) as why:
            said = failure(notebook, watch.cell, why, last_words(log))
            raise NotebookError(said, watch.cell) from why
        finally:  # without a kernel, nbclient would complain as Python ends
            atexit.unregister(client._cleanup_kernel)
    return watch


# --- cleaning -------------------------------------------------------------------------


def settle(text: str) -> str:
    """Keep of each line what is seen after its carriage returns and backspaces."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text, before = "\n".join(lines), ""
    while text != before:
        text, before = re.sub(r"[^\n\x08]\x08", "", text), text
    return text


def join_streams(outputs: list) -> list:
    """Join all pieces of stdout, and of stderr, and let progress bars settle.

    Which of the two comes first is a race. Side by side, stdout does. What another
    process prints races with the value of a cell, too: the value comes last.
    """
    joined: list = []
    outputs = sorted(outputs, key=lambda o: o.output_type == "execute_result")
    streams: dict[str, dict] = {}
    for output in outputs:
        first = streams.get(output.get("name"))
        if output.output_type == "stream" and first:
            first.text += output.text
            continue
        if output.output_type == "stream":
            streams[output.name] = output
        joined.append(output)
    for output in streams.values():
        output.text = settle(output.text)
    for k, pair in enumerate(zip(joined, joined[1:], strict=False)):
        if [output.get("name") for output in pair] == ["stderr", "stdout"]:
            joined[k : k + 2] = reversed(pair)
    return [o for o in joined if o.output_type != "stream" or o.text.strip()]


def machine_paths() -> list[str]:
    """Give the folders of this machine that may stand in an output, deepest first."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders |= {sysconfig.get_path("stdlib"), str(ROOT), str(Path.cwd())}
    home = str(Path.home())
    short = {f"~{f[len(home) :]}" for f in folders if f.startswith(home + os.sep)}
    return sorted(folders | short, key=len, reverse=True)


def temporary() -> re.Pattern:
    """Match temporary folders, as deep as they go, and names that are drawn by lot.

    A cell is a file in there, too: its warnings come from ipykernel_12/345.py:1.
    """
    root = tempfile.gettempdir()
    roots = "|".join(re.escape(r) for r in sorted({root, os.path.realpath(root)}))
    before = r"(?<![\w+/=.\\-])"  # not within a longer path or a picture's letters
    folders = r"(?:[^\s/\\:\"'<>]+[/\\])*"
    cell, lot = r"(?P<cell>ipykernel_\d+[/\\]\d+\.py)", r"(?P<tmp>tmp[a-z0-9_]{8}\b)"
    return re.compile(rf"{before}(?:{roots})[/\\](?:{cell}|{folders}{lot}?)")


def hide_paths(text: str) -> str:
    """Cut the folders of this machine off the paths in a text."""
    for folder in machine_paths():
        text = text.replace(folder + os.sep, "")
    return temporary().sub(lambda found: found.lastgroup or "", text)


def clean_output(output: dict, count: int) -> None:
    """Set the count; keep no widget views and no paths of this machine."""
    if output.output_type == "execute_result":
        output.execution_count = count
    for name in ("text", "evalue"):
        if name in output:
            output[name] = hide_paths(output[name])
    if output.output_type == "error":
        output.traceback = [hide_paths(line) for line in output.traceback]
    for mime in list(output.get("data", {})):
        if mime == WIDGETS:
            del output.data[mime]
        elif mime.startswith("text/"):
            output.data[mime] = hide_paths(output.data[mime])


def clean_cell(cell: dict, count: int) -> None:
    """Keep what a reader needs of a cell; number it if it holds code."""
    kept = [key for key in KEPT_CELL_METADATA if key in cell.metadata]
    cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in kept})
    if HIDES_CODE & set(cell.metadata.get("tags", [])):
        cell.metadata["jupyter"] = nbformat.from_dict(HIDDEN)
    if cell.cell_type == "code":
        cell.execution_count = count
        cell.outputs = join_streams(cell.outputs)
        for output in cell.outputs:
            clean_output(output, count)


def clean(notebook: nbformat.NotebookNode) -> None:
    """Reduce a fresh run to what is stored."""
    count = 0
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.strip():
            count += 1
        clean_cell(cell, count)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
