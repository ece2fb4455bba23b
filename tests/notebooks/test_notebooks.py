"""Every stored notebook keeps every rule, and every rule can complain."""

import pytest

from tests.notebooks import hygiene
from tools.notebooks import (
    ROOT,
    SUMMARY,
    Cell,
    Notebook,
    code_lines,
    describes,
    pace,
    paths,
    read,
)

MOST_BYTES = 8_000_000
NOTEBOOKS = paths()

# The summary teaches nothing and asks for nothing: it is one page of tables.
NO_LESSON = (
    "it_opens_as_all_do",
    "it_closes_as_all_do",
    "it_leads_to_all_rules",
    "time_is_honest",
    "cells_are_short",
)

KEPT = [
    pytest.param(path, rule, id=f"{path.stem}-{rule.__name__}")
    for path in NOTEBOOKS
    for rule in hygiene.RULES
    if not (path.stem == SUMMARY and rule.__name__ in NO_LESSON)
]


@pytest.mark.parametrize(("path", "rule"), KEPT)
def test_hygiene(path, rule):
    complaints = rule(read(path))
    assert not complaints, "\n".join([f"{path.name}: {rule.__doc__}", *complaints])


def test_size_in_all():
    sizes = {path.name: path.stat().st_size for path in NOTEBOOKS}
    assert sum(sizes.values()) < MOST_BYTES, sizes


# --- the rules themselves -------------------------------------------------------------

OPENING = "*What you will build* *What you will learn* *What you need*\n\n{time}"
TIME = "**Time**: about {} minutes, and {} more for the exercises."
CLOSING = "## Summary\n[a](../notebooks/summary.ipynb)\n## Exercises\nb\n## Sources\nc"


def code(source="x = 1", **more):
    return Cell("code", source, **more)


def text(source):
    return Cell("markdown", source)


def stream(text_):
    return {"output_type": "stream", "name": "stdout", "text": text_}


def show(metadata=None, **data):
    named = {mime.replace("_", "/"): value for mime, value in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": metadata or {}}


def result(text_):
    data = {"text/plain": text_}
    return {"output_type": "execute_result", "data": data, "metadata": {}}


WIDE, EXEMPT, CLAIM = "# NBVAL_WITHIN 5%", "# NBVAL_IGNORE_OUTPUT", "assert 0 < a < 1"
VERDICTS = 'print(f"loss {loss:.2f}")\nprint("less than 1:", loss < 1)'


def wide():
    return code(f"{WIDE}\nprint(a)\n{CLAIM}", outputs=[stream("0.5")])


ERROR = {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["t"]}
MINI = ROOT / "tests" / "03_mini.ipynb"  # a path, no file
METADATA = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}}


