"""Find the browser that the tests drive, or install it.

    python -m tools.browser

Chromium, Chrome or Edge will do; `CHROME=…` names another one. Where none is found and
the machine lets us (Debian's or Ubuntu's apt-get, as root), Chromium is installed. Else
one line says what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COMMANDS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("chrome", "msedge", "microsoft-edge"),
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
# How it is started: without a screen, and without asking anybody for anything.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
MEND = (
    "No browser for the browser tests: install Chromium or Chrome, or say where one is "
    "(CHROME=/path/to/chrome), or leave these tests out (SKIP_BROWSER=1)."
)


def find() -> str | None:
    """Give the path of a browser, or None; `CHROME` comes first."""
    if named := os.environ.get("CHROME"):
        return shutil.which(named)
    found = (shutil.which(command) for command in COMMANDS)
    there = (place for place in PLACES if Path(place).is_file())
    return next(filter(None, found), None) or next(there, None)


@contextmanager
def opened(*flags: str) -> Iterator[Browser]:
    """Start the browser, with more flags; without one, end with what to do."""
    from playwright.sync_api import sync_playwright

    if not (path := find()):
        raise SystemExit(MEND)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])


def can_install() -> bool:
    """Tell whether apt-get is there, and may be used."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return root and shutil.which("apt-get") is not None


def install() -> bool:
    """Install Debian's Chromium; tell whether it went well, and why not."""
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    quiet |= {"capture_output": True, "text": True}
    wanted = [
        "install",
        "-y",
        "--no-install-recommends",
        "chromium",
        "fonts-dejavu-core",
    ]
    for arguments in (["update"], wanted):
        run = subprocess.run(["apt-get", "-q", *arguments], **quiet)
        if run.returncode:
            print(f"apt-get {arguments[0]} failed:\n{run.stderr}", file=sys.stderr)
            return False
    return True


def main() -> int:
    """Have a browser ready; 1 if there is none."""
    if os.environ.get("SKIP_BROWSER"):
        print("SKIP_BROWSER is set: the browser tests are left out.")
        return 0
    if not find() and not os.environ.get("CHROME") and can_install():
        print("Installing Chromium for the browser tests …", flush=True)
        install()
    if path := find():
        print(f"Browser: {path}")
        return 0
    print(MEND, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
