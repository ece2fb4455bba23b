"""The list of equivalent mutants still speaks of the code that is there."""

import ast
from difflib import unified_diff

import pytest

from tools.mutants import equivalents, table
from tools.mutating import MODULES, changed, files_of, readable
from tools.notebooks import ROOT

LISTED = equivalents()


def lines_of(function: str) -> list[str]:
    """Give the lines of `tape.Tape.backward`, each without its indentation."""
    file, names = ROOT / "course_utils", function.split(".")
    while not file.with_suffix(".py").is_file():
        file /= names.pop(0)
    text = file.with_suffix(".py").read_text(encoding="utf-8")
    node = ast.parse(text)
    for name in names:
        node = next(x for x in node.body if getattr(x, "name", None) == name)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    return [line.strip() for line in lines]


@pytest.mark.parametrize("mutant", LISTED, ids=lambda m: f"{m.function}: {m.now}")
def test_what_is_listed_is_still_there(mutant):
    assert mutant.function.startswith(tuple(f"{module}." for module in MODULES))
    text = "\n".join(lines_of(mutant.function))
    assert mutant.was in text and mutant.was != mutant.now
    assert "\n" not in LISTED[mutant] and len(LISTED[mutant]) > 10


def test_names_are_readable():
    key = "course_utils.tape.xǁTapeǁbackward__mutmut_3"
    assert readable(key) == "tape.Tape.backward"
    assert (
        readable("course_utils.functional.x__check__mutmut_12") == "functional._check"
    )
    key = "course_utils.gradcheck.report.xǁReportǁ__bool____mutmut_1"
    assert readable(key) == "gradcheck.report.Report.__bool__"


def test_a_folder_is_mutated_file_by_file():
    assert files_of("tape") == ["tape"]
    assert {"gradcheck/look", "gradcheck/report"} < set(files_of("gradcheck"))
    assert files_of("gradcheck.look") == ["gradcheck/look"]
    assert not any("__init__" in name for name in files_of("functional"))


def test_a_change_is_what_differs():
    before, after = ["def f(x):", "    y = x + 1", "    return y"], ["def f(x):"]
    after += ["    y = x - 1", "    return y"]
    assert changed(unified_diff(before, after, n=0)) == ("y = x + 1", "y = x - 1")


def test_the_table_adds_up():
    from collections import Counter

    rows = {"a": Counter(killed=3, equivalent=1), "b": Counter(unexplained=2)}
    lines = table(rows).splitlines()
    assert lines[2:] == ["| a | 4 | 3 | 1 | 0 |", "| b | 2 | 0 | 0 | 2 |"] + [
        "| all | 6 | 3 | 1 | 2 |"
    ]
