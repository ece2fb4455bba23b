"""A note for the lecture knows its cell by more than an id."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.notebooks import hygiene
from tools import notes
from tools.notebooks import FOLDER, Cell, Notebook, lessons, read

PATH = FOLDER / "03_tape_engine.ipynb"


def converted(*command):
    run = [sys.executable, "-m", "jupytext", "--quiet", *map(str, command)]
    subprocess.run(run, check=True)


def test_an_id_that_moved_is_noticed(tmp_path):
    """What jupytext --update does: a text put in takes the id of the one below it."""
    script, path = tmp_path / "03.py", tmp_path / PATH.name
    shutil.copy(PATH, path)
    assert not hygiene.notes_speak_of_their_cells(read(path))
    converted("--to", "py:percent", path, "-o", script)
    text = script.read_text(encoding="utf-8")
    begin = "# %% [markdown]"
    line = 'To write the line "(1) back"'
    (old,) = [part for part in text.split(begin) if line in part]
    new = " \n# A new text.\n\n" + begin + old.replace("To write", "In order to write")
    script.write_text(text.replace(old, new), encoding="utf-8")
    converted("--update", "--to", "ipynb", script, "-o", path)
    changed = Notebook(path, read.__wrapped__(path).cells)
    (moved,) = [c for c in changed.cells if line[1:] in c.source]
    said = hygiene.notes_speak_of_their_cells(changed)
    if moved.cell_id != "03-006":
        assert [line.split(":")[0] for line in said] == ["note 03-006"]
        assert str(moved) in hygiene.ids_are_of_this_notebook(changed)[0]


def test_the_cells_of_two_notes_changed_places():
    cells = [Cell(c.kind, c.source, cell_id=c.cell_id) for c in read(PATH).cells]
    one, other = (c for c in cells if c.cell_id in ("03-004", "03-006"))
    one.cell_id, other.cell_id = other.cell_id, one.cell_id
    said = hygiene.notes_speak_of_their_cells(Notebook(PATH, cells))
    assert [line.split(":")[0] for line in said] == ["note 03-004", "note 03-006"]
    assert "'What the machine has to remember' is not in cell" in said[0]


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_words_of_a_note_can_be_given_anew(path):
    """Taken away and given again, they are words of the same cell."""
    file = notes.FOLDER / f"{path.stem}.md"
    text = file.read_text(encoding="utf-8")
    bare = re.sub(r"^(## \S+) · .*$", r"\1", text, flags=re.MULTILINE)
    assert bare != text
    notebook = read(path)
    again = notes.HEAD.findall(notes.named(bare, notebook))
    assert len(again) == len(notes.heads(path)) > 0
    for name, words in again:
        assert words and words in notes.plain(notes.cell_of(notebook, name))
        assert len(words) <= notes.LONGEST
    assert notes.named(text, notebook) == text  # what has words keeps them


def begins_a_slide(notebook, name):
    """03-037-2 is a second piece of a cell that is split: it begins one by itself."""
    cell = next((c for c in notebook.cells if c.cell_id == name), None)
    if cell is None:
        return "deck-split" in notes.cell_of(notebook, name).tags
    kind = cell.metadata.get("slideshow", {}).get("slide_type")
    return kind in ("slide", "subslide")


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_each_note_stands_below_the_first_cell_of_a_slide(path):
    """Else no deck is made of the notebook."""
    notebook = read(path)
    names = [name for name, _ in notes.heads(path)]
    assert names and [x for x in names if not begins_a_slide(notebook, x)] == []


def note_of(source, kind="markdown", part=1, others=()):
    return notes.first_words(Cell(kind, source), part, list(others))


def test_words_that_tell_a_cell():
    text = "We go on.\n\n## The **engine**\n\nIt adds.\n### Why"
    assert note_of(text) == "The engine"
    assert note_of(text, part=2) == "Why"
    assert note_of("> **Predict.** Two `or` three?") == "Predict. Two or three?"
    code = "#| package: tape.Tape\n# NBVAL_IGNORE_OUTPUT\nclass Tape:\n    a = b * c"
    assert note_of(code, "code") == "class Tape:"
    assert note_of(code, "code", others=["x class Tape: y"]) == "a = b * c"
    long = "one two three four five six seven eight nine ten eleven twelve"
    assert note_of(long) == long.rpartition(" ")[0]
    assert note_of("a" * 99) == "a" * notes.LONGEST


def test_heads_are_read():
    text = "# Notes\n\n## 03-006 · The engine · and more \nSay: a.\n## 03-007\nAsk: b."
    assert notes.HEAD.findall(text) == [
        ("03-006", "The engine · and more"),
        ("03-007", ""),
    ]
