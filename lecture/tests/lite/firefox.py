"""Firefox as it is installed, driven by what it speaks itself: WebDriver BiDi.

Playwright drives a Firefox of its own making, which it fetches. This does the few
things that `Reader` asks of a page. (`websocket` has come with Jupyter's server.)
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import websocket

COMMANDS = ("firefox", "firefox-esr")
SPOKEN = re.compile(r"WebDriver BiDi listening on (ws://\S+)\s")
# Nothing is found but this machine.
SETTINGS = """
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.disabledForTesting", true);
"""


def find() -> str | None:
    """Give the path of Firefox, or None."""
    return next(filter(None, map(shutil.which, COMMANDS)), None)


@contextmanager
def opened(profile: Path) -> Iterator[FirefoxContext]:
    """Start Firefox without a screen, with a profile that has seen nothing yet."""
    (profile / "user.js").write_text(SETTINGS)
    command = [find(), "--headless", "--no-remote", "--profile", str(profile)]
    command.append("--remote-debugging-port=0")
    with (profile / "said").open("wb") as said:
        started = subprocess.Popen(command, stderr=said, stdout=subprocess.DEVNULL)
    try:
        context = FirefoxContext(spoken(started, profile / "said"))
        yield context
        context.socket.close()
    finally:
        started.terminate()
        started.wait()


def spoken(started: subprocess.Popen, log: Path) -> str:
    """Wait until Firefox says where it listens."""
    while not (found := SPOKEN.search(log.read_text(errors="replace"))):
        if started.poll() is not None:
            raise RuntimeError(f"Firefox did not start: {log.read_text()}")
        time.sleep(0.1)
    return found[1]


class FirefoxContext:
    """What Playwright calls a context: all that one reader has open."""

    def __init__(self, address: str):
        self.socket = websocket.create_connection(
            f"{address}/session", suppress_origin=True
        )
        self.numbers, self.milliseconds = itertools.count(1), 30_000
        self.heard = {}
        self.ask("session.new", capabilities={})
        events = ["log.entryAdded", "network.beforeRequestSent"]
        self.ask("session.subscribe", events=events)

    def ask(self, method: str, **what) -> dict:
        """Send a command, and wait for what comes of it."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": what}))
        while True:
            said = json.loads(self.socket.recv())
            if said.get("id") == number:
                if said["type"] == "error":
                    raise RuntimeError(f"{method}: {said['message']}")
                return said["result"]
            for hear in self.heard.get(said.get("method"), ()):
                hear(said["params"])

    def set_default_timeout(self, milliseconds: float) -> None:
        """Say how long to wait for anything."""
        self.milliseconds = milliseconds

    def on(self, event: str, hear) -> None:
        """Tell of each request."""
        assert event == "request"
        name = "network.beforeRequestSent"
        self.heard.setdefault(name, []).append(lambda said: hear(Request(said)))

    def new_page(self) -> FirefoxPage:
        """Open a tab."""
        return FirefoxPage(self)


class Request:
    """A request, known by its address."""

    def __init__(self, said: dict):
        self.url = said["request"]["url"]


class Said:
    """What a page says to its console."""

    def __init__(self, said: dict):
        self.type, self.text = said["level"], said["text"]
        self.location = {"url": ""}

    def __str__(self) -> str:
        return self.text


class FirefoxPage:
    """A tab."""

    def __init__(self, context: FirefoxContext):
        self.context = context
        made = context.ask("browsingContext.create", type="tab")
        self.tab = made["context"]

    def on(self, event: str, hear) -> None:
        """Tell of the page's errors ("pageerror") and of its console ("console")."""
        kind = {"pageerror": "javascript", "console": "console"}[event]

        def take(said: dict) -> None:
            if said["type"] == kind and said["source"].get("context") == self.tab:
                hear(Said(said))

        self.context.heard.setdefault("log.entryAdded", []).append(take)

    def goto(self, url: str) -> None:
        """Go to an address, and wait until the page has loaded."""
        how = {"context": self.tab, "url": url, "wait": "complete"}
        self.context.ask("browsingContext.navigate", **how)

    def evaluate(self, code: str, argument=None):
        """Call a function on the page, and give what it gives, as JSON can say it."""
        call = (
            f"async () => {{ const made = await ({code})({json.dumps(argument)});"
            " return JSON.stringify(made ?? null); }"
        )
        done = self.context.ask(
            "script.callFunction",
            functionDeclaration=call,
            awaitPromise=True,
            target={"context": self.tab},
        )
        if done["type"] == "exception":
            raise RuntimeError(done["exceptionDetails"]["text"])
        return json.loads(done["result"]["value"])

    def wait_for_function(
        self, code: str, timeout: float | None = None, polling: float = 100
    ) -> None:
        """Wait until a function on the page gives what is true."""
        end = time.monotonic() + (timeout or self.context.milliseconds) / 1000
        while time.monotonic() < end:
            if self.evaluate(f"async () => !!(await ({code})())"):
                return
            time.sleep(polling / 1000)
        raise TimeoutError(code)

    def wait_for_selector(self, selector: str) -> None:
        """Wait until something is there."""
        self.wait_for_function(f"() => document.querySelector({json.dumps(selector)})")

    def close(self) -> None:
        """Close the tab."""
        self.context.ask("browsingContext.close", context=self.tab)
