"""Run the tests against mutants of the package's core, and hold survivors to a list.

    make mutants                              all modules
    make mutants ARGS="tape scalar"           some of them
    make mutants ARGS=--survivors             those that survived last time
    make mutants ARGS=--continue              after an interruption, the rest

mutmut changes the code in one small place at a time: a `+` into a `-`, a 1 into a 2, an
argument into None. Where the tests stay green, nobody would notice that mistake. A
survivor is then either killed by a new test, or it is *equivalent*: the changed code
does the same, and tests/course_utils/equivalent_mutants.toml says in one line why. It
fails where a survivor is not on that list, and where the list names one that is dead.

mutmut makes the mutants: each function becomes a trampoline to all its versions, and a
variable of the environment says which. `mutmut run` would then start pytest for each.
Here one pytest collects the tests, and forks a child for each mutant, which runs those
that reach the mutated function, fastest first, until one fails: so 3,500 mutants take
minutes instead of hours. A mutant of the compiler is tried with loops run as the
Python that they are, and only what survives that is compiled. What runs while a module
is imported, such as the makers of rules, is tried once more from a child that has not
imported the course yet.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from difflib import unified_diff
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "course_utils" / "equivalent_mutants.toml"
BUILD = ROOT / "mutants"
RESULTS = BUILD / "results.json"
CHOICE = "MUTANT_UNDER_TEST"  # mutmut's own variable
MODULES = ("functional", "tape", "scalar", "rules", "tensor", "layers", "optim")
MODULES += ("gradcheck", "compiler.scalars", "compiler.buffers", "compiler.plan")
TESTS = ("functional", "tape", "tensor", "operations", "quantity", "layers", "nn")
TESTS += ("gradcheck", "gradcheck_report", "gradcheck_second_look")
COMPILER = {  # module → its tests, without those that compile whole steps
    "compiler.scalars": ("scalars",),
    "compiler.buffers": ("parts", "plan"),
    "compiler.plan": ("parts", "plan"),
}
SECONDS, TIMES = 5, 5  # of the processor: an endless loop is a dead mutant
COMPILING = 30  # seconds more where Numba may have to compile the mutant
AS_PYTHON, COMPILED = "as Python", "compiled"  # how loops are run
MOST_MEMORY = 6 * 2**30  # and so is an endless list
KILLED, SURVIVED = "killed", "survived"


class Mutant(NamedTuple):
    """One change: the function it is in, the lines before, and the lines after."""

    function: str
    was: str
    now: str


# --- names and the list ---------------------------------------------------------------


def home(key: str) -> str:
    """Give the function that `key` mutates, as mutmut calls it."""
    return key.rsplit("__mutmut_", 1)[0]


def readable(key: str) -> str:
    """Give `tape.Tape.backward` for `course_utils.tape.xǁTapeǁbackward__mutmut_3`."""
    module, name = parted(home(key))
    return f"{module}.{name[2:].replace('ǁ', '.')}"


def parted(key: str) -> tuple[str, str]:
    """Give the module, inside of course_utils, and the name."""
    module, _, name = key.removeprefix("course_utils.").rpartition(".")
    return module, name


def of_compiler(key: str) -> bool:
    """Whether this is a mutant of the compiler, which has tests of its own."""
    return key.startswith("course_utils.compiler.")


def tests_of(key: str) -> list[str]:
    """Give the files of tests that a mutant is tried with."""
    folder, names = "tests/course_utils", TESTS
    if of_compiler(key):
        folder, names = f"{folder}/compiler", COMPILER[row_of(key)]
    return [f"{folder}/test_{name}.py" for name in names]


def row_of(function: str) -> str:
    """Give the module of `MODULES` that a function, or the key of a mutant, is in."""
    name = function.removeprefix("course_utils.")
    return next(module for module in MODULES if name.startswith(f"{module}."))


def files_of(module: str) -> list[str]:
    """Give the files of a module: `tape`, or `gradcheck/look` and all beside it."""
    home, name = ROOT / "course_utils", module.replace(".", "/")
    paths = [*home.glob(f"{name}.py"), *home.glob(f"{name}/[!_]*.py")]
    return [path.relative_to(home).with_suffix("").as_posix() for path in sorted(paths)]


def changed(diff: Iterable[str]) -> tuple[str, str]:
    """Give the lines that a unified diff takes away, and those it puts there."""
    lines = [x for x in diff if not x.startswith(("---", "+++"))]
    sides = ([x[1:].strip() for x in lines if x[:1] == sign] for sign in "-+")
    was, now = ("\n".join(side) for side in sides)
    return was, now


def equivalents(path: Path = LIST) -> dict[Mutant, str]:
    """Read the list: mutant → the reason why no test can tell it apart."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return {
        Mutant(x["in"], x["was"], now): x["why"] for x in entries for now in x["now"]
    }


