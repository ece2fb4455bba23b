"""The set-up check, in really broken set-ups: each in an interpreter of its own."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from course_utils import checkup, data
from course_utils.checkup import Line, Setup, check_setup
from tools.notebooks import FOLDER, read

ROOT = Path(checkup.__file__).resolve().parents[1]
NEEDED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = [Requirement(text).name for text in NEEDED["dependencies"]]
ASK = """
import json
from course_utils.checkup import check_setup
setup = check_setup()
print(json.dumps([setup.ready, [vars(line) for line in setup.lines]]))
"""


# ---------------------------------------------------------------- broken set-ups


def copy_of_course(tmp_path: Path, with_data: bool = True) -> Path:
    """Copy the package, its metadata source and the data to another place."""
    root = tmp_path / "the course"
    ours = shutil.ignore_patterns("__pycache__", "*-ubyte")
    shutil.copytree(ROOT / "course_utils", root / "course_utils", ignore=ours)
    shutil.copy(ROOT / "pyproject.toml", root)
    if with_data:
        shutil.copytree(ROOT / "data", root / "data", ignore=ours)
    return root


def environment(*folders: Path, **more: str) -> dict:
    path = os.pathsep.join(map(str, folders))
    return {**os.environ, "PYTHONPATH": path, "COURSE_DATA": os.devnull, **more}


def ask(*folders: Path, flags: tuple = (), **more: str) -> tuple[bool, dict]:
    """Run the check with folders in front of everything else; lines by name."""
    run = subprocess.run(
        [sys.executable, *flags, "-c", ASK],
        cwd=folders[-1],
        env=environment(*folders, **more),
        capture_output=True,
        text=True,
        check=True,
    )
    ready, lines = json.loads(run.stdout)
    return ready, {line["name"]: Line(**line) for line in lines}


def fake(folder: Path, name: str, version: str, body: str | None = None) -> Path:
    """Lay a package of that name and version into a folder, as an installer does."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    if body is not None:
        (folder / f"{checkup._module(name)}.py").write_text(body, encoding="utf-8")
    return folder


def stand_ins(tmp_path: Path) -> Path:
    """Lay an empty new package for each needed one but NumPy: quick to import."""
    for name in NAMES:
        if name != "numpy":
            fake(tmp_path / "stand-ins", name, "99.0", "")
    return tmp_path / "stand-ins"


def without_packages(tmp_path: Path, *but: str) -> Path:
    """Make a folder with links to the packages `but`, to stand for all installed."""
    if os.name == "nt":
        pytest.skip("making links needs a right of its own there")
    folder = tmp_path / "few packages"
    folder.mkdir()
    for name in but:
        for file in {f.parts[0] for f in metadata.files(name)} - {".."}:
            where = Path(metadata.distribution(name).locate_file(file))
            (folder / file).symlink_to(where)
    return folder


@pytest.fixture(scope="module")
def healthy() -> Setup:
    return check_setup()


# ---------------------------------------------------------------- a good set-up


def test_everything_is_ready_here(healthy):
    assert healthy and healthy.ready and not healthy.problems, repr(healthy)
    assert {"Python", *NAMES, *data._SHA256} <= {line.name for line in healthy.lines}
    assert all(line.mend == "" for line in healthy.lines if line.status == "ok")


def test_both_views_name_every_line(healthy):
    for line in healthy.lines:
        assert line.name in repr(healthy)
        assert line.name in healthy._repr_html_()
    assert repr(healthy).startswith("Everything is ready.")
    assert len(repr(healthy).splitlines()) <= 30
    assert not re.search(r"site-packages|<script|<style", healthy._repr_html_())


def test_as_a_program_it_exits_with_0(healthy, monkeypatch, capsys):
    """How the program is started and left is tested below, where it exits with 1."""
    monkeypatch.setattr(checkup, "check_setup", lambda: healthy)
    assert checkup.main() == 0
    assert capsys.readouterr().out == repr(healthy) + "\n"


# ---------------------------------------------------------------- packages


