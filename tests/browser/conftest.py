"""A notebook full of stepping views, shown by a browser in every way that matters."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, Route

from tests.browser import computations
from tools import browser as browsers
from tools.notebooks import ROOT

TOKEN = "only-for-this-test"


# --- the browser ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if os.environ.get("SKIP_BROWSER"):
        pytest.skip("SKIP_BROWSER is set")
    with browsers.opened() as browser:
        yield browser


class Visit:
    """A page, what it asked the network for, and what it complained about."""

    def __init__(self, page: Page):
        self.page, self.asked, self.errors = page, set(), []
        page.route("**/*", self._answer)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))

    def _answer(self, route: Route) -> None:
        """Let through what stays on this machine; note all else, and give nothing."""
        url = urlsplit(route.request.url)
        if url.scheme in ("file", "data", "blob") or url.hostname == "localhost":
            route.continue_()
        else:
            self.asked.add(route.request.url)
            route.fulfill(body="")

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open an address in a window of its own."""
    contexts = []

    def go(url: str, width: int = 1280, height: int = 720, **look: object) -> Visit:
        size = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=size, **look))
        found = Visit(contexts[-1].new_page())
        found.page.goto(url)
        return found

    yield go
    for context in contexts:
        context.close()


# --- the notebook and its exports -----------------------------------------------------


@pytest.fixture(scope="session")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All computations of `computations`, stepped through, one cell each."""
    path = tmp_path_factory.mktemp("browser") / "stepping.ipynb"
    made = nbformat.v4.new_notebook()
    code = "from tests.browser import computations\ncomputations.show({!r})".format
    made.cells = list(map(nbformat.v4.new_code_cell, map(code, computations.OPTIONS)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        NotebookClient(made, kernel_name="python3").execute()
    nbformat.write(made, path)
    return path


def export(notebook: nbformat.NotebookNode, path: Path, **options: str) -> str:
    """Write a notebook as HTML; give its address."""
    html, _ = HTMLExporter(**options).from_notebook_node(notebook)
    if options.get("template_name") == "basic":  # a fragment for a page of others
        html = f'<!doctype html><meta charset="utf-8"><title>page</title>{html}'
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="session")
def exports(notebook: Path) -> dict[str, str]:
    """Addresses of the static exports; `empty` has no view in it."""
    full, none = nbformat.read(notebook, 4), nbformat.v4.new_notebook()
    folder = notebook.parent
    return {
        "lab": export(full, folder / "lab.html"),
        "dark": export(full, folder / "dark.html", theme="dark"),
        "basic": export(full, folder / "basic.html", template_name="basic"),
        "empty": export(none, folder / "empty.html"),
    }


# --- JupyterLab -----------------------------------------------------------------------


def settings(folder: Path) -> dict[str, str]:
    """An environment in which Jupyter has no history, and no settings of its user."""
    own = {f"JUPYTER_{k}_DIR": str(folder / k) for k in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    own |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    return {**os.environ, **own, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def lab(
    notebook: Path, tmp_path_factory: pytest.TempPathFactory, unused_port: int
) -> Iterator[Callable[[str], str]]:
    """A JupyterLab with the notebook twice: `untrusted` as it comes, and `trusted`."""
    folder = tmp_path_factory.mktemp("lab")
    own = settings(tmp_path_factory.mktemp("jupyter"))
    for name in ("untrusted", "trusted"):
        made = nbformat.read(notebook, 4)
        made.cells.append(nbformat.v4.new_markdown_cell(name))  # trust goes by content
        nbformat.write(made, folder / f"{name}.ipynb")
    jupyter = [sys.executable, "-m", "jupyter"]
    subprocess.run(
        [*jupyter, "trust", str(folder / "trusted.ipynb")],
        env=own,
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        [
            *(*jupyter, "lab", "--no-browser", "--allow-root", f"--port={unused_port}"),
            *("--ServerApp.ip=localhost", f"--IdentityProvider.token={TOKEN}"),
            *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"),
        ],
        env=own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{unused_port}"
    wait_for(f"{address}/api?token={TOKEN}", server)
    yield lambda name: f"{address}/doc/tree/{name}.ipynb?token={TOKEN}"
    server.terminate()
    server.wait(20)


def wait_for(url: str, server: subprocess.Popen) -> None:
    for _ in range(300):
        assert server.poll() is None, "JupyterLab ended before it answered"
        try:
            urlopen(url, timeout=5).close()
            return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError("JupyterLab does not answer")


@pytest.fixture(scope="session")
def unused_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("localhost", 0))
        return one.getsockname()[1]
