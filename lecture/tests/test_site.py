"""The site as readers meet it: nothing fetched, nothing in anybody's way.

make site && make lecture-test
"""

from __future__ import annotations

import json
import re
import urllib.parse

import pypdf
import pytest

from lecture.site import AXE, LITE, MODULES, SITE, linked, runs
from lecture.site import PAGES as NOTEBOOKS
from tools.notebooks import COURSE, describes

PAGES = [
    "index.html",
    "search.html",
    *(f"notebooks/{name}.html" for name in NOTEBOOKS),
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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_can_be_downloaded(shown, name):
    page = shown(f"notebooks/{name}.html").page
    link = page.locator("a.btn-download-source-button").get_attribute("href")
    assert (SITE / "notebooks" / link).resolve().suffix == ".ipynb"
    assert (SITE / "notebooks" / link).resolve().exists()


WAYS = ["index.html", *(f"notebooks/{name}.html" for name in NOTEBOOKS)]


@pytest.mark.parametrize("name", WAYS)
def test_a_page_leads_to_its_notebook_in_the_browser(name):
    """Where `make lite` was before; opened as a file, a page says what is missing."""
    if not LITE.exists():
        pytest.skip("build/lite is not there: make lite")
    text = (SITE / name).read_text("utf-8")
    (address,) = re.findall(r'class="way runs" href="([^"]+)"', text)
    path, _, notebook = address.partition("?path=")
    assert ((SITE / name).parent / path).resolve() == SITE / runs("").partition("?")[0]
    stem = name.removeprefix("notebooks/").removesuffix(".html")
    assert notebook == f"{COURSE[0] if stem == 'index' else stem}.ipynb"
    assert (SITE / "lite" / "files" / notebook).exists()


def test_a_page_opened_as_a_file_says_what_running_needs(shown):
    page = shown("notebooks/01_chain_rule.html").page
    assert page.locator("a.way.runs").count() == 0
    assert "python -m http.server" in page.inner_text(".ways")


def test_the_first_page_shows_the_course_alive(shown):
    page = shown("index.html").page
    alts = page.eval_on_selector_all("img", "all => all.map(x => x.alt)")
    assert len([alt for alt in alts if describes(alt)]) >= 2
    assert "The slope of the inner formula is missing" in page.inner_text(
        ".shown >> nth=2"
    )
    assert page.locator(".shown >> nth=0").locator("button").count() >= 4


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


def test_the_summary_leads_to_every_section_that_it_names(shown):
    page = shown("notebooks/summary.html").page
    links = page.eval_on_selector_all("table.rules a", "all => all.map(a => a.href)")
    assert len(links) > 40
    for link in sorted(set(links)):
        page.goto(link)
        name = urllib.parse.unquote(link.partition("#")[2])
        assert page.evaluate("name => !!document.getElementById(name)", name), link


def test_the_summary_prints_on_two_sheets(shown, tmp_path):
    page, edge = shown("notebooks/summary.html").page, "10mm"
    margin = dict.fromkeys(("top", "bottom", "left", "right"), edge)
    page.pdf(path=str(tmp_path / "a.pdf"), format="A4", margin=margin)
    sheets = pypdf.PdfReader(tmp_path / "a.pdf").pages
    assert len(sheets) == 2 and "Every rule on one page" in sheets[0].extract_text()


def test_links_to_sections_have_the_names_of_the_site():
    text = "See [03](03_a.ipynb#The-end:-now?) and [04](04_b.ipynb)."
    cell = {"cell_type": "markdown", "source": [text[:20], text[20:]]}
    (made,) = json.loads(linked(json.dumps({"cells": [cell]})))["cells"]
    assert made["source"] == "See [03](03_a.ipynb#the-end-now) and [04](04_b.ipynb)."


def test_the_summary_shows_rules_and_hides_their_code(shown):
    page = shown("notebooks/summary.html").page
    assert page.locator("table.rules").count() >= 8
    assert page.locator("details.hide").count() >= 8
    assert not page.locator(".cell_input").first.is_visible()
