"""One clock for all notebooks, and the tables that follow it."""

import pytest

from tools import minutes
from tools.notebooks import (
    ROOT,
    Cell,
    Notebook,
    Part,
    about_minutes,
    lessons,
    pace,
    parted,
    said_minutes,
)

PICTURE = {
    "output_type": "display_data",
    "data": {"image/png": "iV", "text/plain": "a"},
}
STREAM = {"output_type": "stream", "name": "stdout", "text": "a 1\n\nb 2\n"}
STUB = ["stub", "exercise-03.1"]


def book(*cells):
    return Notebook(ROOT / "03_a.ipynb", list(cells))


def text(source):
    return Cell("markdown", source)


def code(source, *outputs, tags=()):
    return Cell("code", source, outputs=list(outputs), tags=list(tags))


TASKS = (
    text("Said last.\n\n## Exercises\n\nFive words of the beginning"),
    text("### 03.1 · One\n\n**Derive.** Do it."),
    code("# Exercise 03.1\ndef f():\n    pass", tags=STUB),
    code('check("03.1", f)', tags=STUB[1:]),
    text("### 03.2 · Two\n\n**Open challenge.** Try."),
    code("# Exercise 03.2\ng = ...", tags=["stub", "exercise-03.2"]),
)
SOURCES = text("## Sources\n\nA book " + "of many words " * 100)


def test_what_counts_is_counted():
    cells = (
        text("# Title\n\n**Predict.** What?"),
        code("# a comment\n\nx = 1\n  \ny = 2", STREAM, PICTURE, PICTURE),
    )
    counted = pace(book(*cells, *TASKS, SOURCES))
    assert counted.text == Part(words=6, lines=3, predictions=1, figures=2)
    assert counted.tasks == Part(words=21, lines=6)
    assert (counted.exercises, counted.challenges) == (2, 1)
    assert counted.minutes == pytest.approx(6 / 130 + 3 * 4.5 / 60 + 1 + 2)
    assert counted.more == pytest.approx(21 / 130 + 6 * 4.5 / 60 + 8 + 15)


def test_130_words_are_a_minute_and_so_are_a_prediction_and_13_lines():
    assert pace(book(text("word " * 1300))).minutes == 10
    assert pace(book(code("x = 1\n\n" * 40))).minutes == 3
    without = pace(book(text("What? " * 130)))
    with_one = pace(book(text("**Predict.** " + "What? " * 129)))
    assert with_one.minutes - without.minutes == 1


def test_what_stands_above_the_exercises_in_their_cell_is_reading():
    above, below = parted(
        [text("a b"), text("c\n\n## Exercises\nd"), code("x")], "Exercises"
    )
    assert [cell.source for cell in above] == ["a b", "c\n\n"]
    assert [cell.source for cell in below] == ["## Exercises\nd", "x"]


def test_a_heading_is_one_of_level_2_in_a_text():
    cells = [text("### Exercises"), code("## Exercises"), text("## Exercises with tea")]
    assert parted(cells, "Exercises") == (cells, [])


@pytest.mark.parametrize(
    ("line", "said", "about"),
    [
        ("**Time**: about 75 minutes, and 40 more for the exercises.", (75, 40), 75),
        (
            "**Time**: about 75 minutes, and 40 more for the exercises. Rest.",
            (75, 40),
            75,
        ),
        ("**Time:** about 45 minutes; add 30 for the exercises.", None, 45),
        ("**Time** · About 75 minutes to read and try.", None, 75),
        ("**Time.** Long.", None, None),
    ],
)
def test_what_a_notebook_says(line, said, about):
    notebook = book(text(f"# T\n\n{line}"))
    assert said_minutes(notebook) == said
    assert about_minutes(notebook) == about


# --- the tables -----------------------------------------------------------------------

README = """
| notebook | what happens | minutes |
| --- | --- | --- |
| [00 Start](notebooks/00_start_here.ipynb) | twenty seconds; 5 | 1 |
| [06 Layers](notebooks/06_layers_and_losses.ipynb) | a layer | 2 |
"""
PLAN = """
| week | notebooks | minutes | to hand in |
| --- | --- | ---: | --- |
| 1 | 00, 06 | 3 | 06.1, 06.2 |
| 12 | | 7 | the open challenges |

| lecture | assumes | the sentence |
| --- | --- | --- |
| 06 | 04, 05; logarithms | a layer is 1 |
"""


def test_minutes_are_written_into_map_and_plans(monkeypatch):
    monkeypatch.setattr(minutes, "said_by_number", lambda: {"00": 30, "06": 85})
    written = minutes.with_minutes(README)
    assert written == README.replace("| 1 |\n", "| 30 |\n").replace(
        "| 2 |\n", "| 85 |\n"
    )
    written = minutes.with_minutes(PLAN)
    assert written == PLAN.replace("06 | 3 |", "06 | 115 |").replace("| 7 |", "| 0 |")


@pytest.mark.parametrize("name", ["README.md", "INSTRUCTORS.md"])
def test_the_tables_are_up_to_date(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert minutes.with_minutes(text) == text, "run python -m tools.minutes --write"


def test_the_table_shows_every_notebook(capsys):
    assert minutes.main([]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["notebook", "words", "lines"]
    assert [row.split()[0] for row in rows] == [path.stem for path in lessons()]
    assert len({len(line) for line in (head, *rows)}) == 1


def test_an_unknown_word_is_told(capsys):
    assert minutes.main(["--wirte"]) == 2
    assert "--write" in capsys.readouterr().err
