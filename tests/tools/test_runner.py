"""What is stored is what a comparison finds, whatever a cell does to its outputs."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import hygiene
from tools import notebooks, runner, store_outputs

ROOT = Path(__file__).parents[2]
BY_PYTEST = (
    "-m pytest -v -rN --nbval --nbval-current-env -p tests.notebooks.nbval_numeric"
)

# name, source, what the stored cell shows in the end
CELLS = [
    ("semicolon", "1 + 1;", []),
    ("result", "40 + 2", ["42"]),
    ("last", "print(_, _2, Out[2]); _", ["42 42 42", "42"]),
    ("before", "'new'", ["'new'"]),
    ("underscores", "print(_, __, ___, _i)", ["new 42 42 'new'"]),
    ("history", "print(repr(In[1]), len(In), len(Out))", ["'1 + 1;' 7 3"]),
    ("count", "get_ipython().execution_count", ["8"]),
    ("magic", "%history -n 1-2", ["   1: 1 + 1;\n   2: 40 + 2"]),
    ("shell", "a = !echo x\n!echo y\na", ["y", "['x']"]),
    (
        "cleared in a loop",
        "from IPython.display import clear_output, display\n"
        "for i in range(3):\n    clear_output(wait=True)\n    print(i)",
        ["2"],
    ),
    ("cleared at once", "print('a'); clear_output(); print('b')", ["b"]),
    ("cleared to nothing", "print('a'); display('b'); clear_output()", []),
    ("to clear, but nothing comes", "print('a'); clear_output(wait=True)", ["a"]),
    ("drawn anew", "for i in 'ab': clear_output(True); display(i)", ["'b'"]),
    ("updated", "h = display('a', display_id=True); h.update('b')", ["'b'"]),
    ("updated below", "k = display(0.5, display_id='k'); display(1)", ["2.5", "1"]),
    ("shown twice", "display('x', display_id='k'); display('y')", ["2.5", "'y'"]),
    ("updates", "k.update(2.5)", []),
    ("child", "import os\n_c = os.system('echo c; echo d >&2')", ["c", "d"]),
    (
        "process",
        "import subprocess\nsubprocess.run(['echo', 'x']).returncode",
        ["x", "0"],
    ),
    ("descriptor", "_n = os.write(1, b'raw\\n')", ["raw"]),
    (
        "warning",
        "import warnings\nwarnings.warn('w')",
        ["cell:2: UserWarning: w\n  warnings.warn('w')"],
    ),
    (
        "warning elsewhere",
        "import sys, tempfile\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    path = f'{folder}/sub/mod.py'\n"
        "    os.mkdir(f'{folder}/sub')\n"
        "    open(path, 'w').write('from warnings import warn; warn(1)')\n"
        "    subprocess.run([sys.executable, path])\n"
        "    print('in', path)",
        ["in mod.py", "mod.py:1: UserWarning: 1\n  from warnings import warn; warn(1)"],
    ),
    (
        "error",
        "open(folder)",
        ["FileNotFoundError: [Errno 2] No such file or directory: 'tmp'"],
    ),
    ("colours", "print('\\x1b[31m0.123\\x1b[0m')", ["\x1b[31m0.123\x1b[0m"]),
    ("width", "import shutil\nshutil.get_terminal_size().columns", ["80"]),
    ("no names of ours", "'os' in In[1:18] or '_catch_up' in globals()", ["False"]),
]
NAMES = [name for name, *_ in CELLS]


def notebook_file(folder, *sources):
    """Write a notebook of code cells that were not run; an error is announced."""
    made = [nbformat.v4.new_code_cell(source) for source in sources]
    for number, cell in enumerate(made):
        cell.id = f"05-{number:03d}"
        if cell.source == "open(folder)":
            cell.metadata = {"tags": ["raises-exception"]}
    path = folder / "05_round.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def shown(cell):
    """What a stored cell shows: the text of each output."""
    said = []
    for output in cell["outputs"]:
        text = output.get("text") or output.get("data", {}).get("text/plain")
        text = text or f"{output['ename']}: {output['evalue']}"
        said.append("".join(text).rstrip("\n"))
    return said


def compared(path, **more):
    """Compare a stored notebook with a fresh run: the report, and verdicts in order."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    run = subprocess.run(
        [sys.executable, *BY_PYTEST.split(), "--color=no", path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment, **more},
    )
    report = run.stdout + run.stderr
    return report, re.findall(r"::Cell \d+ (PASSED|FAILED|SKIPPED|ERROR)", report)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Store the cells from here, in a pytest, as they are compared in one."""
    folder = tmp_path_factory.mktemp("round")
    path = notebook_file(folder, *(source for _, source, _ in CELLS))
    assert store_outputs.main([str(path)]) == 0
    return path


@pytest.mark.parametrize("number", range(len(CELLS)), ids=NAMES)
def test_the_last_state_is_stored(stored, number):
    cell = json.loads(stored.read_text(encoding="utf-8"))["cells"][number]
    assert shown(cell) == CELLS[number][2]


def test_no_path_of_the_machine_is_stored(stored):
    assert hygiene.no_machine_paths(notebooks.read(stored)) == []


def test_a_fresh_run_is_equal(stored):
    """Though a terminal is wide, colours are asked for, and a start-up file waits."""
    startup = stored.with_name("startup.py")
    startup.write_text("Out = 3", encoding="utf-8")
    more = {"COLUMNS": "200", "FORCE_COLOR": "1", "PYTHONSTARTUP": str(startup)}
    report, verdicts = compared(stored, **more)
    assert verdicts == ["PASSED"] * len(CELLS), report


CHANGED = {"updated below": "2.5", "cleared in a loop": "2", "child": "c", "count": "8"}


def test_what_is_not_equal_fails(stored, tmp_path):
    """Each changed text is a last state that a comparison has to look at."""
    raw = json.loads(stored.read_text(encoding="utf-8"))
    for name, text in CHANGED.items():
        cell = raw["cells"][NAMES.index(name)]
        before = json.dumps(cell["outputs"])
        cell["outputs"] = json.loads(before.replace(f'"{text}', f'"9{text}'))
        assert json.dumps(cell["outputs"]) != before
    path = tmp_path / stored.name
    path.write_text(json.dumps(raw), encoding="utf-8")
    report, verdicts = compared(path)
    failed = {name for name, v in zip(NAMES, verdicts, strict=True) if v == "FAILED"}
    assert failed == set(CHANGED), report


DEADLY = ("a = 1\nprint(a)", "import os\nos._exit(3)", "print(a)")


def test_a_kernel_that_dies_names_its_cell(tmp_path, capsys):
    path = notebook_file(tmp_path, *DEADLY)
    before = path.read_bytes()
    assert store_outputs.main([str(path)]) == 1
    assert path.read_bytes() == before
    told = capsys.readouterr().err
    assert "cell 1 (05-001) failed:\nimport os\nos._exit(3)\n-> Kernel died" in told


def test_a_comparison_goes_on_without_the_kernel(tmp_path):
    """What ran before it died is compared; what did not run fails, and says why."""
    path = notebook_file(tmp_path, DEADLY[0], "pass", DEADLY[2])
    assert store_outputs.main([str(path)]) == 0
    text = path.read_text(encoding="utf-8").replace('"pass"', json.dumps(DEADLY[1]))
    path.write_text(text, encoding="utf-8")
    report, verdicts = compared(path)
    assert verdicts == ["PASSED", "FAILED", "FAILED"], report
    assert report.count("cell 1 (05-001) failed:") == 2


def test_the_kernel_is_this_python(tmp_path, monkeypatch):
    """Though somebody has installed another kernel under its name."""
    other = tmp_path / "kernels" / "python3"
    other.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "Other", "language": "python"}
    (other / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert runner.ThisPython().get_kernel_spec("python3").argv[0] == sys.executable


def test_a_kernel_that_does_not_start_says_so(tmp_path, capsys, monkeypatch):
    lame = {**runner.get_kernel_dict(), "argv": [sys.executable, "-c", "1 / 0"]}
    monkeypatch.setattr(runner, "get_kernel_dict", lambda: lame)
    path = notebook_file(tmp_path, "1")
    assert store_outputs.main([str(path)]) == 1
    told = capsys.readouterr().err
    assert "the kernel did not start: " in told and "ZeroDivisionError" in told


# --- paths ----------------------------------------------------------------------------

TEMP = tempfile.gettempdir()
PATHS = [
    (f"{TEMP}/ipykernel_12/3456.py:1: UserWarning: a", "cell:1: UserWarning: a"),
    (f'File "{TEMP}/ipykernel_1/23.py", line 4', 'File "cell", line 4'),
    (f"{TEMP}/tmpab12cd34/sub/m.py:3: W", "m.py:3: W"),
    (f"in '{TEMP}/tmpab12cd34'.", "in 'tmp'."),
    (f"{TEMP}/tmpab_2cd34.png {TEMP}/a b", "tmp.png a b"),
    (f"{ROOT}/course_utils/optim.py:3, in f", "course_utils/optim.py:3, in f"),
    (f"{os.path.dirname(pytest.__file__)}/mark.py:9", "pytest/mark.py:9"),
    (f"{json.__file__}:1", "json/__init__.py:1"),
    (f"base64,AB{TEMP}/tmpab12cd34/xyz=", f"base64,AB{TEMP}/tmpab12cd34/xyz="),
    (f"https://example.org{TEMP}/a", f"https://example.org{TEMP}/a"),
]


@pytest.mark.parametrize(("text", "hidden"), PATHS)
def test_paths_of_the_machine_are_cut_off(text, hidden):
    assert runner.hide_paths(text) == hidden
    assert runner.hide_paths(hidden) == hidden
