"""Which statements cannot run in a browser, found from the code.

A statement cannot run if it imports what is not there, or uses a name that only such a
statement makes, or that comes to what is not there by way of the course's package. Of
its cell, the other statements run, so that no name is missing without need; what the
cell shows is what the course stored.
"""

from __future__ import annotations

import ast
import hashlib
import json
import symtable

from lecture.lite.reach import imported, reached
from tools.notebooks import FOLDER

# Modules that no browser has, with the name under which the reader knows them.
MISSING = {
    "torch": "torch",
    "functorch": "torch",  # they are installed together
    "torchvision": "torchvision",
    "numba": "Numba",
    "jax": "jax",
    "sklearn": "scikit-learn",
    "subprocess": "a process of its own",
    "socket": "a network",
    "data_parallel": "a process of its own",
}
# What parts of the course's package ask for only after a look at where they run.
LATER = {"subprocess", "socket"}


def unable(stems: tuple[str, ...]) -> list[dict]:
    """Give each such cell: what it needs, the names it makes, its stored outputs."""
    return [cell for stem in stems for cell in _of_notebook(stem)]


def _of_notebook(stem: str) -> list[dict]:
    notebook = json.loads((FOLDER / f"{stem}.ipynb").read_text(encoding="utf-8"))
    found, lost, kinds = [], {}, {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        kept, why = divided(source, lost, kinds)
        if why:
            key = hashlib.sha256(source.strip().encode()).hexdigest()[:16]
            makes = sorted(lost.keys() & names(*ast.parse(source).body)[0])
            about = {"notebook": stem, "id": cell["id"], "source": key}
            about |= {"needs": why, "makes": makes, "runs": "\n".join(kept)}
            found.append(about | {"outputs": cell["outputs"]})
    return found


KINDS = {ast.Import: "module", ast.ImportFrom: "module"}
KINDS |= dict.fromkeys((ast.FunctionDef, ast.ClassDef), "definition")


def divided(source: str, lost: dict[str, str], kinds: dict[str, str]) -> tuple:
    """Give the statements of a cell that run, and what the first of the others needs.

    `lost` maps names that are not made, or not whole, to what they need, and `kinds`
    names of the notebook to what they are: both are brought up to date.
    """
    kept, reasons = [], []
    for statement in ast.parse(source).body:
        made, used = names(statement)
        kinds |= dict.fromkeys(made, KINDS.get(type(statement), "object"))
        if needs := needed(statement) or _first(lost, used):
            reasons.append(needs)
            # A function that is not there changes nothing: `seen.append(x)` in it.
            altered = {x for x in changed(statement) if kinds.get(x) != "module"}
            altered &= made | used
            altered |= {x for x in given(statement, lost) if kinds.get(x) == "object"}
            lost |= dict.fromkeys(made | altered, needs)
        else:
            kept.append(ast.unparse(statement))
            for name in made:
                lost.pop(name, None)
            lost |= far(statement)
    return kept, reasons[0] if reasons else ""


def _first(lost: dict[str, str], used: set[str]) -> str:
    return next((lost[name] for name in sorted(used & lost.keys())), "")


def needed(node: ast.AST) -> str:
    """Give what a statement imports and no browser has, or an empty text.

    What it would do without, `except ImportError: jax = None`, it does not need.
    """
    for _, (module, _) in imported(node):
        if (top := module.partition(".")[0]) in MISSING:
            return MISSING[top]
    return ""


def far(statement: ast.stmt) -> dict[str, str]:
    """Give the imported names of the course that come to what no browser has."""
    found = {}
    for name, (module, inner) in imported(statement):
        for needs in sorted(reached(module, inner) & MISSING.keys() - LATER):
            found[name] = MISSING[needs]
    return found


def names(*statements: ast.stmt) -> tuple[set[str], set[str]]:
    """Give the names that statements make in the notebook, and those they use of it."""
    source = "\n".join(ast.unparse(x) for x in statements)
    top = symtable.symtable(source, "<cell>", "exec")
    made = {
        s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()
    }
    used, waiting = (
        {s.get_name() for s in top.get_symbols() if s.is_referenced()},
        [top],
    )
    while waiting:
        inner = waiting.pop().get_children()
        waiting += inner
        used |= {s.get_name() for t in inner for s in t.get_symbols() if s.is_global()}
    first: dict[str, bool] = {}
    for name, stored in (x for s in statements for x in _in_order(s)):
        first.setdefault(name, stored)
    return made, {name for name in used | first.keys() if not first.get(name)}


def changed(statement: ast.stmt) -> set[str]:
    """Give the names whose objects a statement changes: `x.append(1)`, `x[0] = 1`.

    Of a function, those that it changes when it is called.
    """
    found = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found.append(node.value.func)
        elif isinstance(node, ast.Attribute | ast.Subscript):
            found += [node] * isinstance(node.ctx, ast.Store)
    found = [x.value for x in found if isinstance(x, ast.Attribute | ast.Subscript)]
    return {x.id for x in found if isinstance(x, ast.Name)}


def given(statement: ast.stmt, lost: dict[str, str]) -> set[str]:
    """Give the names that a call of a lost function hands over, `fill(a)`.

    What they stand for was to be changed: the value of the call is not used.
    """
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return set()
    call = statement.value
    if not isinstance(call.func, ast.Name) or call.func.id not in lost:
        return set()
    handed = [x.value if isinstance(x, ast.Starred) else x for x in call.args]
    return {x.id for x in handed if isinstance(x, ast.Name)}


# Parts that run before those that stand in front of them.
EARLY = ("iter", "value", "generators", "test")


def _in_order(node: ast.AST):
    """Give the names of a statement as it runs, each with whether it is filled there.

    What functions use in it they use later.
    """
    if isinstance(node, ast.Name):
        yield node.id, isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, False
    if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
        return
    parts = list(ast.iter_fields(node))
    for _, part in sorted(parts, key=lambda pair: pair[0] not in EARLY):
        for inner in part if isinstance(part, list) else [part]:
            if isinstance(inner, ast.AST):
                yield from _in_order(inner)
