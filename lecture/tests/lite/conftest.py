"""JupyterLite as a reader meets it: a file server, and a browser that sees no other."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from lecture.lite.build import LITE
from tools import browser as browsers

MINUTE = 60_000
# Nothing is found but this machine: what asks another one, fails.
CUT = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"


# --- the server -----------------------------------------------------------------------


class Files(SimpleHTTPRequestHandler):
    """Serve build/lite; a file may be damaged or missing, by order of a test."""

    def do_GET(self):
        self.server.asked.append(self.path)
        fault = self.server.faults.get(self.path.rpartition("/")[2])
        if fault is None:
            return super().do_GET()
        if fault == "missing":
            return self.send_error(404)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"these are other bytes")

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def served(folder: Path) -> Iterator[ThreadingHTTPServer]:
    """Serve a folder on this machine."""
    handler = functools.partial(Files, directory=str(folder))
    with ThreadingHTTPServer(("localhost", 0), handler) as made:
        made.faults, made.asked = {}, []
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture(scope="session")
def server() -> Iterator[ThreadingHTTPServer]:
    assert LITE.exists(), "build/lite is not there: make lite"
    with served(LITE) as made:
        yield made


@pytest.fixture
def faults(server) -> Iterator[dict[str, str]]:
    """Say of a file that it is "missing" or "damaged"."""
    yield server.faults
    server.faults.clear()


# --- the browser ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser(browser) -> Iterator[Browser]:
    """Give a browser that finds this machine alone.

    It is started by what started the other tests' one: Playwright is there once.
    """
    flags = [*browsers.FLAGS, CUT]
    kind = browser.browser_type
    cut_off = kind.launch(executable_path=browsers.find(), args=flags)
    yield cut_off
    cut_off.close()


def text_of(outputs: list[dict]) -> str:
    """All that a cell shows, as text and HTML."""
    parts = []
    for output in outputs:
        parts.append(output.get("text", "") or output.get("evalue", ""))
        parts += [str(made) for made in output.get("data", {}).values()]
    return "".join(parts)


class Reader:
    """Somebody with a browser of their own, who keeps it."""

    def __init__(self, context: BrowserContext, address: str):
        self.context, self.address = context, address
        self.abroad, self.errors = set(), []
        context.set_default_timeout(2 * MINUTE)
        context.on("request", lambda request: self._note(request.url))
        self.page: Page | None = None

    def _note(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:", "about:")):
            self.abroad.add(url)

    def open(self, stem: str) -> Page:
        """Open a notebook, and wait until it stands there."""
        self.look(f"notebooks/index.html?path={stem}.ipynb")
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
        )
        return self.page

    def look(self, address: str) -> Page:
        """Look at a page in a new tab, and close the one before."""
        if self.page:
            self.page.close()
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)
        self.page.goto(f"{self.address}/{address}")
        return self.page

    def _hear(self, said) -> None:
        if said.type == "error":
            self.errors.append(f"{said.text} {said.location['url']}")

    def ready(self) -> None:
        """Wait until Python answers."""
        self.run_code("1 + 1")

    def run_code(self, code: str, seconds: float = 120) -> list[dict]:
        """Write code into a new last cell, run it, and give its outputs."""
        self.write(code)
        self.press("notebook:run-cell")
        self.wait(seconds)
        return self.cells()[-1]["outputs"]

    def write(self, code: str) -> None:
        """Make a new last cell with code in it."""
        self.page.evaluate(
            """async code => {
              const panel = jupyterapp.shell.currentWidget;
              await panel.context.ready;
              const book = panel.content;
              book.activeCellIndex = book.widgets.length - 1;
              await jupyterapp.commands.execute("notebook:insert-cell-below");
              book.activeCell.model.sharedModel.setSource(code);
            }""",
            code,
        )

    def press(self, command: str) -> None:
        """Press a button; what it does is begun, and may not be done."""
        self.page.evaluate(
            "command => void (window.done = jupyterapp.commands.execute(command)"
            ".then(() => { window.done = true; }))",
            command,
        )

    def run_all(self, seconds: float) -> list[dict]:
        """Run all cells, and give the notebook's cells as they are then."""
        self.press("notebook:run-all-cells")
        self.wait(seconds)
        return self.cells()

    def wait(self, seconds: float = 120) -> None:
        """Wait until no cell waits or runs."""
        self.page.wait_for_function(
            """() => window.done === true
              && jupyterapp.shell.currentWidget.content.widgets.every(
                 cell => cell.model.type !== "code"
                      || cell.model.executionState === "idle")""",
            timeout=1000 * seconds,
            polling=100,  # not at each frame: the page is to do its own work
        )

    def cells(self) -> list[dict]:
        """Give the cells of the notebook as it stands on the page."""
        text = self.page.evaluate(
            "() => JSON.stringify(jupyterapp.shell.currentWidget.content.model)"
        )
        return nbformat.from_dict(json.loads(text)).cells

    def save(self) -> None:
        """Press *Save*."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")


@pytest.fixture
def reader(browser, server) -> Iterator[Callable[..., Reader]]:
    """Give a reader whose browser has seen nothing yet."""
    contexts = []

    def new(**how) -> Reader:
        size = {"viewport": {"width": 1280, "height": 900}}
        contexts.append(browser.new_context(**size | how))
        return Reader(contexts[-1], f"http://localhost:{server.server_port}")

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def refused(browser, server, tmp_path) -> Iterator[Reader]:
    """Give a reader whose browser lets no page keep anything."""
    (tmp_path / "Default").mkdir()
    refuse = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(refuse))
    context = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=browsers.find(), args=[*browsers.FLAGS, CUT]
    )
    yield Reader(context, f"http://localhost:{server.server_port}")
    context.close()
