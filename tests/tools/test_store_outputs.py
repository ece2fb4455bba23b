"""Storing runs a notebook afresh, cleans it, and never leaves a half-done one."""

import json

import nbformat
import pytest

from tests.notebooks import hygiene
from tools import runner, store_outputs
from tools.notebooks import read


def raw_cell(source, kind="code", **metadata):
    cell = {"cell_type": kind, "metadata": metadata, "source": source}
    if kind == "code":
        cell |= {"execution_count": 7, "outputs": []}
    return cell


def notebook_file(folder, *cells):
    """Write a notebook in an old format, full of what is not to be stored."""
    path = folder / "03_messy.ipynb"
    metadata = {"kernelspec": {"name": "mine", "display_name": "Mine"}, "widgets": {}}
    stored = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(stored), encoding="utf-8")
    return path


STREAMS = """
import sys
print("a", flush=True)
print("warned", file=sys.stderr, flush=True)
for share in (10, 100):
    print(f"\\r{share}%", end="", flush=True)
print("\\nb")
"""
OWN_ERROR = "from course_utils.optim import SGD\nSGD(3, lr=0.1)"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Store the outputs of a messy notebook twice."""
    path = notebook_file(
        tmp_path_factory.mktemp("store"),
        raw_cell("# Title", "markdown", collapsed=True),
        raw_cell(STREAMS, tags=["mine"], scrolled=True),
        raw_cell(OWN_ERROR, tags=["raises-exception"]),
        raw_cell("import pathlib\npathlib.Path('03_messy.ipynb').exists()"),
        raw_cell("raise_ = 1\n{}['a']", tags=["raises-exception"]),
    )
    assert store_outputs.main([str(path)]) == 0
    first = path.read_bytes()
    assert store_outputs.main([str(path)]) == 0
    return path, first


def test_twice_gives_the_same_bytes(stored):
    path, first = stored
    assert path.read_bytes() == first
    assert first.endswith(b"}\n") and b'\n "cells"' in first
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_outputs_are_joined_and_settled(stored):
    outputs = read(stored[0]).cells[1].outputs
    texts = [(output["name"], output["text"]) for output in outputs]
    assert texts == [("stdout", "a\n100%\nb\n"), ("stderr", "warned\n")]


def test_which_stream_comes_first_is_no_race():
    said = [
        nbformat.v4.new_output("stream", name=name, text=text)
        for name, text in (("stderr", "w"), ("stdout", "a"), ("stderr", "x"))
    ]
    joined = runner.join_streams([*said, nbformat.v4.new_output("display_data")])
    assert [output.get("text") for output in joined] == ["a", "wx", None]
    value = nbformat.v4.new_output("execute_result")
    assert runner.join_streams([value, said[1]]) == [said[1], value]


def test_what_is_stored_is_clean(stored):
    notebook = read(stored[0])
    for rule in (
        hygiene.cells_ran_in_order,
        hygiene.errors_are_announced,
        hygiene.metadata_is_bare,
        hygiene.cells_have_ids,
        hygiene.no_machine_paths,
    ):
        assert rule(notebook) == []
    assert [cell.cell_id for cell in notebook.cells][:2] == ["03-001", "03-002"]
    assert notebook.cells[1].metadata == {"tags": ["mine"]}
    assert notebook.cells[3].outputs[0]["data"] == {"text/plain": "True"}
    assert str(runner.ROOT) not in stored[0].read_text(encoding="utf-8")


def test_a_tag_hides_code_and_nothing_else_does():
    cells = [
        nbformat.v4.new_code_cell("x", metadata=metadata)
        for metadata in (
            {"tags": ["hide-input"]},
            {"tags": ["hide-cell"], "jupyter": {"outputs_hidden": True}},
            {"tags": ["mine"], "jupyter": {"source_hidden": True}},
        )
    ]
    runner.clean(nbformat.v4.new_notebook(cells=cells))
    found = [cell.metadata.get("jupyter") for cell in cells]
    assert found == [{"source_hidden": True}, {"source_hidden": True}, None]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (raw_cell("x = 1\n1 / 0"), "ZeroDivisionError: division by zero"),
        (raw_cell("x = 1", tags=["raises-exception"]), "nothing was raised"),
    ],
)
def test_a_failure_leaves_the_notebook_alone(tmp_path, capsys, cell, said):
    path = notebook_file(tmp_path, cell)
    before = path.read_bytes()
    assert store_outputs.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    told = capsys.readouterr().err
    assert said in told and "x = 1" in told and "cell 0 (03-001)" in told


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        ([None, None, None], ["03-001", "03-002", "03-003"]),
        (["03-002", None, None], ["03-002", "03-002x", "03-003"]),
        (["03-012", "4e5f6a7b", "03-013"], ["03-012", "03-012b", "03-013"]),
        (["03-1", "a", "03-1b", "0"], ["03-1", "03-1c", "03-1b", "03-1bb"]),
        (["0", "1", "03-s01"], ["03-000b", "03-000c", "03-s01"]),
        (["04-001", "03-001"], ["03-000b", "03-001"]),
    ],
)
def test_ids_begin_with_the_number(ids, named):
    """One that an editor drew at random gets a name that lasts."""
    cells = [{"id": name} if name else {} for name in ids]
    runner.name_cells({"cells": cells}, "03")
    assert [cell["id"] for cell in cells] == named


def test_so_many_new_cells_that_letters_run_out():
    cells = [{"id": "03-001"}, *({"id": f"new{n}"} for n in range(60))]
    runner.name_cells({"cells": cells}, "03")
    assert len({cell["id"] for cell in cells}) == 61
    assert all(cell["id"].startswith("03-001") for cell in cells)


def test_other_notebooks_keep_their_ids():
    cells = [{"id": "4e5f6a7b"}]
    runner.name_cells({"cells": cells}, "homework")
    assert cells == [{"id": "4e5f6a7b"}]
