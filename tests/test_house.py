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
from setuptools import find_packages

from tools.notebooks import COURSE, ROOT, about_minutes, lessons, paths, read
from tools.pin_environment import direct, locked, render

PACKAGE, EXERCISES = ROOT / "course_utils", ROOT / "course_exercises"
PACKAGES = PACKAGE, EXERCISES
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
    said = {path.stem: about_minutes(read(path)) for path in lessons()}
    found = [(stem, int(minutes)) for stem, minutes in row.findall(text("README.md"))]
    assert found == list(said.items()), "run python -m tools.minutes --write"


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


# --- what is installed ----------------------------------------------------------------


def test_every_folder_of_the_packages_is_installed():
    told = tomllib.loads(text("pyproject.toml"))["tool"]["setuptools"]
    found = find_packages(str(ROOT), **told["packages"]["find"])
    inits = [path for package in PACKAGES for path in package.rglob("__init__.py")]
    folders = [path.parent.relative_to(ROOT) for path in inits]
    assert sorted(found) == sorted(".".join(folder.parts) for folder in folders)
    with_code = {path.parent for package in PACKAGES for path in package.rglob("*.py")}
    assert with_code == {path.parent for path in inits}
    for folder, patterns in told["package-data"].items():
        for pattern in patterns:
            assert list(ROOT.joinpath(*folder.split(".")).glob(pattern)), pattern


# --- imports --------------------------------------------------------------------------

# Who stands on whom; what is further down may be imported as well. A folder is one.
STANDS_ON = {
    "functional": (),
    "tape": (),
    "gradcheck": (),
    "data": (),
    "launch": (),
    "optim": (),
    "layers": ("functional",),
    "scalar": ("tape", "functional"),
    "rules": ("tape", "functional"),
    "tensor": ("rules",),
    "pictures": ("tensor",),
    "layer_checks": ("functional",),
    "nn": ("pictures", "layer_checks"),
    "attention": ("nn",),
    "weights": ("nn", "data"),
    "training": ("nn", "optim", "data"),
    "viz": ("tape",),
    "checkup": ("data",),
    "rulebook": ("functional", "gradcheck", "optim"),
    "conventions": ("tensor", "gradcheck"),
    "compiler": ("scalar", "tensor"),
}
NEEDS_MORE = ("training", "viz")
NUMPY_ONLY = [name for name in STANDS_ON if name not in NEEDS_MORE]
HEAVY = ("torch", "torchvision", "matplotlib", "tqdm", "sklearn", "IPython", "numba")


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


FILES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """Give `viz.page` for course_utils/viz/page.py, `viz` for the folder's own file."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def test_files_have_dotted_names():
    names = {dotted(path) for path in FILES}
    assert {"", "tape", "viz", "viz.page", "viz.stepper", "viz.stepper.svg"} <= names


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_imports_point_downwards(path: Path):
    module = dotted(path).split(".")[0]
    if module:
        assert module in STANDS_ON, "enter the module into STANDS_ON"
        allowed = {module, *below(module)}
    else:
        allowed = set(NUMPY_ONLY)
    up = own_imports(path.read_text(encoding="utf-8")) - allowed
    assert not up, f"{path.name} imports {sorted(up)}; it may import {sorted(allowed)}"


# What stands in a folder, from the ground up: each file may import those before it.
LAYERS = {
    "functional": (
        *("shapes", "elementwise", "products", "logits", "losses", "reductions"),
        *("normalisation", "convolution", "pooling", "attention"),
    ),
    "gradcheck": (
        *("arguments", "numerical", "comparing", "slopes", "kinks", "noise", "look"),
        *("setting", "settling", "naming", "report", "together", "checks"),
        "__main__",
    ),
    "compiler": (
        *("jit", "rows", "scalars", "lines", "writing", "calls", "around", "buffers"),
        *("stages", "naming", "places", "kinds", "symbols", "standins", "nests"),
        *("loops", "blame", "spreads", "watching", "turning", "shorten", "plan"),
        *("source", "running", "held", "replays", "loss", "step"),
    ),
    "viz": (
        *("naming", "boxes", "layout", "house", "page", "sheet", "graph"),
        *("network", "curves", "depth", "matrices", "products", "boundary"),
        *(
            "attention",
            "answers",
            "memory",
            "landscape",
            "prices",
            "stepper",
            "stepping",
        ),
    ),
    "viz.stepper": ("watch", "views", "steps", "picture", "svg", "build"),
}


def imported(source: str) -> set[str]:
    """Give what a source imports from course_utils: modules, and names in modules."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {f"{node.module}.{name.name}" for name in node.names}
    start = "course_utils."
    return {name.removeprefix(start) for name in found if name.startswith(start)}


