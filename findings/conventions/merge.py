"""Merge what the engines answered: python merge.py FILE… writes data/conventions.json.

What a file does not hold keeps its stored column, with the version and date of then.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from pathlib import Path

from course_utils.conventions import POINTS

STORED = Path(__file__).resolve().parents[2] / "data" / "conventions.json"


def merged(stored: dict, found: list[dict], date: str) -> dict:
    """Columns of `found` in place of those in `stored`; points that are no more go."""
    engines = dict(stored.get("engines", {}))
    for engine, column in (pair for file in found for pair in file.items()):
        engines[engine] = {"version": column["version"], "date": date} | column
    for column in engines.values():
        answers = column["answers"]
        column["answers"] = {name: answers[name] for name in POINTS if name in answers}
    return {"points": list(POINTS), "engines": engines}


def written(table: dict) -> str:
    """The table as JSON, one answer a line."""
    text = json.dumps(table, ensure_ascii=False, indent=1)
    return re.sub(r"(?<=\[)[^\[\]{}]{1,80}(?=\])", one_line, text) + "\n"


def one_line(found: re.Match) -> str:
    return " ".join(found[0].split())


def main(names: list[str]) -> None:
    stored = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    found = [json.loads(Path(name).read_text("utf-8")) for name in names]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    STORED.write_text(written(merged(stored, found, today)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
