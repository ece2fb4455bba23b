"""What goes wrong in a browser: each time a sentence, and what was written stays.

make lite && make lite-test
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lecture.tests.lite.conftest import text_of

BOOK = "01_chain_rule"


# --- the engine -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault, said",
    [
        ("missing", "library.bin could not be fetched (the server says 404)"),
        ("damaged", "library.bin was damaged on the way"),
    ],
)
def test_a_file_that_is_not_there_or_not_whole_is_named(reader, faults, fault, said):
    faults["library.bin"] = fault
    one = reader()
    page = one.open(BOOK)
    page.wait_for_selector(f"div[role=status]:has-text('{said}')")
    assert "eload this page" in page.inner_text("div[role=status]")
    faults.clear()
    one.open(BOOK)
    assert "3" in text_of(one.run_code("1 + 2"))


@pytest.mark.parametrize(
    "old, lacks",
    [
        ("delete globalThis.WebAssembly", "it lacks WebAssembly."),
        ("delete globalThis.DecompressionStream", "it lacks DecompressionStream."),
        ("WebAssembly.validate = () => false", "it lacks WebAssembly's exceptions"),
    ],
)
def test_an_old_browser_is_told_what_it_lacks_and_fetches_nothing_big(
    reader, server, old, lacks
):
    one = reader()
    one.context.route(
        "**/engine.js",
        lambda route: route.fulfill(
            body=f"{old};\n" + route.fetch().text(), content_type="text/javascript"
        ),
    )
    server.asked.clear()
    page = one.open(BOOK)
    page.wait_for_selector(f'div[role=status]:has-text("{lacks}")')
    assert not [path for path in server.asked if path.endswith(".bin")]
    one.write("# this can be written all the same")
    one.save()
    one.open(BOOK)
    assert one.cells()[-1]["source"] == "# this can be written all the same"


def test_a_kept_file_that_was_damaged_later_is_fetched_again(reader, server):
    one = reader()
    one.open(BOOK)
    one.ready()
    damaged = one.page.evaluate(
        """async () => {
          for (const name of await caches.keys()) {
            const kept = await caches.open(name);
            for (const file of await kept.keys()) {
              if (!file.url.endsWith("library.bin")) continue;
              await kept.put(file, new Response("these are other bytes"));
              return name;
            }
          }
        }"""
    )
    assert damaged.startswith("course-engine-")
    server.asked.clear()
    one.open(BOOK)
    assert "3" in text_of(one.run_code("1 + 2"))
    fetched = [path.rpartition("/")[2] for path in server.asked]
    assert "library.bin" in fetched and "python.bin" not in fetched


# --- what the browser keeps, and what it does not -------------------------------------


def test_where_nothing_is_kept_that_is_said_and_the_notebook_can_be_taken_home(refused):
    page = refused.open(BOOK)
    said = page.wait_for_selector("#course-note").inner_text()
    assert "keeps nothing" in said and "File > Download" in said
    assert "3" in text_of(refused.run_code("1 + 2"))
    refused.write("# a thought of my own")
    menu = "() => void jupyterapp.commands.execute('docmanager:download')"
    assert "# a thought of my own" in downloaded(page, lambda: page.evaluate(menu))
    page.click("#course-note button")
    assert page.locator("#course-note").count() == 0
    assert not refused.abroad


FULL = """
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...what) {
  if (window.full) throw new DOMException("The quota has been exceeded.", "QuotaError");
  return put.apply(this, what);
};
"""


def test_a_full_disk_is_named_and_what_was_written_stays_on_the_page(reader):
    one = reader()
    one.context.add_init_script(FULL)
    page = one.open(BOOK)
    page.evaluate("() => { window.full = true; }")
    one.write("# a thought of my own")
    one.press("docmanager:save")
    said = page.wait_for_selector("#course-note").inner_text()
    assert said.startswith(f"{BOOK}.ipynb could not be saved")
    assert "still stands on this page" in said
    page.click(".jp-Dialog-button")
    assert one.cells()[-1]["source"] == "# a thought of my own"
    button = "#course-note button:has-text('Download')"
    assert "# a thought of my own" in downloaded(page, lambda: page.click(button))
    page.evaluate("() => { window.full = false; }")
    one.save()
    one.open(BOOK)
    assert one.cells()[-1]["source"] == "# a thought of my own"


def downloaded(page, press) -> str:
    """Read the file that comes when something is pressed."""
    with page.expect_download() as coming:
        press()
    return Path(coming.value.path()).read_text(encoding="utf-8")


def test_a_tab_closed_in_the_middle_of_a_save_leaves_a_whole_notebook(reader):
    """It is the old one or the new one."""
    one = reader()
    one.open(BOOK)
    before = "# version 0"
    one.write(before)
    one.save()
    for n, wait in enumerate((0, 5, 20), start=1):
        new = f"# version {n} " + "with much in it " * 50_000
        one.page.evaluate(
            """([text, wait]) => {
              const { model, context } = jupyterapp.shell.currentWidget;
              const cells = model.sharedModel.cells;
              cells[cells.length - 1].setSource(text);
              void context.save();
              return new Promise(done => setTimeout(done, wait));
            }""",
            [new, wait],
        )
        one.open(BOOK)  # which closes the tab before
        last = one.cells()[-1]["source"]
        assert last in (before, new)
        before = last


def test_what_is_written_is_kept_without_pressing_save(reader):
    one = reader()
    page = one.open(BOOK)
    one.write("# a thought of my own")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    one.open(BOOK)
    assert one.cells()[-1]["source"] == "# a thought of my own"


def test_saves_that_overlap_ask_nothing_and_the_last_one_counts(reader):
    """Ctrl+S pressed again and again, and the save of every half minute between."""
    one = reader()
    page = one.open(BOOK)
    one.write("# version 0")
    one.save()
    page.wait_for_timeout(600)  # what is newer than half a second, JupyterLab minds
    page.evaluate(
        """async () => {
          const { model, context } = jupyterapp.shell.currentWidget;
          const saves = [];
          for (let n = 1; n <= 40; n++) {
            const cells = model.sharedModel.cells;
            cells[cells.length - 1].setSource(`# version ${n}`);
            saves.push(context.save());
            await new Promise(done => setTimeout(done, 20));
          }
          window.saved = false;
          Promise.all(saves).then(() => { window.saved = true; });
        }"""
    )
    page.wait_for_function("() => saved || document.querySelector('.jp-Dialog')")
    assert page.locator(".jp-Dialog").count() == 0
    one.open(BOOK)
    assert one.cells()[-1]["source"] == "# version 40"
