"""A Python that is missing leaves its sessions out; none at all is a failure."""

import re
import sys

import pytest

from tools.matrix import judge, newest, starts
from tools.notebooks import ROOT


def session(name, result):
    reason = "Python interpreter not found" if result == "skipped" else None
    return {"signatures": [name, f"{name}-3.x"], "result": result, "reason": reason}


@pytest.mark.parametrize(
    ("results", "nox", "code"),
    [
        (["success", "success"], 0, 0),
        (["success", "skipped"], 0, 0),
        (["skipped", "skipped"], 0, 1),
        (["skipped"], 0, 1),
        (["skipped", "failed"], 1, 1),
        (["success", "failed"], 1, 1),
        ([], 3, 3),  # nox knows no session of that name, and reports none
        ([], 0, 0),
    ],
)
def test_nothing_tried_is_no_success(results, nox, code):
    found, said = judge([session(f"s{i}", r) for i, r in enumerate(results)], nox)
    assert found == code
    left_out = [f"s{i}" for i, r in enumerate(results) if r == "skipped"]
    assert re.findall(
        r"left out (\w+): Python interpreter not found", "\n".join(said)
    ) == (left_out)
    nothing = bool(results) and set(results) == {"skipped"}
    assert any("nothing was tried" in line for line in said) is nothing


def test_newest_is_the_newest_that_is_here():
    versions = ("3.9", "3.10", "3.11")
    assert newest(versions, {"3.9", "3.10"}.__contains__) == "3.10"
    assert newest(versions, {"3.11", "3.10"}.__contains__) == "3.11"
    assert newest(versions, lambda version: False) == "3.11"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are scripts")
def test_a_name_on_the_path_is_not_enough(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for version, ends in (("3.98", 0), ("3.99", 127)):
        path = tmp_path / f"python{version}"
        path.write_text(f"#!/bin/sh\nexit {ends}\n")
        path.chmod(0o755)
    found = [starts(version) for version in ("3.97", "3.98", "3.99")]
    assert found == [False, True, False]


def test_all_places_name_the_same_pythons():
    nox = (ROOT / "noxfile.py").read_text(encoding="utf-8")  # cannot be imported here
    versions = tuple(
        re.findall(r'"(3\.\d+)"', re.search(r"^PYTHONS = .*", nox, re.M)[0])
    )
    workflow = (ROOT / ".github/workflows/course.yml").read_text(encoding="utf-8")
    assert tuple(re.findall(r"- locked-(3\.\d+)$", workflow, re.MULTILINE)) == versions
    installed = re.search(r"python-version: \|\n((?: +3\.\d+\n)+)", workflow)[1].split()
    assert sorted(installed) == sorted(versions)
    told = f"Python {versions[0]} to {versions[-1]}"
    for name in ("Makefile", "INSTRUCTORS.md", "CONTRIBUTING.md"):
        assert told in (ROOT / name).read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={versions[0]}"' in project
