"""One case with one number of threads, in a process of its own.

    python -m benchmarks.worker '{"case": "moons", "threads": 1, "rounds": 7}'

NumPy, PyTorch and JAX read the number of threads when they are imported, so it is set
before, by whoever starts this process (`environment`). Where the system can, it is also
held to as many cores: no library can then help itself to another one.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version

from benchmarks.harness import ROUNDS, Disagreement, measure

# case → (module, function, numbers of threads)
CASES = {
    "mnist-256": ("mnist", "case", (1, 2)),
    "mnist-64": ("mnist", "case", (1, 2)),
    "mnist-512-256": ("mnist", "case", (1, 2)),
    "attention-read": ("attention", "case", (1,)),
    "attention-sort": ("attention", "case", (1,)),
    "moons": ("scalar", "case", (1,)),
    "chain": ("chain", "case", (1,)),
    "wide": ("chain", "case", (1,)),
    "gradcheck": ("checks", "case", (1, 2)),
    "referee": ("referee", "case", (1,)),
    "memory-mnist-256": ("memory", "case", (1,)),
    "memory-mnist-64": ("memory", "case", (1,)),
    "memory-mnist-512-256": ("memory", "case", (1,)),
    "pictures": ("pictures", "case", (1, 2)),
    "memory-convolution": ("pictures", "memory_case", (1,)),
    "accuracy": ("accuracy", "case", (2,)),
    "check": ("answers", "case", (1,)),
    "imports": ("start", "imports_case", (1,)),
    "kernel": ("start", "kernel_case", (1,)),
    "notebooks": ("start", "notebooks_case", (2,)),
}
SLOW = ("notebooks", "accuracy", "referee")  # run only where named
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
PACKAGES = "numpy torch jax jaxlib autograd micrograd tinygrad pyperf"


def environment(threads: int) -> dict[str, str]:
    """The environment of a worker: so many threads for everybody, JAX on the CPU."""
    found = dict(os.environ) | dict.fromkeys(THREAD_VARIABLES, str(threads))
    found |= {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    if threads == 1 and not hasattr(os, "sched_setaffinity"):
        found["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return found


def hold_to_cores(threads: int) -> int | None:
    """Keep this process on so many cores; None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-threads:])
    return len(cores[-threads:])


def versions() -> dict[str, str]:
    """Versions of all packages that take part, as installed."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES.split():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run(order: dict) -> dict:
    """Build and measure a case; give its record."""
    module, function, _ = CASES[order["case"]]
    cores = hold_to_cores(order["threads"])
    make = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    case = make(
        order["case"],
        order["threads"],
        order.get("quick", False),
        tuple(order.get("only", ())),
    )
    record = measure(case, order.get("rounds", ROUNDS))
    record["facts"].pop("scratch", None)
    return record | {"threads": order["threads"], "cores": cores}


def main(text: str) -> int:
    """Measure what the JSON asks for; the record is the last line on stdout."""
    try:
        record = run(json.loads(text))
    except Disagreement as error:
        print(f"The results differ, so nothing is measured. {error}", file=sys.stderr)
        return 3
    print(json.dumps(record))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
