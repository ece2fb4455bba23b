"""What a notebook teaches is what the package holds, compared by syntax tree.

A code cell says which definitions of it end up in the package:

    #| package: layers.ReLU, layers.Sigmoid

Each of them (the last one of that name in the cell: def, class or assignment) has to be
the package's, but for comments, docstrings, annotations, and the prefix `F.`, which
means `course_utils.functional` everywhere. Every public function and class is taught
in exactly one notebook, which its docstring names (`Taught in: 03_tape_engine.`),
unless the docstring says that it is `Plumbing.`

A class that is too long for a page may be shown in part:

    #| package: tensor.Tensor (in part)

What stands there has to stand in the package's class, too, word for word.
"""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from tools.notebooks import ROOT, Cell, Notebook, paths, read

PACKAGE = ROOT / "course_utils"
MODULES = (
    "functional",
    "tape",
    "scalar",
    "rules",
    "tensor",
    "pictures",
    "layers",
    "layer_checks",
    "nn",
    "attention",
    "optim",
    "gradcheck",
    "data",
    "training",
    "weights",
    "viz",
    "checkup",
    "launch",
    "rulebook",
    "compiler",
)
TAUGHT = re.compile(r"Taught\s+in:\s+(\w+)")
DEFINITION = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


# --- definitions as syntax trees ------------------------------------------------------


def names_of(node: ast.stmt) -> list[str]:
    """Give the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def definitions(source: str) -> dict[str, DEFINITION]:
    """Give the definitions on the top level of a source; the last of a name counts."""
    plain = re.sub(r"^\s*[%!].*$", "pass", source, flags=re.MULTILINE)
    return {name: node for node in ast.parse(plain).body for name in names_of(node)}


class Bare(ast.NodeTransformer):
    """Take off docstrings, annotations and the prefix `F.`; decorators stay."""

    def __init__(self) -> None:
        self.in_class = [False]

    def visit_body(self, node: ast.AST, is_class: bool) -> ast.AST:
        """Take the docstring off a function or class, and go on inside."""
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        self.in_class.append(is_class)
        self.generic_visit(node)
        self.in_class.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Bare a class."""
        return self.visit_body(node, is_class=True)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Bare a function."""
        node.returns = None
        return self.visit_body(node, is_class=False)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Take the annotation off an argument."""
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Make `x: int = 1` an assignment; a field of a class stays a field."""
        self.generic_visit(node)
        if self.in_class[-1]:
            node.annotation = ast.Constant("…")
            return node
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Make `F.relu` plain `relu`."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "F":
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node


def bare(node: DEFINITION) -> str:
    """Write a definition as code, reduced to what is compared."""
    copy = ast.parse(ast.unparse(node))
    return ast.unparse(ast.fix_missing_locations(Bare().visit(copy)))


def drift(taught: DEFINITION, kept: DEFINITION, name: str) -> str | None:
    """Show as a diff how a notebook and the package differ, or None."""
    left, right = bare(taught).splitlines(), bare(kept).splitlines()
    labels = (f"notebook: {name}", f"course_utils: {name}")
    diff = difflib.unified_diff(left, right, *labels, lineterm="")
    return "\n".join(diff) or None


def in_part(taught: DEFINITION, kept: DEFINITION) -> DEFINITION:
    """Give what is kept of a class, without the members that the page leaves out."""
    if not (isinstance(taught, ast.ClassDef) and isinstance(kept, ast.ClassDef)):
        return kept
    shown = {name for member in taught.body for name in members(member)}
    body = [member for member in kept.body if shown.intersection(members(member))]
    part = ast.parse(ast.unparse(kept)).body[0]
    part.body = body or kept.body
    return part


def members(node: ast.stmt) -> list[str]:
    """Give the names that a statement of a class body defines, also `a, b = …`."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    names = [x.id for t in targets for x in ast.walk(t) if isinstance(x, ast.Name)]
    return names or names_of(node)


# --- the package and the tags ---------------------------------------------------------


def files_of(module: str, folder: Path = PACKAGE) -> list[Path]:
    """Give the file of a module; where it is a folder, all that stand in it."""
    return sorted([*folder.glob(f"{module}.py"), *folder.glob(f"{module}/*.py")])


def package(folder: Path = PACKAGE) -> dict[str, dict[str, DEFINITION]]:
    """Give the definitions of every module, whichever of its files they stand in."""
    return {
        module: {
            name: node
            for path in files_of(module, folder)
            for name, node in definitions(path.read_text(encoding="utf-8")).items()
        }
        for module in MODULES
    }