def test_numpy_and_torch_missing(tmp_path):
    """A Python with tqdm and nothing else: no torch, no NumPy, so no data module."""
    root = copy_of_course(tmp_path)
    few = without_packages(tmp_path, "tqdm")
    ready, lines = ask(few, root, flags=("-S",))
    assert not ready
    for name in ("numpy", "torch", "torchvision"):
        assert (lines[name].status, lines[name].found) == ("missing", "nothing")
        assert lines[name].needed.endswith("or newer")
        assert re.search(rf'install .*"{name}>=[\d.]+"', lines[name].mend)
        assert Path(sys.executable).name in lines[name].mend
    assert lines["tqdm"].status == "ok"
    assert lines["MNIST"].status == "not checked"
    assert lines["MNIST"].mend == "mend numpy first, then check again"
    # Not installed either: it runs from its folder, and says so.
    assert lines["the course"].status == "missing"
    assert f'install --no-deps -e "{root}"' in lines["the course"].mend


def test_numpy_too_old(tmp_path):
    version = "1.26.4"
    ready, lines = ask(
        fake(tmp_path / "old", "numpy", version), stand_ins(tmp_path), ROOT
    )
    assert not ready
    assert (lines["numpy"].status, lines["numpy"].found) == ("too old", version)
    assert lines["numpy"].needed == "2.0 or newer"
    assert lines["numpy"].mend.endswith('install --upgrade "numpy>=2.0"')
    assert lines["torch"].status == "ok"


def test_an_old_numpy_that_breaks_the_data_module(tmp_path):
    """Its import fails, with what no one expects: it is said, and nothing is raised."""
    old = fake(tmp_path / "old", "numpy", "1.8.0", "raise AttributeError('no ndarray')")
    ready, lines = ask(old, ROOT)
    assert not ready
    assert lines["numpy"].status == "too old"
    assert lines["MNIST"].status == "not checked"
    assert "no ndarray" in lines["MNIST"].found
    # What merely follows from it is not to be installed anew.
    assert lines["matplotlib"].mend == "mend numpy first, then check again"


def test_torch_that_cannot_be_imported(tmp_path):
    body = "raise OSError('libtorch.so: <no such file>')"
    broken = fake(tmp_path / "broken", "torch", "2.99.0+cpu", body)
    ready, lines = ask(broken, stand_ins(tmp_path), ROOT)
    assert not ready
    assert lines["torch"].status == "damaged"
    assert "OSError: libtorch.so: <no such file>" in lines["torch"].found
    assert '--force-reinstall --no-deps "torch==2.99.0"' in lines["torch"].mend
    assert "&lt;no such file&gt;" in Setup([lines["torch"]])._repr_html_()


def test_a_package_that_ends_python(tmp_path):
    broken = fake(tmp_path / "b", "fastcore", "9.0", "import os; os._exit(1)")
    fake(broken, "torch", "99.0", "raise OSError")  # comes after: still looked at
    ready, lines = ask(broken, stand_ins(tmp_path), ROOT)
    assert not ready
    assert lines["fastcore"].status == "damaged"
    assert "it ends Python" in lines["fastcore"].found
    assert lines["torch"].status == "damaged"
    others = set(NAMES) - {"fastcore", "torch"}
    assert {lines[name].status for name in others} == {"ok"}


def test_tools_for_authors_do_not_count(tmp_path):
    ready, lines = ask(
        fake(tmp_path / "old", "pytest", "1.0"), stand_ins(tmp_path), ROOT
    )
    assert ready
    assert lines["pytest"].status == "too old"
    there, of_all = map(int, lines["tools for authors"].found.split(" of "))
    assert there == of_all - 1


# ---------------------------------------------------------------- data

SMALL = "t10k-labels-idx1-ubyte.gz"


def ask_for_data(tmp_path: Path, root: Path, **more: str) -> dict:
    """Check a copy where NumPy is the one package: nothing else takes time to import.

    The links to it are made once.
    """
    few = tmp_path / "few packages"
    if not few.exists():
        without_packages(tmp_path, "numpy")
    ready, lines = ask(few, root, flags=("-S",), **more)
    assert not ready  # there is no torch
    assert lines["numpy"].status == "ok"
    return lines