# --- making mutants -------------------------------------------------------------------


def generate(modules: list[str]) -> list[str]:
    """Write the tree with all mutants into mutants/; give mutmut's keys of them."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    shutil.rmtree(BUILD / "course_utils", ignore_errors=True)
    shutil.rmtree(BUILD / "tests", ignore_errors=True)
    for name in ("course_utils", "tests"):
        shutil.copytree(ROOT / name, BUILD / name, ignore=lambda *_: ["__pycache__"])
    shutil.copy(ROOT / "pyproject.toml", BUILD)
    found = []
    for file in (file for module in modules for file in files_of(module)):
        path, module = f"course_utils/{file}.py", file.replace("/", ".")
        made = mutate_file_contents(path, (ROOT / path).read_text(encoding="utf-8"))
        (BUILD / path).write_text(made.code, encoding="utf-8")
        found += [f"course_utils.{module}.{name}" for name in made.mutant_names]
    return found


def changes(keys: list[str]) -> dict[str, Mutant]:
    """Look up what each of these mutants changes."""
    import libcst
    from mutmut.mutation import diff_apply

    parsed, found = {}, {}
    for key in keys:
        module, name = parted(key)
        if module not in parsed:
            path = BUILD / "course_utils" / f"{module.replace('.', '/')}.py"
            text = path.read_text(encoding="utf-8")
            parsed[module] = libcst.parse_module(text)
        both = (
            diff_apply.read_original_function(parsed[module], name),
            diff_apply.read_mutant_function(parsed[module], name),
        )
        texts = (libcst.Module([x]).code.splitlines() for x in both)
        found[key] = Mutant(readable(key), *changed(unified_diff(*texts, n=0)))
    return found


# --- trying them ----------------------------------------------------------------------


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


# --- what came out --------------------------------------------------------------------


def table(rows: dict[str, Counter]) -> str:
    """Write the counts, one module a line, as tests/README.md has them."""
    lines = ["| module | mutants | killed | equivalent | unexplained |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for module, n in (*rows.items(), ("all", sum(rows.values(), Counter()))):
        counts = (n.total(), n["killed"], n["equivalent"], n["unexplained"])
        lines.append(f"| {module} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines)


def report(verdicts: dict[str, str]) -> int:
    """Print survivors and counts; 1 where something is left to do."""
    alive = changes([key for key, verdict in verdicts.items() if verdict == SURVIVED])
    known, rows, seen, left = equivalents(), {}, set(), 0
    for key in verdicts:
        row = rows.setdefault(row_of(key), Counter())
        if key not in alive:
            row["killed"] += 1
            continue
        mutant = alive[key]
        seen.add(mutant)
        row["equivalent" if mutant in known else "unexplained"] += 1
        if mutant not in known:
            left += 1
            print(f"\n{mutant.function}\n  was {mutant.was}\n  now {mutant.now}")
    gone = [m for m in known if m not in seen and row_of(m.function) in rows]
    for mutant in gone:
        print(f"\nOn the list, but dead or no mutant any more: {mutant}")
    print("\n" + table(rows))
    return int(bool(left or gone or not rows))


def main(arguments: list[str]) -> int:
    """Make mutants, try them, report."""
    modules = [a for a in arguments if not a.startswith("-")] or list(MODULES)
    os.environ["OMP_NUM_THREADS"] = "1"
    # In the background of a shell Ctrl-C is ignored, and a test that presses it waits.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Without compiled files, a child would compile the mutated package anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.chdir(ROOT)
    mutants, before = generate(modules), {}
    if "--survivors" in arguments or "--continue" in arguments:
        before = json.loads(RESULTS.read_text(encoding="utf-8"))
    done = (KILLED, SURVIVED) if "--continue" in arguments else (KILLED,)
    chosen = [key for key in mutants if before.get(key) not in done]
    verdicts = hunt(chosen, before)
    verdicts = {key: verdicts[key] for key in mutants if key in verdicts}
    RESULTS.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
    return report(verdicts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
