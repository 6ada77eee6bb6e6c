"""Fixtures: the installed Chromium and a running service."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fitserve import Client
from fitserve.client import RunFailed
from tests.e2e_service import ROOT, running

CHROMIUM = shutil.which("chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DATA = ROOT / "examples" / "data"
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory, browser) -> Iterator[str]:
    """Start one service for all tests of the page and yield its URL."""
    with running(tmp_path_factory.mktemp("page")) as (url, _):
        yield url


@pytest.fixture(scope="package")
def trained(service) -> str:
    """Train a binary classifier for tests that only read. Return the run's id."""
    with Client(service) as client:
        client.datasets.upload(DATA / "breast-cancer.csv")
        spec = {
            "dataset": "breast-cancer",
            "target": "diagnosis",
            "model_name": "tumours",
            "fit": {"epochs": 3, "seed": 1},
        }
        return client.runs.wait(client.runs.create(spec).id, timeout=120).id


@pytest.fixture(scope="package")
def line(service, tmp_path_factory) -> str:
    """Train a regression on a table whose first ages are missing. Return the run's id."""
    head, *rows = (DATA / "diabetes.csv").read_text().splitlines()
    assert head.startswith("age,")
    table = tmp_path_factory.mktemp("table") / "sugar.csv"
    rows[:9] = [row[row.index(",") :] for row in rows[:9]]
    table.write_text("\n".join([head, *rows]) + "\n")
    with Client(service) as client:
        client.datasets.upload(table)
        spec = {
            "dataset": "sugar",
            "target": "progression",
            "preset": "linear",
            "fit": {"epochs": 3, "seed": 1},
            "report": {"baselines": ["constant", "linear"]},
        }
        return client.runs.wait(client.runs.create(spec).id, timeout=120).id


@pytest.fixture(scope="package")
def odd_runs(service, tmp_path_factory) -> dict[str, str]:
    """Upload a table with excluded columns; return a failed run, and one of five classes."""
    folder = tmp_path_factory.mktemp("odd")
    rows = [f"u{i:04},{i % 7},{i % 5 * 3 % 7},grade {i % 5}" for i in range(300)]
    table = folder / "excluded.csv"
    table.write_text("\n".join(["user id,a,b,grade", *rows]) + "\n")
    spec = {"dataset": "excluded", "target": "grade", "fit": {"epochs": 3, "seed": 1}}
    wild = {"optimizer": {"type": "SGD", "learning_rate": 1e6}}
    hidden = {"type": "Dense", "units": 8}
    layers = {"layers": [hidden, hidden, {"type": "Output"}]}
    broken = {"dataset": "breast-cancer", "target": "mean area", "model": layers}
    with Client(service) as client:
        client.datasets.upload(table)
        client.datasets.upload(DATA / "breast-cancer.csv")
        runs = {
            "classes": client.runs.create(spec).id,
            "failed": client.runs.create(broken | {"compile": wild}).id,
        }
        for run in runs.values():
            with suppress(RunFailed):
                client.runs.wait(run, timeout=120)
    return runs


@contextmanager
def opened(browser: Browser, **options: object) -> Iterator[Page]:
    """Open a page in a new context. Fail the test if the page logs an error."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    logged: list[str] = []
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.on("console", lambda said: logged.append(said.text) if _is_ours(said) else None)
    try:
        yield page
    finally:
        context.close()
    assert logged == []


def open_settings(page: Page) -> None:
    """Unfold the settings of the network on the start page."""
    page.locator(".settings > summary").click()


def _is_ours(said) -> bool:
    """Return whether the page logged the error. The browser also logs expected refusals."""
    return said.type == "error" and "Failed to load resource" not in said.text


@pytest.fixture
def page(browser) -> Iterator[Page]:
    with opened(browser) as page:
        yield page
