"""A newcomer's way: from the first page of the site to the first exercise passed.

make lite site && make lite-test

All is done as a reader does it: by mouse and keyboard, on what can be seen.
"""

from __future__ import annotations

import pytest

from lecture.site import SITE
from lecture.tests.lite.conftest import Reader, served

ANSWER = (784 + 1) * 32 + (32 + 1) * 10


def test_three_clicks_lead_from_the_first_page_to_the_first_exercise_passed(browser):
    if not (SITE / "lite").exists():
        pytest.skip("build/site leads to no running notebook: make lite site")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    with served(SITE) as server:
        one = Reader(context, f"http://localhost:{server.server_port}")
        page = one.look("index.html")
        page.get_by_text("Begin in your browser").click()

        cells = page.locator(".jp-Notebook .jp-CodeCell")
        exercise = cells.filter(has_text="# Exercise 00.1")
        exercise.scroll_into_view_if_needed()
        cells.filter(has_text="from course_exercises import check, hint").last.click()
        page.keyboard.press("Shift+Enter")
        exercise.get_by_text("n_weights_32").click()
        page.keyboard.press("End")
        for _ in "...":
            page.keyboard.press("Backspace")
        page.keyboard.type(str(ANSWER))
        page.keyboard.press("Shift+Enter")  # runs it, and goes on to the cell below
        page.keyboard.press("Shift+Enter")
        said = cells.filter(has_text='check("00.1"').locator(".jp-OutputArea-output")
        said.get_by_text("passed").wait_for()
        assert "✓" in said.inner_text()
        assert not one.abroad and not one.errors
        context.close()
