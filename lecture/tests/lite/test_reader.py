"""What a reader does in the browser: writes, runs, stops, asks, comes back.

make lite && make lite-test
"""

from __future__ import annotations

import pytest

from lecture.tests.lite.conftest import text_of

BOOK = "01_chain_rule"
CODE_WRONG = """
from course_exercises import check
def slopes(w):
    return 2 * (w**2 - 1) / len(w)
check("00.2", slopes)
"""
CODE_RIGHT = CODE_WRONG.replace("2 * (", "4 * w * (")


@pytest.fixture
def notebook(reader):
    one = reader()
    one.open(BOOK)
    return one


def test_the_first_result_and_the_bar_that_leads_to_it(notebook, server):
    """The bar tells what is fetched; the second time all comes from the cache."""
    assert "array([0., 1., 2.])" in text_of(
        notebook.run_code("import numpy as np\nnp.arange(3.0)")
    )
    assert notebook.page.locator("progress").count() == 0
    server.asked.clear()
    notebook.open(BOOK)
    assert "3" in text_of(notebook.run_code("1 + 2"))
    assert not [path for path in server.asked if path.endswith("python.bin")]
    assert not notebook.abroad and not notebook.errors


def test_an_endless_loop_is_stopped_and_what_was_written_stays(notebook):
    notebook.ready()
    notebook.write("print('begun')\nwhile True:\n    pass")
    notebook.press("notebook:run-cell")
    notebook.page.wait_for_function(
        """() => jupyterapp.shell.currentWidget.content.activeCell
                 .outputArea.model.length > 0"""
    )
    notebook.page.locator('[data-command="notebook:interrupt-kernel"]').click()
    notebook.wait()
    outputs = notebook.cells()[-1]["outputs"]
    assert outputs[-1]["ename"] == "KeyboardInterrupt"
    assert "run its cells again" in outputs[-1]["evalue"]
    assert "while True" in notebook.cells()[-1]["source"]
    assert "42" in text_of(notebook.run_code("6 * 7"))
    assert not notebook.errors


def test_a_restart_forgets_the_names(notebook):
    notebook.run_code("x = 1")
    notebook.page.evaluate(
        """() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()"""
    )
    assert "name 'x' is not defined" in text_of(notebook.run_code("x"))


def test_a_check_names_the_mistake_and_passes_what_is_mended(notebook):
    cells = notebook.cells()
    wrong = text_of(notebook.run_code(CODE_WRONG))
    assert "not yet" in wrong and "The slope of the inner formula is missing" in wrong
    right = text_of(notebook.run_code(CODE_RIGHT))
    assert "✓" in right and "passed" in right
    assert len(notebook.cells()) == len(cells) + 2
    notebook.open(BOOK)
    code = "from course_exercises import progress\nprogress()"
    done = text_of(notebook.run_code(code))
    assert "00.2" in done


def test_an_endless_answer_is_stopped_by_the_check(notebook):
    code = 'def slopes(w):\n    while True:\n        pass\ncheck("00.2", slopes)'
    said = text_of(notebook.run_code("from course_exercises import check\n" + code))
    assert "is there a loop that does not end?" in said


def test_edits_are_there_after_a_reload(notebook):
    notebook.write("# a thought of my own")
    notebook.save()
    notebook.open(BOOK)
    assert notebook.cells()[-1]["source"] == "# a thought of my own"


def test_names_are_completed_and_explained(notebook):
    notebook.run_code("from course_utils import functional as F")
    asked = """([what, content]) => jupyterapp.shell.currentWidget.sessionContext
        .session.kernel[what](content).then(reply => reply.content)"""
    ask = notebook.page.evaluate
    found = ask(asked, ["requestComplete", {"code": "F.sigm", "cursor_pos": 6}])
    assert "F.sigmoid" in found["matches"] and found["cursor_start"] == 0
    about = {"code": "F.sigmoid(", "cursor_pos": 10, "detail_level": 0}
    told = ask(asked, ["requestInspect", about])
    assert told["found"] and "sigmoid(" in told["data"]["text/plain"]
    assert "F.sigmoid" in text_of(notebook.run_code("F.sigmoid?"))


def test_errors_show_the_line_in_the_cell(notebook):
    (error,) = notebook.run_code("def f(x):\n    return 1 / x\n\n\nf(0)")
    assert error["ename"] == "ZeroDivisionError"
    lines = "\n".join(error["traceback"])
    assert "----> 2     return 1 / x" in lines and "----> 5 f(0)" in lines


def test_a_name_that_no_cell_could_make_says_why(notebook):
    """The cell that imports torch is passed by; what needs its names is told."""
    cell = next(
        c for c in notebook.cells() if "import torch" in c["source"] and c["outputs"]
    )
    outputs = notebook.run_code(cell["source"])
    assert "needs torch, which is not there in a browser" in text_of(outputs)
    (error,) = notebook.run_code("torch.ones(3)")
    assert "a cell that needs torch" in "\n".join(error["traceback"])


def test_a_long_chain_is_freed_and_deep_recursion_is_an_error(notebook):
    chain = "x = None\nfor _ in range(100_000):\n    x = [x]\ndel x\nprint('freed')"
    assert "freed" in text_of(notebook.run_code(chain))
    deep = "def f(n):\n    return f(n + 1)\nf(0)"
    assert "maximum recursion depth" in text_of(notebook.run_code(deep))
