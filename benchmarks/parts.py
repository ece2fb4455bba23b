"""Where the time of a compiled step goes: a clock after each statement of its plan.

    python -m benchmarks.parts mnist-64 mnist-256

prints the table of README.md, for one thread: for each part the sum over its
statements, each the shortest of 300 runs, in µs. What is left is outside of the plan.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from textwrap import indent

from benchmarks import mnist
from benchmarks.worker import environment, hold_to_cores

RUNS = 300
PRODUCTS = "matrix products, as they stand in the step"
LOOPS = "all loops but the update: biases, gates, softmax, sums"
UPDATE = "SGD with momentum, one pass"
REST = "gathering the batch, eight rows at a time, and the call"
TOGETHER = "together, as the clock sees the step"


def clocked(source: str) -> tuple[str, list[str]]:
    """Give the source of a step with a clock after each statement, and these.

    Statement k puts its seconds into taken[k]; the last one, which returns, has none.
    """
    (function,) = ast.parse(source).body
    *statements, last = [ast.unparse(node) for node in function.body]
    lines = [f"def {function.name}({ast.unparse(function.args)}):", " now = clock()"]
    for k, statement in enumerate(statements):
        lines += [indent(statement, " "), " then, now = now, clock()"]
        lines += [f" taken[{k}].append(now - then)"]
    return "\n".join([*lines, indent(last, " ")]), statements


def part_of(statement: str) -> str:
    """Give the part of a step that a statement of its plan belongs to."""
    if "matmul" in statement:
        return PRODUCTS
    return UPDATE if "velocities" in statement else LOOPS


def parts(case: str, rows: int | None = None, runs: int = RUNS) -> dict[str, float]:
    """Measure the parts of a step, in seconds; with `rows`, on random data."""
    task = mnist.task(case, rows)
    step = mnist.compiled_step(task)[0]
    task.start(1)
    order = task.order()

    def every() -> list[float]:
        found = []
        for k in range(runs):
            began = time.perf_counter()
            step(task.x, task.y, order[k % len(order)])
            found.append(time.perf_counter() - began)
        return found

    every()  # makes the plan
    together = min(every())
    runner = step.latest
    source, statements = clocked(runner.source.step)
    taken: list[list[float]] = [[] for _ in statements]
    space = runner.space | {"clock": time.perf_counter, "taken": taken}
    exec(source, space)
    runner.step = space[runner.step.__name__]
    every()
    found = dict.fromkeys((PRODUCTS, LOOPS, UPDATE), 0.0)
    for statement, seconds in zip(statements, taken, strict=True):
        found[part_of(statement)] += min(seconds)
    return found | {REST: together - sum(found.values()), TOGETHER: together}


def table(columns: dict[str, dict[str, float]]) -> str:
    """Write the parts of each case as a table of Markdown, in µs."""
    lines = [f"| part of a step | {' | '.join(f'`{case}`' for case in columns)} |"]
    lines += ["| --- |" + " ---: |" * len(columns)]
    for part in next(iter(columns.values())):
        numbers = [f"{1e6 * column[part]:.0f}" for column in columns.values()]
        lines.append(f"| {part} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def main(cases: list[str]) -> int:
    """Measure in a process with one thread, and print the table."""
    if wrong := [case for case in cases if case not in mnist.SIZES]:
        print(f"no case {', '.join(wrong)}; there are {', '.join(mnist.SIZES)}")
        return 2
    wanted = environment(1)
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        command = [sys.executable, "-m", "benchmarks.parts", *cases]
        return subprocess.run(command, env=wanted).returncode
    hold_to_cores(1)
    print(table({case: parts(case) for case in cases or mnist.SIZES}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
