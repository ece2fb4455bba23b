"""The seal of `make sealed` holds, and says who breaks it; JupyterLab stays closed."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tools.notebooks import ROOT
from tools.sealed import listening

FLAGS = re.MULTILINE | re.DOTALL
LINUX = sys.platform.startswith("linux")


def can_unshare():
    if not (LINUX and shutil.which("unshare")):
        return False
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    start = ["unshare", *user, "--mount", "--net", "mount", "--make-rprivate", "/"]
    return subprocess.run(start, capture_output=True).returncode == 0


needs_namespaces = pytest.mark.skipif(
    not can_unshare(), reason="this machine lets nobody make namespaces"
)


def sealed(code: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "tools.sealed", sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@needs_namespaces
@pytest.mark.parametrize(
    "code",
    # A Unix keeps temporary files in `tmp` of its root; sealed, TMPDIR names another.
    [
        "import pathlib; (pathlib.Path.home() / 'x').touch()",
        "import pathlib; pathlib.Path('tests/x').touch()",
        "import pathlib; pathlib.Path('/', 'tmp', 'x').touch()",
        "import pathlib; pathlib.Path('.venv/x').touch()",
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)",
        "import urllib.request as u; u.urlopen('http://example.org', timeout=5)",
    ],
    ids=["home", "checkout", "tmp", "environment", "network", "names"],
)
def test_what_must_not_be_cannot_be(code):
    run = sealed(code)
    assert run.returncode == 1 and "Error" in run.stderr
    assert not (ROOT / "tests" / "x").exists()


@needs_namespaces
def test_what_may_be_can_be():
    run = sealed(
        "import pathlib, socket, tempfile\n"
        "pathlib.Path('notebooks/new').touch()\n"
        "tempfile.TemporaryFile().write(b'x')\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname())\n"
        "import time; time.sleep(0.3)\n"
    )
    assert run.returncode == 0, run.stderr
    assert "written beside the notebooks: ['new']" in run.stdout
    assert "listened beyond localhost: nobody" in run.stdout
    assert not (ROOT / "notebooks" / "new").exists()


@needs_namespaces
def test_whoever_listens_to_all_is_noted():
    run = sealed(
        "import socket, time\n"
        "server = socket.create_server(('0.0.0.0', 5678))\n"
        "time.sleep(0.5)"
    )
    assert run.returncode == 1
    assert "listened beyond localhost: [5678]" in run.stdout


def test_listeners_are_read_off_the_kernels_table():
    head = "  sl  local_address rem_address   st tx_queue rx_queue\n"
    rows = (
        "0100007F:1F90 00000000:0000 0A",  # 127.0.0.1 listens
        "00000000:1F91 00000000:0000 0A",  # 0.0.0.0 listens
        "0500A8C0:1F92 0100A8C0:0050 01",  # a connection
        "00000000000000000000000001000000:1F93 0:0 0A",  # ::1 listens
        "00000000000000000000000000000000:1F94 0:0 0A",  # :: listens
        "0000000000000000FFFF00000100007F:1F95 0:0 0A",  # ::ffff:127.0.0.1
    )
    more = "00000000:00000000 00:00000000 00000000 0 0"
    lines = [f"  {i}: {row} {more} {700 + i} 1 x" for i, row in enumerate(rows)]
    table = head + "\n".join(lines)
    assert listening(table) == {0x1F91: "701", 0x1F94: "704"}


# --- JupyterLab -----------------------------------------------------------------------


def test_jupyterlab_listens_on_localhost_and_keeps_its_token(monkeypatch):
    from jupyter_server.serverapp import ServerApp

    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    app = ServerApp()
    assert app.ip == "localhost" and not app.allow_remote_access
    identity = app.identity_provider_class()
    assert len(identity.token) > 30 and identity.token_generated
    # From whom a page of another origin may ask: nobody.
    assert app.allow_origin == "" and not app.disable_check_xsrf


def test_nothing_here_opens_it():
    """Neither the way `make lab` calls it, nor a settings file beside the notebooks.

    test_work.py sees to what JupyterLab is then started with.
    """
    recipe = re.search(r"^lab.*?\n\n", (ROOT / "Makefile").read_text("utf-8"), FLAGS)[0]
    assert recipe.splitlines()[1:-1] == ["\t$(BIN)/python -m tools.work $@ $(ARGS)"]
    # (folders that begin with a dot are environments, where packages bring their own)
    own = (path for path in ROOT.glob("[!.]*/**/jupyter*config*") if path.is_file())
    assert not [path for path in own if "node_modules" not in path.parts]
    assert not list(ROOT.glob("jupyter*config*"))
