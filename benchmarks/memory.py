"""Peak memory of one MNIST epoch: what a process needs beyond its imports.

Each measurement is a process of its own: `ru_maxrss` after the epoch minus `ru_maxrss`
after the imports. The images alone are 188 MB of it. They are read from an array on
disk, since unpacking them needs more for a moment than training does.

Nothing is imported at the top but the standard library: a child process begins with the
high-water mark of its parent.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.harness import Case, Entrant

ENTRANTS = ("ours: tape", "ours: layers", "torch eager")


def megabytes() -> float:
    """The largest resident size that this process has had so far."""
    import resource  # not there on Windows

    # Linux counts in 1024 bytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def save(name: str, rows: str, folder: Path) -> None:
    """Put the data of the case into the folder, as arrays."""
    import numpy as np

    from benchmarks import mnist

    task = mnist.task(name, int(rows) if rows else None)
    np.save(folder / "x.npy", task.x)
    np.save(folder / "y.npy", task.y)


def epoch(name: str, entrant: str, threads: int, folder: Path) -> float:
    """Train for one epoch; give the megabytes above those of the imports."""
    import numpy as np

    from benchmarks import mnist

    maker = {"ours: tape": mnist.tape, "ours: layers": mnist.explicit}.get(entrant)
    if maker is None:
        import torch  # noqa: F401  counts as an import, not as training

        from benchmarks import mnist_peers

        maker = partial(mnist_peers.torch_eager, threads=threads)
    before = megabytes()
    task = mnist.task(name, 1)
    task.x, task.y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    runner = maker(task)
    runner.reset(1)
    runner.work()
    return megabytes() - before


def child(*arguments: str) -> str:
    """Run this file's `main` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", *arguments]
    root = Path(__file__).resolve().parents[1]
    run = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE)
    return run.stdout.decode()


def case(name: str, threads: int, quick: bool = False, only: tuple = ()) -> Case:
    """The epoch of `mnist-256`, and of the others, each alone in a process."""
    network = name.removeprefix("memory-")
    scratch = tempfile.TemporaryDirectory()
    child("save", network, "2048" if quick else "", scratch.name)
    names = ENTRANTS[:2] if only == ("ours",) else ENTRANTS

    def gauge(entrant: str) -> float:
        return float(child("epoch", network, entrant, str(threads), scratch.name))

    entrants = [Entrant(n, partial(gauge, n), gauge=True) for n in names]
    built = Case(name, f"peak memory of the epoch of {network}", entrants, unit="MB")
    built.warm_up = 0  # every process is new
    built.facts = {"scratch": scratch}
    return built


def main(what: str, *arguments: str) -> int:
    """`save CASE ROWS FOLDER` or `epoch CASE ENTRANT THREADS FOLDER`."""
    *rest, folder = arguments
    if what == "save":
        save(rest[0], rest[1], Path(folder))
    else:
        print(epoch(rest[0], rest[1], int(rest[2]), Path(folder)))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(*sys.argv[1:]))
