"""The browser for the tests: found, named, installed, or missed in so many words."""

from __future__ import annotations

import subprocess

import pytest

from tools import browser


@pytest.fixture(autouse=True)
def nothing_is_there(monkeypatch):
    """A machine without browsers, on which nothing may be installed."""
    for name in ("CHROME", "SKIP_BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(browser.shutil, "which", lambda command: None)
    monkeypatch.setattr(browser, "PLACES", ())


def program(path):
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_a_browser_is_found_by_its_command(monkeypatch):
    there = {"chrome": "/opt/chrome", "msedge": "/opt/msedge"}
    monkeypatch.setattr(browser.shutil, "which", there.get)
    assert browser.find() == "/opt/chrome"


def test_a_browser_is_found_in_its_usual_place(monkeypatch, tmp_path):
    place = program(tmp_path / "chrome")
    monkeypatch.setattr(browser, "PLACES", (str(tmp_path / "none"), place))
    assert browser.find() == place


def test_chrome_names_one(monkeypatch):
    monkeypatch.setenv("CHROME", "mine")
    monkeypatch.setattr(browser.shutil, "which", lambda command: f"/bin/{command}")
    assert browser.find() == "/bin/mine"


def test_a_missing_browser_is_no_silence(capsys):
    assert browser.main() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for mend in ("install Chromium", "CHROME=", "SKIP_BROWSER=1"):
        assert mend in said


def test_tests_that_are_left_out_are_announced(monkeypatch, capsys):
    monkeypatch.setenv("SKIP_BROWSER", "1")
    assert browser.main() == 0
    assert "left out" in capsys.readouterr().out


@pytest.mark.parametrize("works", [True, False])
def test_it_is_installed_where_that_is_possible(monkeypatch, capsys, works):
    there, calls = {"apt-get": "/usr/bin/apt-get"}, []

    def run(command, **options):
        calls.append(command)
        if works and "install" in command:
            there["chromium"] = "/usr/bin/chromium"
        return subprocess.CompletedProcess(command, 0 if works else 100, "", "E: no")

    monkeypatch.setattr(browser.shutil, "which", there.get)
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(browser.subprocess, "run", run)
    assert browser.main() == (0 if works else 1)
    assert calls[0] == ["apt-get", "-q", "update"]
    said = capsys.readouterr()
    assert ("Browser: /usr/bin/chromium" in said.out) == works
    assert ("E: no" in said.err) != works
