"""The site as readers meet it: nothing fetched, nothing in anybody's way.

make site && make lecture-test
"""

from __future__ import annotations

import pytest

from lecture.site import AXE, MODULES, SITE
from tools.notebooks import COURSE, describes

PAGES = [
    "index.html",
    "search.html",
    *(f"notebooks/{name}.html" for name in COURSE),
    *(f"api/{name}.html" for name in MODULES),
]
SERIOUS = ("serious", "critical")


@pytest.fixture
def shown(visit):
    """Open a page of the site, and wait until its formulas are set."""

    def go(name, **look):
        assert SITE.exists(), "build/site is not there: make site"
        seen = visit((SITE / name).as_uri(), **look)
        seen.page.wait_for_load_state("load")
        seen.page.evaluate("window.MathJax?.startup?.promise")
        return seen

    return go


def audit(page, **options):
    """What axe-core finds that is serious: rule, and the first three places."""
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        (v["id"], v["help"], [n["target"] for n in v["nodes"]][:3])
        for v in found["violations"]
        if v["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_complains_of_nothing(shown, name):
    seen = shown(name)
    assert not seen.asked
    assert not seen.errors


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_passes_the_audit(shown, name, scheme):
    assert audit(shown(name, color_scheme=scheme).page) == []


@pytest.mark.parametrize("name", [f"notebooks/{name}.html" for name in COURSE])
def test_every_picture_has_an_alt_text(shown, name):
    alts = shown(name).page.eval_on_selector_all(
        "article img", "images => images.map(image => image.alt.trim())"
    )
    assert alts and [alt for alt in alts if not describes(alt)] == []


@pytest.mark.parametrize("name", COURSE)
def test_a_notebook_can_be_downloaded(shown, name):
    page = shown(f"notebooks/{name}.html").page
    link = page.locator("a.btn-download-source-button").get_attribute("href")
    assert (SITE / "notebooks" / link).resolve().suffix == ".ipynb"
    assert (SITE / "notebooks" / link).resolve().exists()


def test_a_search_finds_the_notebook(shown):
    page = shown("search.html").page
    page.goto((SITE / "search.html").as_uri() + "?q=unbroadcast")
    page.wait_for_selector("ul.search li a")
    found = page.eval_on_selector_all("ul.search li a", "a => a.map(x => x.href)")
    assert any("07_array_tape" in link for link in found)


def test_pages_lead_to_the_next_and_the_one_before(shown):
    page = shown("notebooks/05_vectorized_backprop.html").page
    assert "04_" in page.locator("a.left-prev").get_attribute("href")
    assert "06_" in page.locator("a.right-next").get_attribute("href")
