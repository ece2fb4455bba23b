"""Run the tests against mutants of the package's core, and hold survivors to a list.

    make mutants                              all modules
    make mutants ARGS="tape scalar"           some of them
    make mutants ARGS=--survivors             those that survived last time
    make mutants ARGS=--continue              after an interruption, the rest

mutmut changes the code in one small place at a time: a `+` into a `-`, a 1 into a 2, an
argument into None. Where the tests stay green, nobody would notice that mistake. A
survivor is then either killed by a new test, or it is *equivalent*: the changed code
does the same, and tests/course_utils/equivalent_mutants.toml says in one line why. It
fails where a survivor is not on that list, and where the list names one that is dead.

mutmut makes the mutants: each function becomes a trampoline to all its versions, and a
variable of the environment says which (mutating.py). `mutmut run` would then start
pytest for each; here one pytest forks a child for each (hunting.py), so 3,500 mutants
take minutes instead of hours.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tomllib
from collections import Counter
from pathlib import Path

from tools.hunting import KILLED, RESULTS, SURVIVED, hunt
from tools.mutating import MODULES, ROOT, Mutant, changes, generate, row_of

LIST = ROOT / "tests" / "course_utils" / "equivalent_mutants.toml"


def equivalents(path: Path = LIST) -> dict[Mutant, str]:
    """Read the list: mutant → the reason why no test can tell it apart."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return {
        Mutant(x["in"], x["was"], now): x["why"] for x in entries for now in x["now"]
    }


def table(rows: dict[str, Counter]) -> str:
    """Write the counts, one module a line, as tests/README.md has them."""
    lines = ["| module | mutants | killed | equivalent | unexplained |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for module, n in (*rows.items(), ("all", sum(rows.values(), Counter()))):
        counts = (n.total(), n["killed"], n["equivalent"], n["unexplained"])
        lines.append(f"| {module} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def report(verdicts: dict[str, str]) -> int:
    """Print survivors and counts; 1 where something is left to do."""
    alive = changes([key for key, verdict in verdicts.items() if verdict == SURVIVED])
    known, rows, seen, left = equivalents(), {}, set(), 0
    for key in verdicts:
        row = rows.setdefault(row_of(key), Counter())
        if key not in alive:
            row["killed"] += 1
            continue
        mutant = alive[key]
        seen.add(mutant)
        row["equivalent" if mutant in known else "unexplained"] += 1
        if mutant not in known:
            left += 1
            print(f"\n{mutant.function}\n  was {mutant.was}\n  now {mutant.now}")
    gone = [m for m in known if m not in seen and row_of(m.function) in rows]
    for mutant in gone:
        print(f"\nOn the list, but dead or no mutant any more: {mutant}")
    print("\n" + table(rows))
    return int(bool(left or gone or not rows))


def main(arguments: list[str]) -> int:
    """Make mutants, try them, report."""
    modules = [a for a in arguments if not a.startswith("-")] or list(MODULES)
    os.environ["OMP_NUM_THREADS"] = "1"
    # In the background of a shell Ctrl-C is ignored, and a test that presses it waits.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Without compiled files, a child would compile the mutated package anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.chdir(ROOT)
    mutants, before = generate(modules), {}
    if "--survivors" in arguments or "--continue" in arguments:
        before = json.loads(RESULTS.read_text(encoding="utf-8"))
    done = (KILLED, SURVIVED) if "--continue" in arguments else (KILLED,)
    chosen = [key for key in mutants if before.get(key) not in done]
    verdicts = hunt(chosen, before)
    verdicts = {key: verdicts[key] for key in mutants if key in verdicts}
    RESULTS.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
    return report(verdicts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
