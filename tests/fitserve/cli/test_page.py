"""Test `fitserve open`."""

import json
import os
import socket
import stat

import pytest
from typer.testing import CliRunner

from fitserve.cli.app import make_app
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import problem


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """Install a program as the browser; return the file with the addresses it opened."""
    opened = tmp_path / "opened"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.setattr("webbrowser._tryorder", None)  # it is read once per process
    return opened


def test_the_page_is_opened(wire, fitserve, browser):
    """Its address is printed, too."""
    wire.answers("GET /openapi.json", {"openapi": "3.1.0"})
    done = fitserve("open")
    assert (done.exit_code, done.stdout) == (0, f"{wire.url}/\n"), done.output
    assert browser.read_text() == f"{wire.url}/\n"


def test_a_service_that_wants_a_key_has_a_page(wire, fitserve, browser):
    """The page asks for the key."""
    wire.answers("GET /openapi.json", problem(401, "unauthorized", "No key."))
    assert json.loads(fitserve("open", "--json").stdout)["opened"] is True


def test_a_run_has_a_page(wire, fitserve, browser):
    """An unknown id opens nothing."""
    wire.answers("GET /v1/runs/run_1", bodies.run())
    wire.answers("GET /v1/runs/none", problem(404, "run-not-found", "No run."))
    assert fitserve("open", "run_1").stdout == f"{wire.url}/#/runs/run_1\n"
    assert fitserve("open", "none").exit_code == 3
    assert browser.read_text() == f"{wire.url}/#/runs/run_1\n"


def test_without_a_browser_the_address_is_printed(wire, fitserve, browser, monkeypatch):
    wire.answers("GET /openapi.json", {"openapi": "3.1.0"})
    monkeypatch.setenv("BROWSER", os.devnull)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("DISPLAY", raising=False)
    done = fitserve("open")
    assert (done.exit_code, done.stdout) == (0, f"{wire.url}/\n")
    assert "open this address yourself" in done.stderr


def test_no_service_opens_nothing(browser):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert CliRunner().invoke(make_app(), ["--url", url, "open"]).exit_code == 4
    assert not browser.exists()