@dataclass
class Tag:
    """One name after `#| package:`, and where it stands."""

    notebook: str
    cell: Cell
    module: str
    name: str
    part: bool = False

    def __str__(self) -> str:
        return f"{self.notebook}: {self.module}.{self.name}"

    def complaint(self, kept: dict[str, dict[str, DEFINITION]]) -> str | None:
        """Compare the cell's definition with the package's; say what is wrong."""
        where = f"{self}, {self.cell}"
        if self.module not in kept:
            return f"{where}: no module {self.module!r} in course_utils"
        if self.name not in kept[self.module]:
            return f"{where}: course_utils.{self.module} defines no {self.name!r}"
        taught = definitions(self.cell.source)
        if self.name not in taught:
            return f"{where}: the cell defines no {self.name!r}"
        whole = kept[self.module][self.name]
        there = in_part(taught[self.name], whole) if self.part else whole
        diff = drift(taught[self.name], there, self.name)
        return f"{where}: notebook and package differ\n{diff}" if diff else None


def tags(notebook: Notebook) -> list[Tag]:
    """List the tagged names of a notebook."""
    return [
        Tag(notebook.path.stem, cell, *name.rpartition(".")[::2], full != name)
        for cell in notebook.cells
        for full in cell.package_names
        for name in [full.removesuffix(" (in part)")]
    ]


def taught_twice(all_tags: list[Tag]) -> list[str]:
    """List the names that are tagged more than once."""
    where: dict[tuple[str, str], list[str]] = {}
    for tag in all_tags:
        where.setdefault((tag.module, tag.name), []).append(tag.notebook)
    return [
        f"{module}.{name} is tagged in {' and '.join(notebooks)}; once is enough"
        for (module, name), notebooks in where.items()
        if len(notebooks) > 1
    ]


def untold(module: str, kept: dict[str, DEFINITION], all_tags: list[Tag]) -> list[str]:
    """List the public names of a module whose docstring and tags do not agree."""
    where = {tag.name: tag.notebook for tag in all_tags if tag.module == module}
    said = []
    for name, node in kept.items():
        if name.startswith("_") or not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        text = ast.get_docstring(node) or ""
        says = TAUGHT.findall(text)
        plumbing = "Plumbing." in text
        if plumbing and (name in where or says):
            said.append(f"{module}.{name}: plumbing, and yet taught")
        elif not plumbing and says != [where.get(name)]:
            tagged = where.get(name, "no notebook")
            said.append(f"{module}.{name}: says {says}, tagged in {tagged}")
    return said


# --- the course -----------------------------------------------------------------------

ALL_TAGS = [tag for path in paths() for tag in tags(read(path))]


@pytest.mark.parametrize("tag", ALL_TAGS, ids=str)
def test_notebook_and_package_agree(tag):
    assert not (complaint := tag.complaint(package())), complaint


@pytest.mark.parametrize("tag", ALL_TAGS, ids=str)
def test_what_is_taught_can_be_imported_by_its_name(tag):
    """`from course_utils.gradcheck import step_size`, whichever file holds it."""
    assert hasattr(import_module(f"course_utils.{tag.module}"), tag.name)


@pytest.mark.parametrize("module", MODULES)
def test_a_name_is_defined_in_one_file_of_a_folder(module):
    names = [
        name
        for path in files_of(module)
        for name in definitions(path.read_text(encoding="utf-8"))
    ]
    assert sorted(names) == sorted(set(names))


def test_nothing_is_taught_twice():
    assert not (said := taught_twice(ALL_TAGS)), "\n".join(said)


@pytest.mark.parametrize("module", MODULES)
def test_everything_is_taught_or_plumbing(module):
    kept = package()[module]
    assert kept, f"course_utils/{module}.py is missing or empty"
    assert not (said := untold(module, kept, ALL_TAGS)), "\n".join(said)


# --- the test itself ------------------------------------------------------------------

KEPT = '''
def relu(x: np.ndarray, *, slope: float = 0.0) -> np.ndarray:
    """Rectify. Taught in: 06_a."""
    y: int = 1
    return F.maximum(x, 0)  # why


@dataclass
class Pair:
    """Two. Plumbing."""

    x: float
    y: float = 0.0
'''
TAUGHT_SAME = """
#| package: layers.relu, layers.Pair
def relu(x, *, slope=0.0):
    y = 1
    # another comment
    return maximum(x, 0)

@dataclass
class Pair:
    x: "float"
    y: int = 0.0
"""


def tag_of(source, name="relu", module="layers", notebook="06_a"):
    return Tag(notebook, Cell("code", source), module, name)