@pytest.mark.parametrize("folder", LAYERS)
def test_imports_point_downwards_inside_a_folder(folder: str):
    files = LAYERS[folder]
    home = PACKAGE / folder.replace(".", "/")
    there = {path.stem for path in home.glob("*.py")} - {"__init__"}
    there |= {path.parent.name for path in home.glob("*/__init__.py")}
    assert sorted(files) == sorted(there), "enter each file into LAYERS, once"
    for k, file in enumerate(files):
        for path in sorted([*home.glob(f"{file}.py"), *home.glob(f"{file}/*.py")]):
            for name in imported(path.read_text(encoding="utf-8")):
                if name.startswith(f"{folder}."):
                    first = name.removeprefix(f"{folder}.").split(".")[0]
                    own = path.parent != home and first == file
                    assert own or first in files[:k], f"{dotted(path)} imports {name}"


INSIDE = {f"{folder}.{file}" for folder, files in LAYERS.items() for file in files}


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_a_folder_is_entered_by_its_front_door(path: Path):
    """From elsewhere `gradcheck` is imported, and none of its files."""
    own = dotted(path).split(".")[0]
    for name in imported(path.read_text(encoding="utf-8")):
        file = ".".join(name.split(".")[:2])
        assert file not in INSIDE or file.startswith(f"{own}."), f"imports {file}"


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


# --- the exercises --------------------------------------------------------------------

ALL = sorted(EXERCISES.rglob("*.py"))
ROOMS = sorted(EXERCISES.glob("nb[0-9][0-9]"))
MACHINE = [path for path in ALL if path.parent not in ROOMS]
MOST_CONTENT = 840  # lines for each notebook, on average


def short(path: Path) -> str:
    """Give the place in the house, without the ending."""
    return path.relative_to(ROOT).with_suffix("").as_posix()


def exercise_imports(path: Path) -> set[str]:
    """Give what a file imports from course_exercises: the parts behind its name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = path.parent.relative_to(ROOT).parts
            base = home[: len(home) + 1 - node.level] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            found |= {module, *(f"{module}.{name.name}" for name in node.names)}
    start = "course_exercises."
    return {name.removeprefix(start) for name in found if name.startswith(start)}


@pytest.mark.parametrize("path", FILES, ids=dotted)
def test_the_package_knows_no_exercise(path: Path):
    assert not exercise_imports(path)


@pytest.mark.parametrize("path", MACHINE, ids=short)
def test_the_machine_holds_no_exercise(path: Path):
    assert not [name for name in exercise_imports(path) if name.startswith("nb")]


@pytest.mark.parametrize(
    "path", [path for path in ALL if path.parent in ROOMS], ids=short
)
def test_a_room_knows_the_judge_and_its_neighbours(path: Path):
    first = {name.split(".")[0] for name in exercise_imports(path)}
    assert first <= {"judge", path.parent.name}


@pytest.mark.parametrize("room", ROOMS, ids=short)
def test_each_exercise_has_a_file_of_its_own(room: Path):
    aside = ("__init__", "shared", "programs")  # 01.5 is asked of programs
    files = [p for p in room.glob("*.py") if p.stem not in aside]
    sources = [path.read_text(encoding="utf-8") for path in files]
    assert all(source.count("\nex = Exercise(") == 1 for source in sources)
    own = f'"""{room.name[2:]}.'
    assert len({s[:8] for s in sources if s.startswith(own)}) == len(sources)


def test_the_exercises_stay_small():
    files = [path for room in ROOMS for path in room.glob("*.py")]
    lines = sum(len(p.read_text(encoding="utf-8").splitlines()) for p in files)
    assert lines <= MOST_CONTENT * len(ROOMS)


def test_tests_stand_in_folders_named_like_the_rooms():
    tests = ROOT / "tests"
    folders = {path.parent.name for path in tests.glob("*/test_*.py")}
    assert all((ROOT / name).is_dir() for name in folders - {"browser"})
    assert [path.name for path in tests.glob("test_*.py")] == ["test_house.py"]


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
        for path in (*FILES, *MACHINE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert statistics.median(lengths) <= 10


MOST_LINES = 400


@pytest.mark.parametrize("path", [*FILES, *ALL], ids=short)
def test_no_file_is_long(path: Path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{lines} lines: make two files, or a folder"
