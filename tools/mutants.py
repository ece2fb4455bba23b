"""Run mutmut over the core of the package, and hold its survivors against a list.

    make mutants                               all seven modules: hours
    make mutants ARGS="course_utils.tape.*"    one of them: minutes

mutmut changes the code in one small place at a time, a `+` into a `-`, a 1 into a 2,
and runs the tests that reach it. Where they stay green, nobody would notice that
mistake. A survivor is then either killed by a new test, or it is *equivalent*: the
changed code does the same, and tests/equivalent_mutants.toml says in one line why.

It fails where a survivor is not on the list, and where the list names one that is dead.
What was found before is kept in mutants/ and not tried again until its code changes.
"""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "equivalent_mutants.toml"
# pytest's "a test failed" and "an error", and mutmut's timeouts: an endless loop.
DEAD = (1, 3, 24, 36, 152, -24)


class Mutant(NamedTuple):
    """One change: the function it is in, the lines before, and the lines after."""

    function: str
    was: str
    now: str


def readable(key: str) -> str:
    """Give `tape.Tape.backward` for `course_utils.tape.xǁTapeǁbackward__mutmut_3`."""
    _, module, mangled = key.rsplit("__mutmut_", 1)[0].split(".", 2)
    name = mangled[1:].replace("ǁ", ".") if "ǁ" in mangled else mangled[2:]
    return f"{module}.{name.strip('.')}"


def changed(diff: str) -> tuple[str, str]:
    """Give the lines that a unified diff takes away, and those it puts there."""
    lines = [x for x in diff.splitlines() if not x.startswith(("---", "+++"))]
    sides = ([x[1:].strip() for x in lines if x[:1] == sign] for sign in "-+")
    was, now = ("\n".join(side) for side in sides)
    return was, now


def equivalents(path: Path = LIST) -> dict[Mutant, str]:
    """Read the list: mutant → the reason why no test can tell it apart."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return {Mutant(x["in"], x["was"], x["now"]): x["why"] for x in entries}


def verdicts(patterns: list[str]) -> dict[str, int | None]:
    """Read what mutmut found: key of the mutant → exit code, None if not tried."""
    found = {}
    for path in sorted((ROOT / "mutants" / "course_utils").glob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        found |= {
            key: code
            for key, code in codes.items()
            if not patterns or any(fnmatch.fnmatch(key, p) for p in patterns)
        }
    return found


def show(key: str) -> Mutant:
    """Ask mutmut for the change that a key stands for."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    return Mutant(readable(key), *changed(get_diff_for_mutant(key)))


def table(rows: dict[str, Counter]) -> str:
    """Write the counts, one module a line, as tests/README.md has them."""
    lines = ["| module | mutants | killed | equivalent | unexplained |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for module, n in (*rows.items(), ("all", sum(rows.values(), Counter()))):
        counts = (n.total(), n["killed"], n["equivalent"], n["unexplained"])
        lines.append(f"| {module} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def report(patterns: list[str]) -> int:
    """Print survivors and counts; 1 where something is left to do."""
    known, rows, seen, left = equivalents(), {}, set(), 0
    for key, code in verdicts(patterns).items():
        row = rows.setdefault(readable(key).split(".")[0], Counter())
        if code in DEAD:
            row["killed"] += 1
            continue
        mutant = show(key)
        seen.add(mutant)
        row["equivalent" if mutant in known else "unexplained"] += 1
        if mutant not in known:
            left += 1
            print(f"\n{key}: {'not tried' if code is None else 'survives'}")
            print(f"  in  {mutant.function}\n  was {mutant.was}\n  now {mutant.now}")
    gone = [] if patterns else [m for m in known if m not in seen]
    for mutant in gone:
        print(f"\nOn the list, but dead or no mutant any more: {mutant}")
    print("\n" + table(rows))
    return int(bool(left or gone or not rows))


def main(patterns: list[str]) -> int:
    """Run mutmut, then report; `--report` only reports what is there already."""
    os.chdir(ROOT)
    if "--report" not in patterns:
        # Without compiled files every mutant would compile the package anew.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        run = [sys.executable, "-m", "mutmut", "run", "--max-children"]
        run += [os.environ.get("JOBS", "1"), *patterns]
        subprocess.run(run, env=environment, check=True)
    return report([p for p in patterns if p != "--report"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
