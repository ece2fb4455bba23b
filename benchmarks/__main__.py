"""Measure the course against its peers.

- `python -m benchmarks`: every case but the slow ones, stored;
- `python -m benchmarks moons chain`: these cases, and others stay as they were;
- `python -m benchmarks mnist-256 --threads 2 --only "torch eager" --no-store`;
- `python -m benchmarks --quick`: tiny sizes, two rounds, nothing stored.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from benchmarks import report
from benchmarks.harness import ROUNDS
from benchmarks.worker import CASES, SLOW, environment, versions

ROOT = Path(__file__).resolve().parents[1]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: 7")
    parser.add_argument("--threads", type=int, help="only with so many threads")
    parser.add_argument(
        "--only", action="append", default=[], help="this peer ('ours' for none)"
    )
    parser.add_argument("--quick", action="store_true", help="tiny; nothing is stored")
    parser.add_argument("--no-store", action="store_true", help="print, and no more")
    parser.add_argument("--pyperf", type=Path, metavar="FILE", help="rounds for pyperf")
    chosen = parser.parse_args(argv)
    unknown = [case for case in chosen.cases if case not in CASES]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    if chosen.rounds < ROUNDS and not (chosen.quick or chosen.no_store):
        parser.error(f"results are stored from {ROUNDS} rounds up; add --no-store")
    if not orders(chosen):
        threads = sorted({n for case in chosen.cases for n in CASES[case][2]})
        said = " or ".join(map(str, threads))
        parser.error(f"{', '.join(chosen.cases)}: measured with --threads {said}")
    return chosen


def orders(chosen: argparse.Namespace) -> list[dict]:
    """What to measure: a case with a number of threads each."""
    names = chosen.cases or [name for name in CASES if name not in SLOW]
    rounds = 2 if chosen.quick else chosen.rounds
    more = {"rounds": rounds, "quick": chosen.quick, "only": chosen.only}
    return [
        {"case": name, "threads": threads, **more}
        for name in names
        for threads in CASES[name][2]
        if chosen.threads in (None, threads)
    ]


def measured(order: dict) -> dict | None:
    """Let a worker measure; its record, or None where it failed and said why."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(order)]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(order["threads"]),
        stdout=subprocess.PIPE,
        text=True,
    )
    if run.returncode:
        return None
    record = json.loads(run.stdout.splitlines()[-1])
    return record | {"date": date.today().isoformat(), "load": load}


def machine() -> dict[str, str]:
    """Processor, cores and system; no names."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return {
        "processor": processor(),
        "cores": str(cores or os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor() -> str:
    """The model of the processor, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def main(argv: list[str] | None = None) -> int:
    """Measure, print, store; 1 if a case failed."""
    chosen = arguments(argv)
    if chosen.list:
        print("\n".join(CASES))
        return 0
    records, failed = [], []
    for order in orders(chosen):
        print(f"{order['case']}, threads: {order['threads']} …", file=sys.stderr)
        record = measured(order)
        if record is None:
            failed.append(f"{order['case']}, threads: {order['threads']}")
            continue
        records.append(record)
        print(report.case_text(record) + "\n", flush=True)
    results = {"machine": machine(), "versions": versions(), "records": records}
    print(report.targets_table(records))
    if chosen.pyperf:
        report.write_pyperf(results, chosen.pyperf)
    if records and not (chosen.quick or chosen.no_store or chosen.only):
        results = report.merged(report.load(), results, list(CASES).index)
        report.store(results)
        report.write_readme(results)
    if failed:
        print(f"Failed: {'; '.join(failed)}. See above.", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
