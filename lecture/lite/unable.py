"""Which statements cannot run in a browser, found from the code.

A statement cannot run if it imports what is not there, or uses a name that only such a
statement makes. Of its cell, the other statements run, so that no name is missing without
need; what the cell shows is what the course stored.
"""

from __future__ import annotations

import ast
import hashlib
import json
import symtable

from tools.notebooks import FOLDER

# Modules that no browser has, with the name under which the reader knows them.
MISSING = {
    "torch": "torch",
    "torchvision": "torchvision",
    "numba": "Numba",
    "jax": "jax",
    "sklearn": "scikit-learn",
    "subprocess": "a process of its own",
    "socket": "a network",
    "data_parallel": "a process of its own",
}


def unable(stems: tuple[str, ...]) -> list[dict]:
    """Give each such cell: what it needs, the names it makes, its stored outputs."""
    return [cell for stem in stems for cell in _of_notebook(stem)]


def _of_notebook(stem: str) -> list[dict]:
    notebook = json.loads((FOLDER / f"{stem}.ipynb").read_text(encoding="utf-8"))
    found, lost = [], {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        kept, reasons = [], []
        for statement in ast.parse(source).body:
            made, used = names(statement)
            if needs := needed(statement) or _first(lost, used):
                reasons.append(needs)
                lost |= dict.fromkeys(made, needs)
            else:
                kept.append(ast.unparse(statement))
                lost = {name: why for name, why in lost.items() if name not in made}
        if reasons:
            key = hashlib.sha256(source.strip().encode()).hexdigest()[:16]
            makes = sorted(lost.keys() & names(*ast.parse(source).body)[0])
            about = {"notebook": stem, "id": cell["id"], "source": key}
            about |= {"needs": reasons[0], "makes": makes, "runs": "\n".join(kept)}
            found.append(about | {"outputs": cell["outputs"]})
    return found


def _first(lost: dict[str, str], used: set[str]) -> str:
    return next((lost[name] for name in sorted(used & lost.keys())), "")


def needed(statement: ast.AST) -> str:
    """Give what a statement imports and no browser has, or an empty text."""
    for node in ast.walk(statement):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for module in modules:
            if (top := module.partition(".")[0]) in MISSING:
                return MISSING[top]
    return ""


def names(*statements: ast.stmt) -> tuple[set[str], set[str]]:
    """Give the names that statements make in the notebook, and those they use of it."""
    source = "\n".join(ast.unparse(x) for x in statements)
    top = symtable.symtable(source, "<cell>", "exec")
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used, waiting = {s.get_name() for s in top.get_symbols() if s.is_referenced()}, [top]
    while waiting:
        inner = waiting.pop().get_children()
        waiting += inner
        used |= {s.get_name() for t in inner for s in t.get_symbols() if s.is_global()}
    return made, used - _loops(statements)


def _loops(statements: tuple[ast.stmt, ...]) -> set[str]:
    """Give the names that a loop itself fills before they are used."""
    loops = (x for s in statements for x in ast.walk(s) if isinstance(x, ast.For))
    parts = (x for loop in loops for x in ast.walk(loop.target))
    return {x.id for x in parts if isinstance(x, ast.Name)}
