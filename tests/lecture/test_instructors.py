"""INSTRUCTORS.md says what is so: minutes, links, commands, exercises."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from course_exercises.library import exercises, notebooks
from tools.minutes import said_by_number
from tools.notebooks import ROOT, headings, lessons, read

GUIDE = (ROOT / "INSTRUCTORS.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| [^|]+ \| ((?:\d\d(?:, )?)*) *\| (\d+) \|", re.MULTILINE)


def plan(title: str) -> list[tuple[list[str], int]]:
    """The rows of a plan: notebooks, and the minutes said for them."""
    part = GUIDE.split(f"### {title}\n")[1].split("\n#")[0]
    return [(re.findall(r"\d\d", cell), int(n)) for cell, n in ROW.findall(part)]


@pytest.mark.parametrize("title", ["Fifteen weeks", "Eight weeks", "One day"])
def test_a_plan_adds_up(title):
    rows = plan(title)
    assert rows
    for numbers, said in rows:
        minutes = sum(said_by_number()[number] for number in numbers)
        assert minutes == said, f"{numbers}: run python -m tools.minutes --write"


@pytest.mark.parametrize(
    ("title", "weeks"), [("Fifteen weeks", 15), ("Eight weeks", 8)]
)
def test_a_plan_holds_every_notebook_once(title, weeks):
    rows = plan(title)
    assert len(rows) == weeks
    assert [n for numbers, _ in rows for n in numbers] == sorted(said_by_number())


def test_a_day_is_a_day_and_in_order():
    numbers = [n for row, _ in plan("One day") for n in row]
    assert numbers == sorted(numbers)
    assert sum(said for _, said in plan("One day")) <= 6 * 60


def needs(path: Path) -> list[str]:
    """The notebooks that a notebook names under *What you need*."""
    text = "\n\n".join(c.source for c in read(path).cells[:2] if c.kind == "markdown")
    part = text.split("**What you need")[1].split("\n**")[0]
    return sorted(set(re.findall(r"\]\((\d\d)_", part)))


def test_every_lecture_says_what_its_notebook_needs():
    part = GUIDE.split("## What each lecture takes for granted\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d\d) \| ([^|]*) \|", part, re.MULTILINE)
    said = {number: re.findall(r"\b\d\d\b", cell) for number, cell in rows}
    assert said == {path.stem[:2]: needs(path) for path in lessons()}


LINK = re.compile(r"\]\(([^)#:]+\.\w+)(?:#([^)]+))?\)")


@pytest.mark.parametrize(("target", "section"), LINK.findall(GUIDE))
def test_links_lead_somewhere(target, section):
    path = ROOT / target
    assert path.is_file()
    if section and path.suffix == ".ipynb":
        titles = {t.replace(" ", "-") for _, _, t in headings(read(path))}
        assert unquote(section) in titles


def test_commands_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE).group(1).split()
    blocks = re.findall(r"^    make (\w[\w-]*)", GUIDE, re.MULTILINE)
    inline = re.findall(r"`make ([\w-]+)", GUIDE)
    assert set(blocks + inline) <= set(targets)
    for name in ("slides", "site", "instructor", "assignment"):
        assert f"`make {name}" in GUIDE


def test_files_exist():
    for name in re.findall(
        r"`((?:lecture|tests|notebooks|\.github)/[\w./]*\w)`", GUIDE
    ):
        assert (ROOT / name).exists(), name


def test_exercises_exist():
    known = {e.number for n in notebooks() for e in exercises(n)}
    assert set(re.findall(r"\b[01]\d\.\d\b", GUIDE)) <= known


def test_readme_leads_here():
    assert "(INSTRUCTORS.md)" in README.split("## For instructors\n")[1]


def test_numbers_said_are_the_numbers_used():
    sandbox = (ROOT / "lecture/grading/sandbox.py").read_text(encoding="utf-8")
    config = (ROOT / "lecture/nbgrader_config.py").read_text(encoding="utf-8")
    assert "64_999" in sandbox and "4 * 2**30" in sandbox
    assert "= 900" in config and "cell_seconds = 120" in config
    assert Path(ROOT / "lecture/tests/test_grading.py").is_file()