def course_with(tmp_path: Path, change, git: bool) -> tuple[Line, Path]:
    """Check a copy of the course whose small file was changed; give that line."""
    root = copy_of_course(tmp_path)
    if git:
        (root / ".git").mkdir()
    change(root / "data" / "MNIST" / "raw" / SMALL)
    lines = ask_for_data(tmp_path, root)
    assert {lines[name].status for name in set(data._SHA256) - {SMALL}} == {"ok"}
    return lines[SMALL], root


def flip_one_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)


def test_one_byte_flipped(tmp_path):
    line, root = course_with(tmp_path, flip_one_byte, git=True)
    assert line.status == "damaged"
    assert re.match(r"4,542 bytes, SHA-256 [0-9a-f]{12}…", line.found)
    assert line.needed == f"SHA-256 {data._SHA256[SMALL][:12]}…"
    assert line.needed not in line.found
    assert line.mend == f'git -C "{root}" checkout -- data/MNIST/raw/{SMALL}'


def test_the_mend_for_a_damaged_file_mends_it(tmp_path):
    """In a repository, the very command that was named brings the original back."""
    quiet = {"check": True, "capture_output": True}
    root = copy_of_course(tmp_path)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init"], ["add", "data"], [*who, "commit", "-m", "data"]):
        subprocess.run(["git", *words], cwd=root, **quiet)
    flip_one_byte(root / "data" / "MNIST" / "raw" / SMALL)
    lines = ask_for_data(tmp_path, root)
    subprocess.run(lines[SMALL].mend, shell=True, **quiet)
    lines = ask_for_data(tmp_path, root)
    assert lines[SMALL].status == "ok"


def test_a_file_missing(tmp_path):
    line, _ = course_with(tmp_path, Path.unlink, git=False)
    assert (line.status, line.found) == ("missing", "nothing")
    assert "from course_utils.data import mnist; mnist()" in line.mend


def test_a_damaged_file_without_git(tmp_path):
    line, _ = course_with(tmp_path, flip_one_byte, git=False)
    assert line.status == "damaged"
    assert re.match(r"(rm|del) .*, then .* mnist\(\)", line.mend)


def test_a_folder_in_place_of_a_file(tmp_path):
    def change(path):
        path.unlink()
        path.mkdir()

    line, _ = course_with(tmp_path, change, git=True)
    assert line.status == "damaged"
    assert "cannot be read: a folder lies where a file is expected" in line.found


def test_files_in_the_cache_do(tmp_path):
    root = copy_of_course(tmp_path, with_data=False)
    lines = ask_for_data(tmp_path, root, COURSE_DATA=str(ROOT / "data"))
    assert {lines[name].status for name in data._SHA256} == {"ok"}


def test_as_a_program_it_exits_with_1(tmp_path):
    """And prints where a console knows ASCII only."""
    root = copy_of_course(tmp_path)
    flip_one_byte(root / "data" / "MNIST" / "raw" / SMALL)
    run = subprocess.run(
        [sys.executable, "-m", "course_utils.checkup"],
        cwd=root,
        env=environment(stand_ins(tmp_path), root, PYTHONIOENCODING="ascii"),
        capture_output=True,
        encoding="ascii",
    )
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith(f"Not ready yet. To mend, from top to bottom: {SMALL}")
    assert f"{SMALL}: damaged. To mend:\n    rm " in run.stdout or os.name == "nt"


# ---------------------------------------------------------------- reading


def test_needs_are_read_as_packaging_reads_them():
    dev = NEEDED["optional-dependencies"]["dev"]
    for text in [*NEEDED["dependencies"], *[f'{d}; extra == "dev"' for d in dev]]:
        name, least, extra = checkup._read_need(text)
        want = Requirement(text)
        assert name == want.name
        assert f">={least}" == str(want.specifier)
        assert extra == ("dev" if text.endswith('"dev"') else "")


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.26.4", "2.0"), ("2.9", "2.13"), ("0.5.2", "0.5.3"), ("2.13", "2.13.1+cpu")],
)
def test_versions_are_ordered(older, newer):
    assert Version(older) < Version(newer)
    assert checkup._number(older) < checkup._number(newer)


