"""Unit tests of the engine, once under the browser's own Python.

make lite && make lite-test

No other test runs under this Python. What a test file imports says whether it can run
there: pytest can, torch and Hypothesis cannot.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

from lecture.lite.build import ROOT

THERE = {"numpy", "pytest", "course_utils"} | sys.stdlib_module_names
THERE -= {"subprocess", "socket", "signal", "threading"}
TESTS = ROOT / "tests" / "course_utils"
# pytest, and what it imports; of Pygments the lexers that it names.
PARTS = ("pytest", "_pytest", "pluggy", "iniconfig", "pygments")
LEXERS = {"__init__.py", "_mapping.py", "diff.py", "python.py"}
RUN = """
import sys
sys.setrecursionlimit(1000)
sys.path.insert(0, "/course/outside")
import pytest
quiet = ["-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:logging"]
pytest.main([*quiet, "-q", "-s", "-rN", "--color=no", "-W", "ignore", "/course/tests"])
"""


def can_run(path: Path) -> bool:
    """Whether all that a test file imports is there in a browser, and all it asks for.

    `tmp_path` is not: pytest makes it for a user, and there are none.
    """
    source = path.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(source)))
    names = [a.name for x in nodes if isinstance(x, ast.Import) for a in x.names]
    names += [x.module or "" for x in nodes if isinstance(x, ast.ImportFrom)]
    tops = {name.partition(".")[0] for name in names}
    return tops <= THERE and "tmp_path" not in source


def outside() -> dict[str, str]:
    """Give the files of pytest, each under the path it has in the browser."""
    py = Path(importlib.util.find_spec("py").origin)  # one file of pytest's
    files = {"outside/py.py": py.read_text(encoding="utf-8")}
    for part in PARTS:
        top = Path(importlib.util.find_spec(part).origin).parent
        for path in top.rglob("*.py"):
            if path.parent.name == "lexers" and path.name not in LEXERS:
                continue
            name = path.relative_to(top.parent).as_posix()
            files[f"outside/{name}"] = path.read_text(encoding="utf-8")
    return files


ASK = """([files, code]) => new Promise(done => {
  const worker = new Worker("/engine/engine.js", { type: "module" });
  let said = "";
  worker.onmessage = ({ data }) => {
    if (data.type === "ready") worker.postMessage({ do: "execute", code, count: 1 });
    if (data.type === "stream") said += data.text;
    if (data.type === "error") said += data.traceback.join("\\n");
    if (["failed", "ended", "reply"].includes(data.type)) {
      worker.terminate();
      done(said + (data.why ?? ""));
    }
  };
  worker.postMessage({ do: "start", base: `${location.origin}/engine/`, kept: files });
})"""


def test_unit_tests_that_need_no_torch_pass_under_the_browsers_python(reader):
    chosen = [path for path in TESTS.glob("test_*.py") if can_run(path)]
    assert len(chosen) >= 8
    files = outside()
    for path in chosen:
        files[f"tests/{path.name}"] = path.read_text(encoding="utf-8")
    one = reader()
    page = one.context.new_page()
    page.goto(f"{one.address}/engine/engine.json")
    said = page.evaluate(ASK, [files, RUN])
    last = said.strip().splitlines()[-1]
    assert " passed" in last and " failed" not in last and "error" not in last, said
    assert int(last.split()[0]) > 100
