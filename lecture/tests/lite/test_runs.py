"""Notebooks run whole in the browser; what they show is compared with what is stored.

make lite && make lite-test
"""

from __future__ import annotations

import nbformat
import pytest

from lecture.lite.unable import unable
from tests.notebooks.nbval_numeric import complaints
from tools import runner
from tools.notebooks import FOLDER, within

# Pictures have to be there; their bytes differ.
UNREAD = ("image/png", "image/svg+xml")
SECONDS = 1800  # for a busy machine; 09 and 13 train


def differences(stem: str, cells: list) -> list[str]:
    """Compare a run in the browser with the stored notebook, cell by cell."""
    stored = runner.read(FOLDER / f"{stem}.ipynb")
    fresh = nbformat.v4.new_notebook(cells=cells, metadata=stored.metadata)
    runner.clean(fresh)
    assert len(fresh.cells) == len(stored.cells)
    passed_by = {cell["id"] for cell in unable((stem,))}
    said = []
    for old, new in zip(stored.cells, fresh.cells, strict=True):
        if old.cell_type == "code" and old.source.strip():
            how = in_its_place if old.id in passed_by else as_ever
            said += [f"{old.id}: {line}" for line in how(old, new)]
    return said


def as_ever(old, new) -> list[str]:
    """Compare what a cell shows: an error where one belongs, and the same numbers."""
    meant = "raises-exception" in old.metadata.get("tags", [])
    raised = [output for output in new.outputs if output.output_type == "error"]
    if bool(raised) != meant:
        return ["\n".join(raised[0].traceback) if raised else "nothing was raised"]
    if "# NBVAL_IGNORE_OUTPUT" in old.source:
        return []
    return complaints(old.outputs, new.outputs, UNREAD, within(old.source))


def in_its_place(old, new) -> list[str]:
    """Where a cell cannot run, one line says so, and what is stored is shown."""
    said = "".join(o.text for o in new.outputs if o.get("name") == "stderr")
    if "which is not there in a browser" not in said:
        return ["it does not say that it cannot run here"]
    first = said.partition("\n")[0] + "\n"
    new.outputs = [o for o in new.outputs if o.get("text") != first]
    for output in new.outputs:
        if output.get("name") == "stderr":
            output.text = output.text.removeprefix(first)
    return complaints(old.outputs, new.outputs, UNREAD)


# Formulas, a tape, layers, training; Numba, pictures, attention, other engines.
RUN = (
    *("01_chain_rule", "03_tape_engine", "06_layers_and_losses", "09_training_mnist"),
    *("12_compiled_tape", "13_convolution", "14_attention"),
    "15_when_the_engine_is_wrong",
)


@pytest.mark.parametrize("stem", RUN)
def test_a_notebook_shows_in_the_browser_what_is_stored(reader, stem):
    one = reader()
    one.open(stem)
    assert not differences(stem, one.run_all(SECONDS))
    assert not one.abroad
    assert not one.errors
