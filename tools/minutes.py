"""Show how long the notebooks take: what is counted, and what they say of themselves.

    python -m tools.minutes            a table of all notebooks
    python -m tools.minutes --write    and the minutes that they say into README.md and
                                       INSTRUCTORS.md: the map of the course, the plans

`tools.notebooks.pace` counts; `tests/notebooks/hygiene.py` holds the *Time* line of
each notebook to it. Up to the exercises, words count (130 a minute), lines of code (4.5
seconds each), predictions and figures (a minute each); of the exercises their words and
lines, and 8 minutes to solve one, 15 for an open challenge.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools.notebooks import (
    ROOT,
    about_minutes,
    lessons,
    pace,
    read,
    said_minutes,
)

HEAD = ("notebook", "words", "lines", "predict", "figures")
HEAD += ("minutes", "said", "exercises", "said")

# A row of the map: what leads up to the minutes, and the notebook in it.
MAP_ROW = re.compile(
    r"^(\| \[.*\]\(notebooks/(\w+)\.ipynb\) \|.*\| )\d+(?= \|$)", re.MULTILINE
)
# A row of a plan: week or block, notebooks, minutes.
PLAN_ROW = re.compile(
    r"^(\| [^|\n]+ \| ((?:\d\d(?:, )?)*) *\| )\d+(?= \|)", re.MULTILINE
)


def row(path: Path) -> list[str]:
    """Give a line of the table: what is in a notebook, counted and said minutes."""
    notebook = read(path)
    counted, said = pace(notebook), said_minutes(notebook)
    about = about_minutes(notebook)
    text = counted.text
    return [
        path.stem,
        *map(str, (text.words, text.lines, text.predictions, text.figures)),
        f"{counted.minutes:.0f}",
        "-" if about is None else str(about),
        f"{counted.more:.0f}",
        str(said[1]) if said else "-",
    ]


def table(paths: list[Path]) -> str:
    """Lay the lines out in columns; names to the left, numbers to the right."""
    rows = [list(HEAD), *map(row, paths)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        for cells in rows
    )


def said_by_number() -> dict[str, int]:
    """Give the minutes that each notebook says, by its number: {"06": 85}."""
    return {path.stem[:2]: about_minutes(read(path)) or 0 for path in lessons()}


def with_minutes(text: str) -> str:
    """Put what the notebooks say into the map and the plans of a text."""
    said = said_by_number()

    def in_map(found: re.Match) -> str:
        return f"{found[1]}{said[found[2][:2]]}"

    def in_plan(found: re.Match) -> str:
        return f"{found[1]}{sum(said[n] for n in re.findall(r'[0-9]{2}', found[2]))}"

    return PLAN_ROW.sub(in_plan, MAP_ROW.sub(in_map, text))


def main(arguments: list[str]) -> int:
    """Print the table; with --write, bring README.md and INSTRUCTORS.md up to it."""
    if unknown := [word for word in arguments if word != "--write"]:
        print(f"tools.minutes knows --write alone; found {unknown}", file=sys.stderr)
        return 2
    print(table(lessons()))
    for name in ("README.md", "INSTRUCTORS.md") if arguments else ():
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after = with_minutes(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
        print(f"{name}: {'new minutes' if after != before else 'as it was'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