def mini(*cells, metadata=METADATA, minor=5, time=None):
    """Make a good notebook around some cells: numbered, counted, with ids."""
    head, foot = text(f"# Title\n\n{OPENING}"), text(CLOSING)
    cells = [head, *cells, *[code() for _ in range(3)], foot]
    count = 0
    for number, cell in enumerate(cells):
        cell.number, cell.cell_id = number, cell.cell_id or f"03-{number}"
        if cell.kind == "code" and cell.source.strip():
            count += 1
            cell.count = cell.count or count
        cell.metadata = {**cell.metadata, **({"tags": cell.tags} if cell.tags else {})}
    texts = sum(cell.kind == "markdown" for cell in cells)
    fill = max(0, -(-(2 * len(cells) - 5 * texts) // 3))  # up to 40 % of text
    for number in range(len(cells), len(cells) + fill):
        cells.insert(-1, Cell("markdown", "more", number, f"03-{number}"))
    counted = pace(Notebook(MINI, cells))
    honest = TIME.format(round(counted.minutes), round(counted.more))
    head.source = head.source.format(time=time or honest)
    return Notebook(MINI, cells, metadata, minor)


PNG = "image/png"
STUB, STUB_TAGS = "# Exercise 03.1\ndef f(x):\n    pass", ["stub", "exercise-03.1"]


def stub(source=STUB, number="03.1"):
    return code(source, tags=["stub", f"exercise-{number}"])


def check(number="03.1"):
    return code(f'check("{number}", f)', tags=["exercise-03.1"])


def asked(*cells):
    """Ask for something: a miniature whose exercises are these cells."""
    notebook = mini()
    foot = notebook.cells.pop().source.partition("## Sources")
    notebook.cells += [text(foot[0]), *cells, text("".join(foot[1:]))]
    return notebook


def noted(name, source):
    """A notebook of one cell with an id, to which the notes of the real 03 belong."""
    path = ROOT / "notebooks" / "03_tape_engine.ipynb"
    return Notebook(path, [Cell("markdown", source, cell_id=name)])


PRINTED_BY_JUPYTER = ("", "tmp", "ipykernel_12", "3.py:1: RuntimeWarning: x")

BAD = {
    "cells_ran_in_order": [mini(code(count=7))],
    "no_cell_is_empty": [mini(text(" ")), mini(code(""))],
    "errors_are_announced": [
        mini(code(outputs=[ERROR])),
        mini(code(tags=["raises-exception"])),
    ],
    "metadata_is_bare": [
        mini(metadata={**METADATA, "widgets": {}}),
        mini(metadata={**METADATA, "kernelspec": {"name": "mine"}}),
        mini(
            metadata={**METADATA, "language_info": {"name": "python", "version": "3"}}
        ),
        mini(code(metadata={"collapsed": True})),
        mini(code(metadata={"jupyter": {"source_hidden": True}})),
        mini(code(tags=["hide-input"])),
        mini(code(tags=["hide-cell"], metadata={"jupyter": {"outputs_hidden": True}})),
        mini(code(outputs=[show({"isolated": True}, text_plain="a")])),
    ],
    "cells_have_ids": [mini(code(cell_id="a"), code(cell_id="a")), mini(minor=4)],
    "ids_are_of_this_notebook": [
        mini(code(cell_id="4e5f6a7b")),  # as JupyterLab and jupytext draw them
        mini(code(cell_id="0")),  # as nbstripout counts them
    ],
    "notes_speak_of_their_cells": [
        noted("03-001", "# Another title"),
        noted("03-002", "# 03 · The tape engine"),
    ],
    "exercises_keep_their_cells": [
        mini(stub(), text("moved in between"), code("x = 1", tags=STUB_TAGS[1:])),
        mini(stub("x = 1"), check()),
        mini(check(), stub()),
        mini(stub(), check("03.2")),
        mini(stub()),
        mini(stub(), check(), check()),
        mini(code(STUB), check()),
        mini(stub(), code('check("03.1", f)')),
        mini(stub(STUB.replace("3.1", "4.1"), "04.1"), check("04.1")),
    ],
    "no_widget_state": [
        mini(
            code(outputs=[show(**{"application/vnd.jupyter.widget-view+json": "{}"})])
        ),
    ],
    # What Jupyter prints on a Unix, and paths of machines that nobody has.
    "no_machine_paths": [
        mini(code("open('/home/anna/x')")),
        mini(code(outputs=[stream("/".join(PRINTED_BY_JUPYTER))])),
        mini(code(outputs=[stream("lib/python3/site-packages/numpy")])),
        mini(text("see C:\\Users\\anna")),
    ],
    "no_addresses": [mini(code(outputs=[stream("<A object at 0x7f00aa00bb00>")]))],
    "pictures_have_alt_text": [
        mini(code(outputs=[show(image_png="iVBO")])),
        mini(code(outputs=[show({PNG: {"alt": "plot"}}, image_png="iVBO")])),
        mini(code(outputs=[show(text_html="<img src='data:image/png;base64,aa'>")])),
        # An alt text that no page shows: JupyterLab and nbconvert read only <img>.
        mini(code(outputs=[show({PNG: {"alt": "Loss falls quickly"}}, image_png="a")])),
        mini(code(outputs=[show(text_html='<img alt="plot">', image_png="a")])),
        mini(code(outputs=[show(text_html='<img alt="_images/0a1b2c.png">')])),
        mini(code(outputs=[show(text_html='<img alt="loss over steps.png">')])),
    ],
    "no_pictures_from_the_web": [
        mini(text("![a](https://example.org/a.png)")),
        mini(text("<img width=3 src='http://example.org/a.png'>")),
        mini(code(outputs=[show(text_html="<script src=//example.org/a.js>")])),
        mini(Cell("markdown", "![a](attachment:a.png)", attachments={"a.png": {}})),
    ],
    "text_and_code_are_balanced": [
        mini(*[code() for _ in range(4)], *[text("a") for _ in range(20)]),
        Notebook(MINI, [text("a"), code(), code()]),
    ],
    "cells_are_short": [
        mini(*[code("x = 1\n" * 6) for _ in range(9)]),
        mini(code("x = 1\n" * 16)),
    ],
    "outputs_fit_a_screen": [mini(code(outputs=[stream("a\n" * 61)]))],
    "no_forbidden_code": [
        mini(code("from numpy import *")),
        mini(code("import sys\nsys.path.append('..')")),
        mini(code("%pip install numpy")),
        mini(code("!pip install numpy")),
        mini(code("print('Success!')")),
        mini(code('print("✓ All tests passed")')),
    ],
    "randomness_is_passed_on": [
        mini(code("np.random.seed(1)")),
        mini(code("x = np.random.randn(3)")),
    ],
    "code_can_be_read": [mini(code("x = = 1"))],
    "words_are_kind": [mini(text("This is simply the chain rule."))],
    "it_opens_as_all_do": [
        mini(text("# Second title")),
        Notebook(MINI, [text("# Title"), code()]),
    ],
    "it_closes_as_all_do": [
        Notebook(MINI, [text("# T\n## Summary\n## Sources\n## Exercises")]),
        mini(text("## Sources"), text(CLOSING.replace("Summary", "End"))),
    ],
    "it_leads_to_all_rules": [
        Notebook(MINI, [text(CLOSING.replace("[a](../notebooks/summary.ipynb)", "a"))]),
        Notebook(
            MINI, [text("[a](summary.ipynb)"), text("## Summary\na\n## Exercises")]
        ),
        Notebook(MINI, [text("## Summary\na\n## Exercises\n[a](summary.ipynb)")]),
    ],
    "headings_skip_no_level": [mini(text("### Third level under the title"))],
    "links_lead_somewhere": [mini(text("[next](99_nowhere.ipynb#top)"))],
    "time_is_honest": [
        mini(time="**Time.** About 1 minute."),
        mini(time="**Time:** about 1 minutes, and 0 more for the exercises."),
        mini(time="**Time**: about 1 minutes; add 0 for the exercises."),
        mini(text("word " * 1300), time=TIME.format(8, 0)),
        mini(text("word " * 1300), time=TIME.format(12, 0)),
        mini(code("x = 1\n\n" * 200), time=TIME.format(12, 0)),  # 15 are counted
        mini(*[text("**Predict.** What?")] * 10, time=TIME.format(8, 0)),
        mini(*[code(outputs=[show(image_png="iV")])] * 10, time=TIME.format(8, 0)),
        mini(text("word " * 130 * 91), time=TIME.format(90, 0)),
        asked(stub()),  # eight minutes, and nobody says so
    ],
    "wide_numbers_are_asserted": [
        mini(code(f"{WIDE}\nprint(a)", outputs=[stream("0.5")])),
        mini(code(f"{WIDE}\nprint(a)", outputs=[stream("0.5")]), code(), code(CLAIM)),
        mini(code(f"{WIDE}\nprint(a)\n{CLAIM}", outputs=[stream("12")])),
        mini(code(f"{WIDE}\n{EXEMPT}\nprint(a)\n{CLAIM}", outputs=[stream("0.5")])),
        mini(code(f"# NBVAL_WITHIN 5\nprint(a)\n{CLAIM}", outputs=[stream("0.5")])),
        mini(*[wide() for _ in range(hygiene.WITHIN_CELLS + 1)]),
    ],
    "answers_are_values": [
        mini(code("x > 2", outputs=[result("True")])),
        mini(code("a, b", outputs=[result("(True, False)")])),
        mini(code("print(x > 2, y > 3)", outputs=[stream("True False\n")])),
        mini(code("print(a == b)", outputs=[stream("[[ True False]\n [False True]]")])),
        mini(code('print("ready:", x)', outputs=[stream("ready: True\n")])),
        mini(code('print(f"below 2 %: {x}")', outputs=[stream("below 2 %: True")])),
        mini(code(VERDICTS, outputs=[stream("loss 0.52\nless than 1: True\n")])),
        mini(code(VERDICTS, outputs=[stream("first: True, last: False\n")])),
        mini(code("p.data, 'x'", outputs=[result("(True, 'Tensor')")])),
    ],
    "few_cells_are_exempt": [
        mini(*[code("# NBVAL_IGNORE_OUTPUT\nx = 1") for _ in range(4)]),
        mini(*[code(tags=["nbval-skip"]) for _ in range(4)]),
    ],
}
BAD["it_closes_as_all_do"][1].cells.pop()

GOOD = mini(
    code("# a comment\nx = 1  # and\n\n# more", outputs=[stream("a 0.5\n" * 60)]),
    code("%matplotlib inline\nimport numpy as np\nrng = np.random.default_rng(1)"),
    code("np.random.seed(501)", tags=["legacy-seed"]),
    code("1 / 0", tags=["raises-exception"], outputs=[ERROR]),
    code(outputs=[show(text_html='<img alt="Loss falls fast">', image_png="a/tmp/")]),
    stub(),
    check(),
    code('"check(x)"'),
    code(tags=["hide-input"], metadata={"jupyter": {"source_hidden": True}}),
    wide(),
    code(f"{WIDE}\nprint(a)", outputs=[stream("loss 1.5e-08\n")]),
    code(
        "np.testing.assert_allclose(a, 1e-8, rtol=0.5)",
        outputs=[stream("3 of 5: True")],
    ),
    code("m == 1", outputs=[result("(True, [2.4, -0.8])")]),
    code(
        "print(code)", outputs=[stream("w = Tensor(a, requires_grad=True)  # Truest")]
    ),
    code("# NBVAL_IGNORE_OUTPUT\nprint('ok' if x else 'no', 'success')"),
    text("## Part\n\n```\n# no heading\n```\n### Sub\n[a](https://example.org/home/a)"),
    text("[tests](../tests/notebooks/test_notebooks.py#L1) and [here](#part)"),
)

BAD_CASES = [
    pytest.param(rule, notebook, id=f"{rule.__name__}-{n}")
    for rule in hygiene.RULES
    for n, notebook in enumerate(BAD.get(rule.__name__, [None]))
]


@pytest.mark.parametrize(("rule", "notebook"), BAD_CASES)
def test_rule_complains(rule, notebook):
    assert notebook, f"{rule.__name__} has no bad notebook to complain about"
    assert rule(notebook)


@pytest.mark.parametrize("rule", hygiene.RULES, ids=lambda rule: rule.__name__)
def test_rule_is_silent(rule):
    assert rule(GOOD) == []


@pytest.mark.parametrize(
    ("alt", "enough"),
    [
        ("Loss falls quickly", True),
        ("", False),
        ("two words", False),
        ("_images/5f0c.png", False),
        ("../_images/5f 0c 1d.png", False),
        ("the loss curve.PNG", False),
        ("Loss of model.png and others", True),
    ],
)
def test_alt_texts(alt, enough):
    """myst-nb gives a picture without one the name of its file."""
    assert describes(alt) is enough


def test_code_lines():
    assert code_lines("# a\n\nx = 1\n\nf(  # b\n    1,\n)\n") == 4
    assert code_lines('"""a\n\nb"""\n') == 2
    assert code_lines("%time x\n") == 1
    assert code_lines("") == 0
