"""Progress: which exercises are done, in a small file beside the notebooks."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

FILE = "progress.json"
STATES = ("tried", "done")


def _entries(text: str) -> dict[str, str]:
    """Read the entries; raise ValueError if the text is not what we write."""
    stored = json.loads(text)
    entries = stored.get("exercises") if isinstance(stored, dict) else None
    if not isinstance(entries, dict) or not set(entries.values()) <= set(STATES):
        raise ValueError("no list of exercises")
    return entries


def load() -> tuple[dict[str, str], str]:
    """Give the state of each exercise, and a message if the file was damaged.

    A damaged file is kept beside, as progress.json.damaged. Plumbing.
    """
    path = Path(FILE)
    try:
        return _entries(path.read_text(encoding="utf-8")), ""
    except FileNotFoundError:
        return {}, ""
    except OSError as why:
        return {}, f"{FILE} cannot be read ({why.strerror}); progress is not kept."
    except (ValueError, TypeError):
        return {}, _set_aside(path)


def _set_aside(path: Path) -> str:
    """Keep a damaged file under another name; say so."""
    try:
        os.replace(path, f"{FILE}.damaged")
    except OSError:
        return f"{FILE} is damaged and cannot be moved; progress is not kept."
    return f"{FILE} was damaged: kept as {FILE}.damaged, and started afresh."


def _write(entries: dict[str, str]) -> None:
    """Put the file in its place in one step."""
    text = json.dumps({"exercises": dict(sorted(entries.items()))}, indent=1) + "\n"
    handle, name = tempfile.mkstemp(dir=".", prefix=f".{FILE}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def note(number: str, passed: bool) -> str:
    """Remember an attempt; what is done stays done. Give a message, or "". Plumbing."""
    entries, message = load()
    state = "done" if passed or entries.get(number) == "done" else "tried"
    if entries.get(number) == state:
        return message
    try:
        _write({**entries, number: state})
    except OSError as why:
        return f"Progress is not kept: {FILE} cannot be written ({why.strerror})."
    return message
