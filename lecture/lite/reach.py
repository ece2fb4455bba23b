"""Which names of the course's own package come to a module that no browser has.

`compile_step` imports nothing when it is imported; it comes to Numba when it is called,
by way of other modules. So each function and class of `course_utils` is followed to the
names it uses, and these to theirs. Only its code is read: nothing is run.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = "course_utils"
ROOT = Path(__file__).resolve().parents[2]
# Where a name leads: to one of a module, or (without a name) to a module.
Place = tuple[str, str]


@cache
def reached(module: str, name: str) -> frozenset[str]:
    """Give the outside modules that are imported where `module.name` is used."""
    found, seen, waiting = set(), set(), [(module, name)]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        where, what = place
        if where.partition(".")[0] != PACKAGE:
            found.add(where.partition(".")[0])
        elif what:
            waiting += _code(where).get(what, ())
    return frozenset(found)


@cache
def _code(module: str) -> dict[str, set[Place]]:
    """Give for each name of a module the places that it leads to."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.is_file():
        return {}
    body = ast.parse(path.read_text(encoding="utf-8")).body
    leads: dict[str, set[Place]] = {}
    for statement in body:
        for name, place in imported(statement):
            leads.setdefault(name, set()).add(place)
        for name in _made(statement):
            uses = {(module, used) for used in _used(statement)}
            inner = {place for _, place in imported(statement)}
            leads.setdefault(name, set()).update(uses | inner)
    return leads


def imported(node: ast.AST) -> list[tuple[str, Place]]:
    """Give the names that imports in a piece of code make, each with where it leads.

    An import that may fail without an error, `except ImportError: pass`, is none.
    """
    if isinstance(node, ast.Try) and _is_forgiven(node):
        return []
    found = []
    if isinstance(node, ast.Import):
        found = [
            (a.asname or a.name.partition(".")[0], (a.name, "")) for a in node.names
        ]
    elif isinstance(node, ast.ImportFrom):
        parts = [(a, node.module or "") for a in node.names]
        found = [(a.asname or a.name, (module, a.name)) for a, module in parts]
    return found + [x for part in ast.iter_child_nodes(node) for x in imported(part)]


def _is_forgiven(node: ast.Try) -> bool:
    """Whether an ImportError in it is caught, and not raised again."""
    return any(
        isinstance(handler.type, ast.Name)
        and handler.type.id in ("ImportError", "ModuleNotFoundError")
        and not any(isinstance(x, ast.Raise) for x in ast.walk(handler))
        for handler in node.handlers
    )


def _made(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    nodes = ast.walk(statement) if isinstance(statement, ast.Assign) else []
    return [
        x.id for x in nodes if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)
    ]


def _used(statement: ast.stmt) -> set[str]:
    """Give the names that code uses; what annotations name is not used by running."""
    notes = [
        note
        for x in ast.walk(statement)
        for note in (getattr(x, "annotation", None), getattr(x, "returns", None))
        if note is not None
    ]
    only_told = {id(x) for note in notes for x in ast.walk(note)}
    return {
        x.id
        for x in ast.walk(statement)
        if isinstance(x, ast.Name) and id(x) not in only_told
    }
