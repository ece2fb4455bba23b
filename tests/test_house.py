"""The house is in order: files, pins, imports, and the course is complete."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tools.notebooks import COURSE, ROOT, paths, read
from tools.pin_environment import direct, locked, render

PACKAGE = ROOT / "course_utils"
TOP_LEVEL = (
    ".ci/run",
    ".gitignore",
    ".pre-commit-config.yaml",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "data/README.md",
    "environment.yml",
    "pyproject.toml",
    "requirements/bench.lock",
    "requirements/course.lock",
    "requirements/lecture.lock",
    "requirements/tools.lock",
)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# --- files ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_file_is_there(name):
    assert (ROOT / name).is_file()


def test_the_course_is_complete():
    missing = set(COURSE) - {path.stem for path in paths()}
    assert not missing, f"missing in notebooks/: {sorted(missing)}"


def test_pins_have_one_room():
    """No lock lies anywhere else, whatever tool would like to make one."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = {Path(name) for name in listed.stdout.split("\0") if name}
    locks = {p for p in found if p.suffix == ".lock" or "lock." in p.name}
    locks |= {p for p in found if p.name.startswith("requirements")}
    assert {path.parent.as_posix() for path in locks} == {"requirements"}


@pytest.mark.parametrize(
    "command", ["make lab", "make test", "make update", "python -m tools.work lab"]
)
def test_readme_names_the_commands(command):
    assert command in text("README.md")


def test_every_target_has_its_help():
    makefile = text("Makefile")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE).group(1).split()
    told = re.findall(r'^\t@echo "  make ([\w-]+) ', makefile, re.MULTILINE)
    assert sorted(set(phony) - {"help"}) == sorted(told)


def test_help_comes_in_groups():
    """For each reader a few lines of their own, none too long for a terminal."""
    recipe = text("Makefile").partition("\nhelp:\n")[2].partition("\n\n")[0]
    groups = [group.splitlines() for group in recipe.split("\t@echo\n")]
    heads = [re.match(r'\t@echo "([\w ]+)', head)[1].strip() for head, *_ in groups]
    readers = ["For students", "For instructors", "To change the course", "To measure"]
    assert heads == readers
    assert max(len(line) for group in groups for line in group) <= 100
    for _, *lines in groups:
        assert lines and all(line.startswith('\t@echo "  make ') for line in lines)


def test_the_map_in_the_readme_is_that_of_the_notebooks():
    """Each notebook stands in the map once, with the minutes that it says itself."""
    row = re.compile(r"^\| \[.*\]\(notebooks/(\w+)\.ipynb\) \|.*\| (\d+) \|$", re.M)
    said = {
        path.stem: re.search(
            r"\*\*Time\W*\*\*\W*about (\d+) minutes", prose_of(path), re.IGNORECASE
        ).group(1)
        for path in paths()
    }
    assert dict(row.findall(text("README.md"))) == said


def prose_of(path: Path) -> str:
    return "\n".join(
        cell.source for cell in read(path).cells if cell.kind == "markdown"
    )


# --- pins -----------------------------------------------------------------------------


def test_environment_is_made_of_the_lock():
    made = render(text("pyproject.toml"), text("requirements/course.lock"))
    assert text("environment.yml") == made, "run `make lock`"


def test_environment_pins_every_dependency_as_locked():
    """The same, read off the file itself: names, versions, range of Python."""
    environment = text("environment.yml")
    pins = dict(re.findall(r"^ +- ([\w-]+)==(\S+)$", environment, re.MULTILINE))
    assert sorted(pins) == direct(text("pyproject.toml"))
    python = re.search(r"^ +- python=(\S+)$", environment, re.MULTILINE).group(1)
    versions = locked(text("requirements/course.lock"), python)
    assert pins == {name: versions[name] for name in pins}
    wanted = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"]
    assert SpecifierSet(wanted).contains(python)
    for line in ("name: backprop", "  - make", "  - pip", "      - -e ."):
        assert line in environment.splitlines()


def test_a_dependency_without_a_pin_is_reported():
    with pytest.raises(ValueError, match="lacks.*numpy"):
        render(
            text("pyproject.toml"),
            text("requirements/course.lock").replace("numpy==", "n=="),
        )


def test_markers_choose_the_version():
    lock = "a==1 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
    lock += "a==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:00\nb==3 \\\n"
    assert locked(lock, "3.11") == {"a": "1", "b": "3"}
    assert locked(lock, "3.13") == {"a": "2", "b": "3"}


def lock_entries(lock: str) -> list[str]:
    """Split the lock into its entries: a pin with the lines that belong to it."""
    return re.split(r"\n(?=\S)", lock.strip())


