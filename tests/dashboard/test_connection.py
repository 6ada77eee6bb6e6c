"""A service that stops and starts again while a page is open."""

import re

import pytest
from playwright.sync_api import expect

from fitserve import Client
from tests.dashboard.conftest import DATA, opened
from tests.e2e_service import started
from tests.live import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
BANNER = "#connection .banner.bad"
SPEC = {
    "dataset": "breast-cancer",
    "target": "diagnosis",
    "fit": {"epochs": 5_000, "seed": 1, "early_stopping": None},
}


def epoch(page):
    """Return the epoch in the sentence about the progress."""
    found = re.search(r"Epoch ([\d,]+) of", page.locator(".progress p").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def test_the_page_says_that_the_service_is_away_and_continues(browser, tmp_path):
    """Without a reload, curves continue, and a page that was opened meanwhile appears."""
    port = str(free_port())
    with opened(browser) as page, opened(browser) as other:
        with started(tmp_path, "--port", port) as (line, _):
            url = line.split()[-1]
            with Client(url) as client:
                client.datasets.upload(DATA / "breast-cancer.csv")
                run = client.runs.create(SPEC).id
            page.goto(f"{url}/#/runs/{run}")
            expect(page.locator("path.line").first).to_be_visible()
            before = epoch(page)
            other.goto(f"{url}/#/runs")
            expect(other.locator("tbody tr")).to_have_count(1)
        expect(page.locator(BANNER)).to_contain_text("has not answered since")
        other.get_by_role("link", name="Models").click()
        expect(other.locator(BANNER)).to_be_visible()
        expect(other.locator("main h1")).to_have_text("The page could not be loaded")
        with started(tmp_path, "--port", port) as (line, _):
            assert line.split()[-1] == url
            expect(other.locator("main h1")).to_have_text("Models")
            for one in (page, other):
                expect(one.locator(BANNER)).to_have_count(0)
            expect(page.locator(".progress p")).to_contain_text("Epoch ")
            page.wait_for_function(
                "before => parseInt(document.querySelector('.progress p').textContent"
                ".replace(/\\D*([\\d,]+).*/, '$1').replaceAll(',', '')) > before",
                arg=before,
            )
            with Client(url) as client:
                client.runs.cancel(run)
            expect(page.locator(".chip")).to_have_text("cancelled")


def test_an_idle_page_notices_a_lost_connection(browser, service):
    """The page checks by itself; the button checks at once."""
    with opened(browser) as page:
        page.goto(f"{service}/#/models")
        expect(page.locator("main h1")).to_have_text("Models")
        page.route("**/*", lambda route: route.abort())
        expect(page.locator(BANNER)).to_be_visible()
        expect(page.locator("main h1")).to_have_text("Models")
        page.get_by_role("button", name="Try now").click()
        expect(page.locator(BANNER)).to_be_visible()
        page.unroute("**/*")
        page.get_by_role("button", name="Try now").click()
        expect(page.locator(".banner.good")).to_be_visible()
        expect(page.locator("#connection > *")).to_have_count(0)


def test_a_device_that_is_offline_is_noticed_at_once(browser, service):
    with opened(browser) as page:
        page.goto(f"{service}/#/models")
        expect(page.locator("main h1")).to_have_text("Models")
        page.context.set_offline(True)
        expect(page.locator(BANNER)).to_be_visible(timeout=2_000)
        page.context.set_offline(False)
        expect(page.locator(BANNER)).to_have_count(0)
