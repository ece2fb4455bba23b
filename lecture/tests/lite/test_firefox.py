"""The course in Firefox, where one is installed.

make lite && make lite-test
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lecture.tests.lite import firefox
from lecture.tests.lite.conftest import Reader, text_of
from lecture.tests.lite.test_runs import SECONDS, differences

BOOK = "01_chain_rule"


@pytest.fixture
def one(server, tmp_path) -> Iterator[Reader]:
    if not firefox.find():
        pytest.skip("no Firefox is installed here")
    with firefox.opened(tmp_path) as context:
        yield Reader(context, f"http://localhost:{server.server_port}")


def test_a_notebook_shows_in_firefox_what_is_stored(one, server):
    """The second time Python comes from what Firefox keeps."""
    one.open(BOOK)
    assert not differences(BOOK, one.run_all(SECONDS))
    server.asked.clear()
    one.open(BOOK)
    array = "import numpy as np\nnp.arange(3.0)"
    assert "array([0., 1., 2.])" in text_of(one.run_code(array))
    assert not [path for path in server.asked if path.endswith("python.bin")]
    assert not one.abroad and not one.errors


def test_an_endless_loop_is_stopped_in_firefox(one):
    one.open(BOOK)
    one.ready()
    one.write("print('begun')\nwhile True:\n    pass")
    one.press("notebook:run-cell")
    one.page.wait_for_function(
        """() => jupyterapp.shell.currentWidget.content.activeCell
                 .outputArea.model.length > 0"""
    )
    one.press("notebook:interrupt-kernel")
    one.wait()
    assert one.cells()[-1]["outputs"][-1]["ename"] == "KeyboardInterrupt"
    assert "42" in text_of(one.run_code("6 * 7"))
