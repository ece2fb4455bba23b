"""Run notebooks from a fresh kernel and store their outputs, clean.

    python -m tools.store_outputs notebooks/03_tape_engine.ipynb

Each notebook runs in its own folder. A cell that fails stops the run and leaves the
stored notebook as it was, unless the cell is tagged `raises-exception`: then it has to
fail. What is stored is what a fresh run gives and nothing else: execution counts 1…n,
joined streams, settled progress bars, no timestamps, no versions, no machine's paths.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT = 600  # seconds that one cell may take
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
KEPT_CELL_METADATA = ("tags", "slideshow")
WIDGETS = "application/vnd.jupyter.widget-view+json"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class StoreError(Exception):
    """A notebook could not be run to its end; the message says where and why."""


# --- reading --------------------------------------------------------------------------


def name_cells(notebook: dict, prefix: str) -> None:
    """Give each cell without an id a stable one, made of the notebook's number."""
    taken = {cell.get("id") for cell in notebook["cells"]}
    for number, cell in enumerate(notebook["cells"], start=1):
        if "id" not in cell:
            wanted = f"{prefix}-{number:03d}"
            while wanted in taken:
                wanted += "x"
            taken.add(wanted)
            cell["id"] = wanted


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook in the newest format, every cell with an id."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw.get("nbformat") != 4:
        raise StoreError(f"{path.name}: expected notebook format 4")
    name_cells(raw, path.stem.split("_")[0])
    raw["nbformat_minor"] = 5
    return nbformat.reads(json.dumps(raw), as_version=4)


# --- running --------------------------------------------------------------------------


class Stopwatch:
    """Remember how long each cell took."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}
        self._started = 0.0

    def start(self, cell: dict, cell_index: int) -> None:
        """Begin with a cell (a hook of nbclient)."""
        self._started = time.perf_counter()

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


def failure(notebook: nbformat.NotebookNode, why: Exception) -> str:
    """Tell the source of the cell that failed, and the last line of its traceback."""
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            tags = cell.metadata.get("tags", [])
            if output.output_type == "error" and "raises-exception" not in tags:
                said = f"{output.ename}: {output.evalue}"
                return f"cell {index} ({cell.id}) failed:\n{cell.source}\n-> {said}"
    return ANSI.sub("", str(why).strip())


def run(notebook: nbformat.NotebookNode, folder: Path) -> Stopwatch:
    """Execute all cells in a fresh kernel; raise StoreError where one fails."""
    watch = Stopwatch()
    forget_outputs(notebook)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name=KERNEL["name"],
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        on_cell_execute=watch.start,
        on_cell_executed=watch.stop,
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as why:
        raise StoreError(failure(notebook, why)) from why
    return watch


def expect_errors(notebook: nbformat.NotebookNode) -> None:
    """Raise StoreError where a cell tagged raises-exception raised nothing."""
    for index, cell in enumerate(notebook.cells):
        kinds = {output.output_type for output in cell.get("outputs", [])}
        if "raises-exception" in cell.metadata.get("tags", []) and "error" not in kinds:
            raise StoreError(
                f"cell {index} ({cell.id}) is tagged raises-exception, "
                f"but nothing was raised:\n{cell.source}"
            )


# --- cleaning -------------------------------------------------------------------------


def settle(text: str) -> str:
    """Keep of each line what a terminal shows after its last carriage return."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(lines)


def join_streams(outputs: list) -> list:
    """Join all pieces of stdout, and of stderr, and let progress bars settle."""
    joined: list = []
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
    return [o for o in joined if o.output_type != "stream" or o.text.strip()]


def machine_paths() -> list[str]:
    """Give the folders of this machine that may stand in a traceback."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders |= {sysconfig.get_path("stdlib"), str(ROOT), str(Path.cwd())}
    home = str(Path.home())
    short = {f"~{f[len(home) :]}" for f in folders if f.startswith(home + os.sep)}
    return sorted(folders | short, key=len, reverse=True)


def hide_paths(text: str) -> str:
    """Cut the folders of this machine off the paths in a text."""
    for folder in machine_paths():
        text = text.replace(folder + os.sep, "")
    return text


def clean_output(output: dict, count: int) -> None:
    """Set the count; keep no widget views and no paths of this machine."""
    if output.output_type == "execute_result":
        output.execution_count = count
    if output.output_type == "error":
        output.traceback = [hide_paths(line) for line in output.traceback]
    if "data" in output:
        output.data.pop(WIDGETS, None)


def clean_cell(cell: dict, count: int) -> None:
    """Keep what a reader needs of a cell; number it if it holds code."""
    kept = [key for key in KEPT_CELL_METADATA if key in cell.metadata]
    cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in kept})
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


# --- writing --------------------------------------------------------------------------


def write(notebook: nbformat.NotebookNode, path: Path) -> int:
    """Put the notebook in its place in one step; give its size in bytes."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return len(text.encode())


def store(path: Path) -> str:
    """Run one notebook, clean it, write it back; give a line that reports."""
    notebook = read(path)
    started = time.perf_counter()
    watch = run(notebook, path.resolve().parent)
    seconds = time.perf_counter() - started
    expect_errors(notebook)
    clean(notebook)
    size = write(notebook, path)
    return (
        f"{path.name}: {len(notebook.cells)} cells, {seconds:.1f} s, "
        f"slowest {watch.slowest()}, {size:,} bytes"
    )


def main(arguments: list[str] | None = None) -> int:
    """Store the outputs of the notebooks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    if sys.platform == "win32":
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    for path in parser.parse_args(arguments).notebooks:
        try:
            print(store(path), flush=True)
        except (StoreError, OSError, ValueError) as why:
            print(f"{path}: not stored, left as it was.\n{why}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