def test_equal_versions_are_equal():
    assert checkup._number("2.13") == checkup._number("2.13.0+cu130")
    assert checkup._number("no number") == ()


OLDEST = (3, 6)  # what an old machine may have; newer syntax would only be an error
READ_BY_OLD = [Path(checkup.__file__), Path(checkup.__file__).with_name("__init__.py")]


@pytest.mark.parametrize("path", READ_BY_OLD, ids=lambda path: path.name)
def test_an_old_python_can_read_it(path):
    """To say that Python is too old, it has to run on one."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=OLDEST)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert "__future__" not in {node.module for node in imports}  # annotations: 3.7


AS_OLD = "import sys; sys.version_info = {!r}; import course_utils.checkup as c"


@pytest.mark.parametrize("version", [(3, 6, 15, "final", 0), (3, 7, 16, "final", 0)])
def test_an_old_python_is_told_which_one_is_needed(version):
    """In one line, before anything is imported that it lacks."""
    code = f"import sys; sys.modules['dataclasses'] = None; {AS_OLD.format(version)}"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 1 and run.stdout == ""
    found = ".".join(map(str, version[:3]))
    said = (
        f"The course needs Python {checkup._PYTHON} or newer; this is {found}. Mend: "
    )
    assert run.stderr.startswith(said)
    assert len(run.stderr.splitlines()) == 1


def test_the_python_named_is_the_one_needed():
    assert NEEDED["requires-python"] == f">={checkup._PYTHON}"


def test_what_was_installed_before_does_not_count(tmp_path):
    """After an update of the checkout, its installation still names the old bounds."""
    root = copy_of_course(tmp_path)
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    text = re.sub('"tqdm>=[^"]+"', '"tqdm>=77.0"', text)
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    old = fake(tmp_path / "installed", checkup._PROJECT, "0.9")
    with next(old.glob("*.dist-info/METADATA")).open("a", encoding="utf-8") as file:
        file.write("Requires-Python: >=3.9\nRequires-Dist: tqdm>=4.0\n")
    few = without_packages(tmp_path, "numpy", "tqdm")
    _, lines = ask(old, few, root, flags=("-S",))
    assert (lines["the course"].status, lines["the course"].found) == ("ok", "0.9")
    assert (lines["tqdm"].status, lines["tqdm"].needed) == ("too old", "77.0 or newer")
    assert lines["Python"].needed == f"{checkup._PYTHON} or newer"
    # Installed without its source, it says what it needed then.
    (root / "pyproject.toml").unlink()
    _, lines = ask(old, few, root, flags=("-S",))
    assert (lines["tqdm"].status, lines["tqdm"].needed) == ("ok", "4.0 or newer")


# ---------------------------------------------------------------- what 00 has stored


def stored_rows() -> dict:
    """The table that notebook 00 shows: name → (status, found, needed)."""
    cells = read(FOLDER / "00_start_here.ipynb").cells
    (cell,) = [c for c in cells if "check_setup()" in c.source]
    text = cell.outputs[0]["data"]["text/plain"]
    found = [re.split(r"  +", line) for line in text.splitlines() if "  " in line]
    return {row[1]: (row[0], *row[2:]) for row in found[1:]}


def test_the_stored_check_says_what_is_needed():
    """No comparison of outputs looks at it, since versions differ with the machine."""
    rows = stored_rows()
    for text in NEEDED["dependencies"]:
        name, least, _ = checkup._read_need(text)
        status, found, needed = rows.pop(name)
        assert (status, needed) == ("ok", f"{least} or newer"), name
        assert Version(found) >= Version(least)
    assert rows.pop("Python")[2] == f"{checkup._PYTHON} or newer"
    n_tools = len(NEEDED["optional-dependencies"]["dev"])
    assert rows.pop("tools for authors")[1] == f"{n_tools} of {n_tools}"
    assert set(rows) == {"the course", *data._SHA256}


def test_python_too_old():
    line = checkup._python_line("99.1")
    assert line.status == "too old"
    assert line.needed == "99.1 or newer"
    assert "make lab PYTHON=" in line.mend


def test_nothing_checked_is_not_ready():
    assert not Setup([])
