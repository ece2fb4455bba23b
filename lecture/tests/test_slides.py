"""The decks as a lecturer meets them: every slide fits, nothing is fetched.

make slides && make lecture-test
"""

from __future__ import annotations

import nbformat
import pytest
from pypdf import PdfReader

from lecture import fit, slides
from tools.notebooks import COURSE, FOLDER

SIZE = {"width": 1320, "height": 743}


@pytest.fixture
def opened(visit):
    """Open a deck, and wait until its formulas are set."""

    def go(name):
        deck = slides.DECKS / f"{name}.html"
        assert deck.exists(), "build/slides has no such deck: make slides"
        seen = visit(deck.as_uri(), **SIZE)
        fit.ready(seen.page, deck)
        return seen

    return go


@pytest.mark.parametrize("name", COURSE)
def test_every_slide_fits_and_nothing_is_fetched(opened, name):
    seen = opened(name)
    found = fit.overflows(seen.page, slides.DECKS / f"{name}.html")
    assert not found, "\n".join(map(str, found))
    assert not seen.asked and not seen.errors


def test_an_overlong_slide_is_named_with_its_cell_and_pixels(tmp_path, visit):
    notebook = nbformat.v4.new_notebook()
    for k, text in enumerate(("# Short", "\n\n".join(["A line."] * 40))):
        cell = nbformat.v4.new_markdown_cell(text)
        cell.id, cell.metadata.slideshow = f"99-00{k}", {"slide_type": "slide"}
        notebook.cells.append(cell)
    path = tmp_path / "99_overlong.ipynb"
    nbformat.write(notebook, path)
    assert slides.deck(path) == "99_overlong: 2 slides, 0 with notes, 0 minutes"
    deck = slides.DECKS / "99_overlong.html"
    try:
        page = visit(deck.as_uri(), **SIZE).page
        (found,) = fit.overflows(page, deck)
    finally:
        deck.unlink()
    assert str(found).startswith("99_overlong, slide 2, cell 99-001: ")
    assert found.down > 500 and f"{found.down} px too high" in str(found)


def test_notes_below_an_id_that_begins_no_slide_are_refused():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("a")])
    with pytest.raises(slides.NotesError, match="no slide begins with cell 05-999"):
        slides.add_notes(notebook, {"05-999": "Ask."}, "05_x")


def test_two_notes_below_one_id_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(slides, "NOTES", tmp_path)
    text = "# About\n\n## 05-001\n\nAsk.\n\n## 05-002\n\nSay.\n\n## 05-001\n\nShow."
    (tmp_path / "05_x.md").write_text(text, "utf-8")
    with pytest.raises(slides.NotesError, match="05_x.md: several notes below 05-001"):
        slides.notes_of(tmp_path / "05_x.ipynb")


def test_notes_are_for_notebooks_of_the_course():
    assert {path.stem for path in slides.NOTES.glob("*.md")} == set(COURSE)


@pytest.mark.parametrize("name", COURSE)
def test_every_slide_has_something_to_say_beside_it(name):
    path = FOLDER / f"{name}.ipynb"
    cells = nbformat.read(path, 4).cells
    begins = [c.id for c in cells if slides.slide_type(c) == "slide"]
    said = slides.notes_of(path)
    assert begins and set(begins) <= set(said)
    assert sum(map(int, slides.MINUTES.findall("\n".join(said.values())))) > 0


@pytest.mark.parametrize("name", COURSE)
def test_the_pdf_has_a_page_for_each_slide(name):
    pdf = slides.DECKS / f"{name}.pdf"
    assert pdf.exists(), "build/slides has no such PDF: make slides"
    cells = slides.shaped(nbformat.read(FOLDER / f"{name}.ipynb", 4).cells)
    count = sum(slides.slide_type(c) in ("slide", "subslide") for c in cells)
    pages = PdfReader(pdf).pages
    assert count <= len(pages) <= count + 1
    assert all(page.mediabox.width > page.mediabox.height for page in pages)


TEXT = "Said before.\n\n## A heading\n\nProse.\n\n$$x$$\n\n> Ask."


@pytest.mark.parametrize(
    ("tags", "shown"),
    [
        ([], TEXT),
        (["deck-from-heading"], TEXT[14:]),
        (["deck-no-prose"], "## A heading\n\n$$x$$\n\n> Ask."),
    ],
)
def test_tags_say_what_of_a_text_is_shown(tags, shown):
    cell = nbformat.v4.new_markdown_cell(TEXT, metadata={"tags": tags})
    assert [c.source for c in slides.shaped([cell])] == [shown]


def test_long_code_is_parted_at_blank_lines():
    blocks = ["\n".join([f"a{k} = 1"] * slides.LINES) for k in (1, 2)]
    cell = nbformat.v4.new_code_cell("\n\n".join(["b = 1", *blocks]), id="99-001")
    cell.metadata = nbformat.from_dict({"tags": ["deck-split"]})
    cell.outputs = [nbformat.v4.new_output("stream", text="2")]
    parts = slides.shaped([cell])
    assert [c.source for c in parts] == ["b = 1", *blocks]
    assert [c.id for c in parts] == ["99-001", "99-001-2", "99-001-3"]
    assert [len(c.outputs) for c in parts] == [0, 0, 1]
    assert [slides.slide_type(c) for c in parts] == ["-", "subslide", "subslide"]


def test_a_text_with_several_headings_is_parted_before_each():
    text = "Before.\n\n### One\n\nProse.\n\n## Two\n\n$$x$$"
    cell = nbformat.v4.new_markdown_cell(text, metadata={"tags": ["deck-split"]})
    parts = slides.shaped([cell])
    assert [c.source[:6] for c in parts] == ["Before", "### On", "## Two"]
    assert [slides.slide_type(c) for c in parts] == ["-", "subslide", "slide"]


def test_comments_that_are_for_machines_are_not_shown():
    code = "#| package: a.b\n# NBVAL_IGNORE_OUTPUT\nx = 1  # noqa: F841\n# said"
    [cell] = slides.shaped([nbformat.v4.new_code_cell(code)])
    assert cell.source == "x = 1\n# said"


def test_a_stepping_view_keeps_the_keys_until_one_clicks_beside_it(opened):
    page = opened("03_tape_engine").page
    page.evaluate("""() => {
      const slides = Reveal.getSlides(), at = slides.findIndex((slide) =>
        slide.querySelector(".stepping"));
      const {h, v} = Reveal.getIndices(slides[at]);
      Reveal.slide(h, v, 99);
    }""")
    here = page.evaluate("Reveal.getIndices()")
    view = page.locator("section.present .stepping").first
    view.get_by_role("button", name="one step back").click()
    page.keyboard.press("Home")  # the button is switched off and loses the focus
    page.keyboard.press("ArrowRight")
    assert view.locator("output").text_content().startswith("2 /")
    assert page.evaluate("Reveal.getIndices()") == here
    page.mouse.click(1000, 700)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getIndices()") != here
