"""The stepping view in JupyterLab: pictures until it is trusted, then players."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.views import LAYOUT, VIEWS, check_layout, press_through, steppers


def opened(visit: Callable[..., Visit], lab: Callable[[str], str], name: str) -> Visit:
    found = visit(lab(name), 1280, 2400)  # high: cells out of sight are not made
    found.page.locator(".jp-OutputArea-output").first.wait_for(timeout=40_000)
    return found


def test_an_untrusted_notebook_shows_pictures(visit, lab):
    found = opened(visit, lab, "untrusted")
    images = found.page.locator(".jp-OutputArea-output img")
    expect(images).to_have_count(VIEWS, timeout=20_000)
    assert found.page.locator(".stepping").count() == 0
    for i in range(VIEWS):
        assert images.nth(i).evaluate("img => img.naturalWidth") > 100
        assert len(images.nth(i).get_attribute("alt").split()) > 5
    assert not found.asked


def test_a_trusted_notebook_steps(visit, lab):
    found = opened(visit, lab, "trusted")
    views = steppers(found.page)
    for i in range(VIEWS):
        press_through(found.page, views.nth(i))
    for i in range(VIEWS):
        check_layout(views.nth(i).evaluate(LAYOUT))
    assert not found.asked
    assert not [error for error in found.errors if "step" in error.lower()]
