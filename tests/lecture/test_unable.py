"""What cannot run in a browser is found from the code, statement by statement."""

from __future__ import annotations

import ast
import json
import sys
from importlib import import_module

import numpy as np
import pytest

from lecture.lite.reach import imported, reached
from lecture.lite.unable import MISSING, divided, names, unable
from tools.notebooks import COURSE, FOLDER

CASES = {
    "an import, and what uses it": (
        ["import torch\nx = 1", "t = torch.ones(3)\ny = x + 1", "print(t)", "print(y)"],
        [["x = 1"], ["y = x + 1"], [], ["print(y)"]],
    ),
    "of a package some names": (
        ["from torch import nn\nfrom math import pi", "nn.Linear", "pi"],
        [["from math import pi"], [], ["pi"]],
    ),
    "a name made anew is there again": (
        ["import torch", "x = torch.ones(3)", "x = [1]", "print(x)"],
        [[], [], ["x = [1]"], ["print(x)"]],
    ),
    "a function is lost with what it uses": (
        ["import torch", "def f(x):\n    return torch.exp(x)", "f(1)"],
        [[], [], []],
    ),
    "a loop fills its names before it uses them": (
        ["import torch", "G = torch.ones(1)", "for k in [1]:\n    G = k\n    h = G"],
        [[], [], ["for k in [1]:\n    G = k\n    h = G"]],
    ),
    "a loop that uses a name before it fills it": (
        ["import torch", "G = torch.ones(1)", "for k in [1]:\n    h = G\n    G = k"],
        [[], [], []],
    ),
    "what is added to is used": (
        ["import torch", "n = torch.ones(1)", "for _ in [1]:\n    n += 1"],
        [[], [], []],
    ),
    "a list that a lost loop was to fill is not whole": (
        ["import torch\nlosses = []", "losses.append(torch.ones(1))", "losses[-1]"],
        [["losses = []"], [], []],
    ),
    "an array that was to be written to": (
        ["import torch", "a = [0]\nb = [0]", "a[0] = torch.pi", "a", "b"],
        [[], ["a = [0]", "b = [0]"], [], [], ["b"]],
    ),
    "a module is not changed by a call": (
        ["import math, torch", "math.nothing(torch.pi)", "math.pi"],
        [["import math"], [], ["math.pi"]],
    ),
    "what a function would change is not changed by defining it": (
        ["import torch\ny = [1]", "def f(y):\n    y.append(torch.pi)", "y"],
        [["y = [1]"], [], ["y"]],
    ),
    "a list that only a lost function fills": (
        ["import torch\ny = []", "def f():\n    y.append(torch.pi)", "f()", "y[0]"],
        [["y = []"], [], [], []],
    ),
    "a name of the course's that comes to Numba by way of others": (
        [
            "from course_utils.compiler import compile_step, placed",
            "placed",
            "f = compile_step",
        ],
        [["from course_utils.compiler import compile_step, placed"], ["placed"], []],
    ),
    "an import that it can do without": (
        ["try:\n    import jax\nexcept ImportError:\n    jax = None", "jax"],
        [["try:\n    import jax\nexcept ImportError:\n    jax = None"], ["jax"]],
    ),
    "an import that it cannot do without": (
        ["try:\n    import jax\nexcept ImportError as e:\n    raise e", "jax"],
        [[], []],
    ),
    "an array that a lost function was to fill": (
        ["import torch\na = [0]", "fill = torch.zero_", "fill(a)", "a"],
        [["a = [0]"], [], [], []],
    ),
    "a function that was handed to a lost one": (
        ["import torch\ndef f(x):\n    return x", "run = torch.pi", "run(f)", "f(1)"],
        [["def f(x):\n    return x"], [], [], ["f(1)"]],
    ),
    "what a function that is there is shown": (
        ["import torch\na = [0]", "print(a, torch.pi)", "a"],
        [["a = [0]"], [], ["a"]],
    ),
    "a comprehension": (
        ["import torch", "t = torch.pi", "[t for t in [1, 2]]", "[t for u in [1]]"],
        [[], [], ["[t for t in [1, 2]]"], []],
    ),
}


