"""Mutants of the package's core: made by mutmut, each with a name that can be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "mutants"
MODULES = ("functional", "tape", "scalar", "rules", "tensor", "layers", "optim")
MODULES += ("gradcheck", "compiler.scalars", "compiler.buffers", "compiler.plan")
MODULES += ("compiler.held",)


class Mutant(NamedTuple):
    """One change: the function it is in, the lines before, and the lines after."""

    function: str
    was: str
    now: str


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
