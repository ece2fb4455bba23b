"""Try the tests against mutants: one pytest collects, and forks a child for each.

The child runs the tests that reach the mutated function, fastest first, until one
fails. A mutant of the compiler is tried with loops run as the Python that they are, and
only what survives that is compiled. What runs while a module is imported, such as the
makers of rules, is tried once more from a child that has not imported the course yet.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tools.mutating import BUILD, ROOT, home, row_of

RESULTS = BUILD / "results.json"
CHOICE = "MUTANT_UNDER_TEST"  # mutmut's own variable
TESTS = ("functional", "tape", "tensor", "operations", "quantity", "layers", "nn")
TESTS += ("gradcheck", "gradcheck_report", "gradcheck_second_look")
COMPILER = {  # module → its tests, without those that compile whole steps
    "compiler.scalars": ("scalars",),
    "compiler.buffers": ("parts", "plan"),
    "compiler.plan": ("parts", "plan"),
    "compiler.held": ("held",),
}
SECONDS, TIMES = 5, 5  # of the processor: an endless loop is a dead mutant
COMPILING = 30  # seconds more where Numba may have to compile the mutant
AS_PYTHON, COMPILED = "as Python", "compiled"  # how loops are run
MOST_MEMORY = 6 * 2**30  # and so is an endless list
KILLED, SURVIVED = "killed", "survived"


def of_compiler(key: str) -> bool:
    """Whether this is a mutant of the compiler, which has tests of its own."""
    return key.startswith("course_utils.compiler.")


def tests_of(key: str) -> list[str]:
    """Give the files of tests that a mutant is tried with."""
    folder, names = "tests/course_utils", TESTS
    if of_compiler(key):
        folder, names = f"{folder}/compiler", COMPILER[row_of(key)]
    return [f"{folder}/test_{name}.py" for name in names]


class Hunt:
    """A plugin of pytest: it collects as always, then runs tests against mutants."""

    def __init__(self, mutants: list[str], before: dict[str, str]):
        self.mutants = mutants
        self.verdicts = dict(before)
        self.again: list[str] = []
        self.reach: dict[tuple[str, bool], dict[str, dict[str, float]]] = {}

    def pytest_runtestloop(self, session: Any) -> bool:
        """Try all mutants, instead of running the tests once."""
        from mutmut.state import state

        self.items = {item.nodeid: item for item in session.items}
        imported = set(state()._stats)
        no_shrinking()
        compile_the_chosen()
        warm_up()
        for i, key in enumerate(self.mutants):
            ways = (AS_PYTHON, COMPILED) if of_compiler(key) else (COMPILED,)
            dead = any(self.dies(key, loops) for loops in ways)
            if not dead and home(key) in imported:
                self.again.append(key)
            self.verdicts[key] = KILLED if dead else SURVIVED
            if i % 20 == 0:
                self.save(i)
        self.save(len(self.mutants))
        return True

    def save(self, tried: int) -> None:
        """Store what is known so far: a hunt may be interrupted."""
        RESULTS.write_text(json.dumps(self.verdicts, indent=1), encoding="utf-8")
        alive = sum(v == SURVIVED for v in self.verdicts.values())
        line = f"{tried}/{len(self.mutants)} tried, {alive} survive"
        print(line, file=sys.__stderr__, flush=True)

    def survey(self, loops: str, compiler: bool) -> dict[str, dict[str, float]]:
        """Run every test once: function → seconds of each test that reaches it.

        Some tests of the compiler need Numba: as Python they are not asked.
        """
        from mutmut.state import state

        reach: dict[str, dict[str, float]] = {}
        for name, item in self.items.items():
            if ("/compiler/" in name) != compiler:
                continue
            state()._stats.clear()
            start = time.process_time()
            if not passes(item, loops):
                if loops == AS_PYTHON:
                    print(f"not as Python: {name}", file=sys.__stderr__, flush=True)
                    continue
                raise RuntimeError(f"{name} fails without any mutant")
            for function in state()._stats:
                reach.setdefault(function, {})[name] = time.process_time() - start
        return reach

    def dies(self, key: str, loops: str) -> bool:
        """Whether a test of a forked child fails, or takes far too much."""
        import resource  # Windows has neither this nor fork

        asked = loops, of_compiler(key)
        if asked not in self.reach:
            self.reach[asked] = in_child(self.survey, BUILD / "reach.json", *asked)
        seconds_of = self.reach[asked].get(home(key), {})
        tests = sorted(seconds_of, key=seconds_of.get)
        seconds = SECONDS + TIMES * sum(seconds_of.values())
        seconds += COMPILING * (asked == (COMPILED, True))
        child = os.fork()
        if not child:
            code = 1
            try:
                most = int(seconds) + 1
                resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
                resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
                os.environ[CHOICE] = key
                code = int(not all(passes(self.items[test], loops) for test in tests))
            finally:
                os._exit(code)
        return os.waitpid(child, 0)[1] != 0


def passes(item: Any, loops: str) -> bool:
    """Run one collected test, with its fixtures."""
    from _pytest.runner import runtestprotocol

    from tests.course_utils.compiler.plain import plain_loops

    with plain_loops() if loops == AS_PYTHON else nullcontext():
        reports = runtestprotocol(item, log=False, nextitem=None)
    return not any(report.failed for report in reports)


def no_shrinking() -> None:
    """Let Hypothesis stop at the first failure: nobody will read a smaller one."""
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.generate)
    how = {"phases": phases, "database": None, "report_multiple_bugs": False}
    settings.register_profile("mutants", settings.default, **how)
    settings.load_profile("mutants")


def chosen(function: Any) -> Any:
    """Give the version of a function that its trampoline would call now."""
    from mutmut.state import state

    module, name = function.__module__, f"x_{function.__name__}"
    versions = getattr(sys.modules.get(module), f"mutants_{name}__mutmut", None)
    if versions is None:
        return function
    under_test, _, version = os.environ[CHOICE].rpartition(".")
    if version == "stats":
        state()._stats.add(f"{module}.{name}")
    original = versions["_mutmut_orig"]
    return versions.get(version, original) if under_test == module else original


def compile_the_chosen() -> None:
    """Let Numba compile what a trampoline calls: the trampoline itself it cannot."""
    from course_utils.compiler import jit

    compiled = jit.compiled

    def ours(function: Any, *how: Any) -> Any:
        return compiled(chosen(function), *how)

    for module in list(sys.modules.values()):
        if getattr(module, "compiled", None) is compiled:
            module.compiled = ours


def warm_up() -> None:
    """Let Hypothesis read sources, and Numba compile, once and not in each child."""
    from hypothesis import given, settings, strategies

    from course_utils.compiler import CompiledTape
    from course_utils.scalar import Value

    @settings(max_examples=1)
    @given(strategies.integers(), strategies.floats(), strategies.text())
    def nothing(number: int, real: float, text: str) -> None:
        pass

    nothing()
    CompiledTape(Value(2.0) * Value(3.0)).backward()  # what Numba compiles for it
    gc.collect()
    gc.freeze()  # children share what nobody counts anew


def in_child(function: Any, path: Path, *inputs: Any) -> Any:
    """Call a function in a fork, so that it leaves no trace here but its result."""
    child = os.fork()
    if not child:
        code = 1
        try:
            path.write_text(json.dumps(function(*inputs)), encoding="utf-8")
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1]:
        sys.exit("mutants: a child failed; its words stand above")
    return json.loads(path.read_text(encoding="utf-8"))


def pytest_arguments(mutants: Iterable[str]) -> list[str]:
    """Name the tests of these mutants, and leave out what would only cost time.

    A traceback in pytest's own style parses the whole module anew, with all mutants in
    it, and nobody reads it: that alone took longer than most tests.
    """
    names = ("cacheprovider", "xdist", "nbval", "faulthandler", "logging", "warnings")
    off = [f"-pno:{name}" for name in names]
    paths = {path for key in mutants for path in tests_of(key)}
    return ["-q", "--rootdir=.", "--tb=native", *off, *sorted(paths)]


def run_fresh(key: str) -> bool:
    """Whether the tests fail where the course is imported as a mutant."""
    import pytest

    os.environ[CHOICE] = key
    return pytest.main(["-x", *pytest_arguments([key])], plugins=[Unshrunk()]) != 0


class Unshrunk:
    """A plugin of pytest: no shrinking, once the settings of the tests are loaded."""

    def pytest_collection_finish(self) -> None:
        """Tests are collected, and none has run."""
        no_shrinking()


def try_all(
    mutants: list[str], before: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Collect once and fork for each mutant; verdicts, and whom to try once more."""
    import pytest

    os.environ[CHOICE] = "stats"
    hunt = Hunt(mutants, before)
    if code := pytest.main(pytest_arguments(mutants), plugins=[hunt]):
        raise RuntimeError(f"pytest ended with {code!r}")
    return hunt.verdicts, hunt.again


def hunt(mutants: list[str], before: dict[str, str]) -> dict[str, str]:
    """Try the mutants; add to what is known killed or survived for each."""
    import hypothesis.strategies  # noqa: F401 — these two once, before all forks
    import torch  # noqa: F401
    from mutmut.configuration import config

    config()  # reads pyproject.toml of the folder that we leave now
    os.chdir(BUILD)
    sys.path[:] = [str(BUILD), *(p for p in sys.path if p not in ("", str(ROOT)))]
    verdicts, again = in_child(try_all, BUILD / "tried.json", mutants, before)
    for key in again:
        if in_child(run_fresh, BUILD / "fresh.json", key):
            verdicts[key] = KILLED
    os.chdir(ROOT)
    return verdicts
