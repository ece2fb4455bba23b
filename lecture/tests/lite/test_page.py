"""What stands on the page around the notebook: read aloud, narrow, light and dark.

make lite && make lite-test
"""

from __future__ import annotations

import pytest

from lecture.tests.test_site import audit

BOOK = "01_chain_rule"
# JupyterLab lays the cells out one by one; what is missing is named after a moment.
NAMED = """() => {
  const all = jupyterapp.shell.currentWidget.content.widgets;
  const view = document.querySelector(".jp-WindowedPanel-viewport");
  const cells = view.querySelectorAll(":scope > [role=article]");
  return cells.length === all.length
    && !document.querySelector(".cm-content:not([aria-label])");
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_a_notebook_passes_the_audit(reader, scheme, width):
    one = reader(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = one.open(BOOK)
    one.write("# a cell that was not there when the page came")
    page.wait_for_function(NAMED)
    assert audit(page) == []


def test_a_narrow_page_is_not_wider_than_its_window(reader):
    page = reader(viewport={"width": 400, "height": 900}).open(BOOK)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    text = page.locator(".jp-MarkdownOutput").first.bounding_box()
    assert text["x"] >= 0 and text["x"] + text["width"] <= 400