LOCKS = ("bench", "course", "lecture", "tools")


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_entry_has_hashes_and_no_place(name):
    lock = text(f"requirements/{name}.lock")
    for entry in lock_entries(lock):
        assert re.match(r"[\w.-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert not re.search(r"://|-url|--find-links| @ ", lock)


@pytest.mark.parametrize("name", LOCKS)
def test_locks_agree_where_they_overlap(name):
    """A package has one version, in whichever environment it is."""

    def pins(name):
        lock = text(f"requirements/{name}.lock")
        return set(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE))

    course = pins("course")
    shared = {package for package, _ in course}
    assert {pin for pin in pins(name) if pin[0] in shared} <= course


HOSTS = ("py" + "pi.org", "pythonhosted" + ".org", "anaconda" + ".org")
HOSTS += ("download.py" + "torch.org", "index-" + "url =", "index-" + "url=")


def test_nothing_names_a_registry_host():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix != ".gz":
            found = [host for host in HOSTS if host in path.read_text(encoding="utf-8")]
            assert not found, f"{name} names {found}"


# --- imports --------------------------------------------------------------------------

# Who stands on whom; what is further down may be imported as well.
STANDS_ON = {
    "functional": (),
    "tape": (),
    "gradcheck": (),
    "data": (),
    "launch": (),
    "optim": (),
    "layers": ("functional",),
    "scalar": ("tape", "functional"),
    "tensor": ("tape", "functional"),
    "nn": ("tensor",),
    "weights": ("nn", "data"),
    "training": ("nn", "optim", "data"),
    "graphs": (),
    "stepper": ("tape", "graphs"),
    "viz": ("stepper",),
    "checkup": ("data",),
}
NEEDS_MORE = ("training", "graphs", "stepper", "viz")
NUMPY_ONLY = [name for name in STANDS_ON if name not in NEEDS_MORE]
HEAVY = ("torch", "torchvision", "matplotlib", "tqdm", "sklearn", "IPython")


def below(module: str) -> set[str]:
    """Give all modules that a module may import."""
    return {deep for base in STANDS_ON[module] for deep in (base, *below(base))}


def own_imports(source: str) -> set[str]:
    """Give the modules of course_utils that a source imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "course_utils" if node.level else node.module
            names = {f"{base}.{name.name}" for name in node.names}
            inside = f"course_utils.{node.module}" if node.level else node.module
            found |= (
                names if inside in ("course_utils", "course_utils.None") else {inside}
            )
    return {name.split(".")[1] for name in found if name.startswith("course_utils.")}


def test_own_imports_are_found():
    source = (
        "from course_utils import functional as F\nfrom course_utils.tape import Op\n"
    )
    source += "def f():\n    import course_utils.nn\n    from . import data\n"
    source += "    from .viz import show\n    import numpy.linalg\n"
    assert own_imports(source) == {"functional", "tape", "nn", "data", "viz"}


STEPPER = sorted((PACKAGE / "stepper").glob("*.py"))


@pytest.mark.parametrize(
    "path", [*sorted(PACKAGE.glob("*.py")), *STEPPER], ids=lambda path: path.stem
)
def test_imports_point_downwards(path: Path):
    if path in STEPPER:
        allowed = {"stepper", *below("stepper")}
    elif path.stem == "__init__":
        allowed = set(NUMPY_ONLY)
    else:
        assert path.stem in STANDS_ON, "enter the module into STANDS_ON"
        allowed = below(path.stem)
    up = own_imports(path.read_text(encoding="utf-8")) - allowed
    assert not up, f"{path.name} imports {sorted(up)}; it may import {sorted(allowed)}"


PROBE = """
import sys
import {modules}
print(*[name for name in {heavy} if name in sys.modules])
"""


def heavy_ones(modules: list[str]) -> list[str]:
    """Import modules in a fresh interpreter; give the heavy ones that come along."""
    code = PROBE.format(modules=", ".join(modules), heavy=HEAVY)
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split()


def test_importing_needs_numpy_alone():
    modules = ["course_utils", *(f"course_utils.{name}" for name in NUMPY_ONLY)]
    assert heavy_ones(modules) == []


def test_the_other_modules_import_nothing_heavy():
    assert heavy_ones(["course_utils.training", "course_utils.viz"]) == []


# --- style ----------------------------------------------------------------------------


def function_lines(node: ast.FunctionDef) -> int:
    """Count a function's lines, without decorators and docstring."""
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is not None:
        lines -= node.body[0].end_lineno - node.body[0].lineno + 1
    return lines


def test_functions_are_short():
    lengths = [
        function_lines(node)
        for path in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert statistics.median(lengths) <= 10