@pytest.mark.parametrize("name", ["relu", "Pair"])
def test_same_definitions_agree(name):
    assert tag_of(TAUGHT_SAME, name).complaint({"layers": definitions(KEPT)}) is None


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("maximum(x, 0)", "maximum(x, 1)", "relu"),
        ("maximum", "minimum", "relu"),
        ("slope=0.0", "slope=0.1", "relu"),
        ("y = 1", "y = 2", "relu"),
        ("@dataclass\n", "", "Pair"),
        ("y: int = 0.0", "y: int", "Pair"),
        ("class Pair", "class Pair(Base)", "Pair"),
        ("maximum(x, 0)", "G.maximum(x, 0)", "relu"),
    ],
)
def test_changed_definitions_are_shown(old, new, name):
    changed = TAUGHT_SAME.replace(old, new)
    assert changed != TAUGHT_SAME
    said = tag_of(changed, name).complaint({"layers": definitions(KEPT)})
    assert "--- notebook: " + name in said
    assert "\n-" in said or "\n+" in said


def test_changed_operator_gives_a_diff():
    said = tag_of("def f(a):\n    return a + 1", "f").complaint(
        {"layers": definitions("def f(a):\n    return a - 1")}
    )
    assert "-    return a + 1\n+    return a - 1" in said


def test_wrong_tags_are_reported():
    kept = {"layers": definitions(KEPT)}
    assert "no module 'lairs'" in tag_of(TAUGHT_SAME, module="lairs").complaint(kept)
    assert "defines no 'rely'" in tag_of(TAUGHT_SAME, "rely").complaint(kept)
    assert "cell defines no 'relu'" in tag_of("x = 1").complaint(kept)


def test_a_folder_is_one_module(tmp_path):
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "linear.py").write_text("def linear(x):\n    return x")
    (tmp_path / "layers" / "relu.py").write_text(KEPT, encoding="utf-8")
    kept = package(tmp_path)
    assert set(kept["layers"]) == {"linear", "relu", "Pair"} and kept["nn"] == {}
    assert tag_of(TAUGHT_SAME).complaint(kept) is None


def test_last_definition_in_a_cell_counts():
    both = "def relu(x):\n    return 0\n" + TAUGHT_SAME
    assert tag_of(both).complaint({"layers": definitions(KEPT)}) is None


def test_tags_are_read():
    cells = [Cell("code", TAUGHT_SAME), Cell("markdown", "#| package: layers.x")]
    found = tags(Notebook(Path("06_a.ipynb"), cells))
    assert [str(tag) for tag in found] == ["06_a: layers.relu", "06_a: layers.Pair"]


LONG = """
class Long(Base):
    \"\"\"Many. Taught in: 06_a.\"\"\"
    here, there = 1, 2

    def one(self):
        return 1

    def two(self):
        return 2
"""
PART = "#| package: layers.Long (in part)\n" + LONG.partition("    def two")[0]


def part(source=PART):
    return tags(Notebook(Path("06_a.ipynb"), [Cell("code", source)]))[0]


def test_a_class_may_be_shown_in_part():
    assert str(part()) == "06_a: layers.Long"
    assert part().complaint({"layers": definitions(LONG)}) is None
    whole = PART.replace(" (in part)", "")
    assert "+    def two" in part(whole).complaint({"layers": definitions(LONG)})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 1", "return 3"),
        ("def one", "def another"),
        ("1, 2", "1, 3"),
        ("Long(Base)", "Long"),
    ],
)
def test_a_part_that_differs_is_shown(old, new):
    said = part(PART.replace(old, new)).complaint({"layers": definitions(LONG)})
    assert "--- notebook: Long" in said


def test_double_tags_are_reported():
    one, other = tag_of(TAUGHT_SAME), tag_of(TAUGHT_SAME, notebook="07_b")
    assert not taught_twice([one])
    assert taught_twice([one, other]) == [
        "layers.relu is tagged in 06_a and 07_b; once is enough"
    ]


def test_docstrings_and_tags_agree():
    kept = definitions(KEPT)
    assert untold("layers", kept, [tag_of(TAUGHT_SAME)]) == []
    assert "tagged in no notebook" in untold("layers", kept, [])[0]
    assert "tagged in 07_b" in untold("layers", kept, [tag_of("", notebook="07_b")])[0]
    both = [tag_of(TAUGHT_SAME), tag_of(TAUGHT_SAME, "Pair")]
    assert untold("layers", kept, both) == ["layers.Pair: plumbing, and yet taught"]
    assert untold("layers", definitions("def f():\n    pass\ndef _g(): pass"), [])