@pytest.mark.parametrize("cells, kept", CASES.values(), ids=CASES)
def test_a_statement_runs_where_all_that_it_uses_is_there(cells, kept):
    lost, kinds = {}, {}
    if "import math, torch" in cells:  # one statement is whole, or not
        cells = ["import math\nimport torch", *cells[1:]]
    assert [divided(cell, lost, kinds)[0] for cell in cells] == kept


def test_what_is_needed_is_named():
    lost = {}
    assert divided("import numba", lost, {}) == ([], "Numba")
    assert divided("f = numba.njit", lost, {}) == ([], "Numba")
    assert lost == {"numba": "Numba", "f": "Numba"}


def test_only_what_calls_numba_comes_to_it():
    """By a class, by a method, by a module between; not by an annotation."""
    module = "course_utils.compiler"
    comes = {
        name for name in dir(import_module(module)) if "numba" in reached(module, name)
    }
    assert comes == {"compiled", "CompiledTape", "compile_step", "compile_loss"}
    for name in ("mnist", "minibatches"):
        assert "torch" not in reached("course_utils.data", name)
    assert not reached("course_utils.nowhere", "f")


def test_names_made_and_used():
    made, used = names(*ast.parse("y = f(x)\ndef g(a):\n    return a + z").body)
    assert made == {"y", "g"}
    assert used >= {"f", "x", "z"} and "a" not in used


def test_cells_of_the_course_that_cannot_run_have_what_is_shown_in_their_place():
    """They know what they need, and hold nothing that a browser has not."""
    found = unable(COURSE)
    assert {cell["notebook"] for cell in found} >= {
        "01_chain_rule",
        "11_pytorch_and_beyond",
    }
    for cell in found:
        assert cell["needs"]
        used = names(*ast.parse(cell["runs"]).body)[1]
        assert not used & {"torch", "numba", "compile_step"}, cell["id"]


# What Python in a browser has beside its standard library.
THERE = {"numpy", "IPython", "fastcore", "course_utils", "course_exercises"}


@pytest.mark.parametrize("stem", COURSE)
def test_of_whatever_is_imported_it_is_known_whether_a_browser_has_it(stem):
    """Else a cell fails there, and all that needs what it makes."""
    notebook = json.loads((FOLDER / f"{stem}.ipynb").read_text(encoding="utf-8"))
    code = ("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    nodes = [node for text in code for node in ast.walk(ast.parse(text))]
    imports = [x for x in nodes if isinstance(x, ast.Import | ast.ImportFrom)]
    wanted = {
        module.partition(".")[0] for x in imports for _, (module, _) in imported(x)
    }
    assert wanted <= THERE | MISSING.keys() | sys.stdlib_module_names


def drawing(statement: ast.stmt) -> set[str]:
    """Give the generators that a statement draws numbers from when it runs."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return set()
    calls = [x.func for x in ast.walk(statement) if isinstance(x, ast.Call)]
    methods = [x for x in calls if isinstance(x, ast.Attribute) and x.attr in DRAWS]
    return {x.value.id for x in methods if isinstance(x.value, ast.Name)}


DRAWS = {name for name in dir(np.random.default_rng()) if name[0] != "_"}


@pytest.mark.parametrize("stem", COURSE)
def test_what_is_passed_by_draws_no_numbers_that_others_would_miss(stem):
    """Or all that is drawn behind it differs in a browser."""
    notebook = json.loads((FOLDER / f"{stem}.ipynb").read_text(encoding="utf-8"))
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    lost, kinds, drawn = {}, {}, {}
    for cell in cells:
        source = "".join(cell["source"])
        kept, needs = divided(source, lost, kinds)
        for statement in ast.parse(source).body:
            if ast.unparse(statement) in kept:
                made, used = names(statement)
                late = (
                    used & drawn.keys() if not needs else set()
                )  # else nothing is shown
                assert not late, f"{cell['id']}: {[drawn[name] for name in late]} draws"
                drawn = {x: at for x, at in drawn.items() if x not in made}
            else:
                drawn |= dict.fromkeys(drawing(statement), cell["id"])
