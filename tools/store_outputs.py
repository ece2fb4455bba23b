"""Run notebooks from a fresh kernel and store their outputs, clean.

    python -m tools.store_outputs notebooks/03_tape_engine.ipynb

Each notebook runs in its own folder. A cell that fails stops the run and leaves the
stored notebook as it was, unless the cell is tagged `raises-exception`: then it has to
fail. What is stored is what a fresh run gives and nothing else: execution counts 1…n,
joined streams, settled progress bars, no timestamps, no versions, no machine's paths.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from tools.runner import NotebookError, clean, read, run


def expect_errors(notebook: nbformat.NotebookNode) -> None:
    """Raise NotebookError where a cell tagged raises-exception raised nothing."""
    for index, cell in enumerate(notebook.cells):
        kinds = {output.output_type for output in cell.get("outputs", [])}
        if "raises-exception" in cell.metadata.get("tags", []) and "error" not in kinds:
            raise NotebookError(
                f"cell {index} ({cell.id}) is tagged raises-exception, "
                f"but nothing was raised:\n{cell.source}"
            )


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
    for path in parser.parse_args(arguments).notebooks:
        try:
            print(store(path), flush=True)
        except (NotebookError, OSError, ValueError) as why:
            print(f"{path}: not stored, left as it was.\n{why}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
