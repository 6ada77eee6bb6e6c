"""How good a run is stands first on its page, in lists and on the page of its model."""

import subprocess

import pytest
from playwright.sync_api import expect

from fitserve import Client
from fitserve.main_figure import best_text, figure_sentence, figure_text
from tests.dashboard.conftest import DATA
from tests.e2e_service import FITSERVE

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
SECTIONS = """() => [...document.querySelectorAll("p.verdict, h2")]
  .map((one) => one.id || "verdict")"""


def printed(service, *command):
    """Return what the command line prints."""
    done = subprocess.run(
        [FITSERVE, "--url", service, *command], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_page_begins_with_the_sentence_of_the_command_line(page, service, trained):
    """The verdict, what to do, the report, the curves and the details, in this order."""
    told = printed(service, "runs", "report", trained).splitlines()[0]
    assert told.startswith("ROC AUC ")
    page.goto(f"{service}/#/runs/{trained}")
    expect(page.locator("p.verdict")).to_have_text(told)
    expect(page.locator(".importance")).to_be_visible()
    order = ["verdict", "next", "report", "curves", "figures", "notes", "details"]
    assert page.evaluate(SECTIONS) == order


def test_lists_show_the_figure_and_the_best_baseline(page, service, trained):
    """A phone shows them without scrolling; the page of the model repeats the sentence."""
    with Client(service) as client:
        figure = client.runs.get(trained).main_figure
    page.set_viewport_size({"width": 380, "height": 800})
    for place, row in (
        ("runs", f"[data-run={trained}]"),
        ("models", "tr:has-text('tumours')"),
    ):
        page.goto(f"{service}/#/{place}")
        expect(page.locator("main h1")).to_have_text(place.title())
        cell = page.locator(f"{row} td.verdict").first
        expect(cell).to_have_text(f"{figure_text(figure)}{best_text(figure)}")
        box = cell.bounding_box()
        assert box["x"] + box["width"] <= 380, place
    assert figure_text(figure) in printed(service, "runs", "list")
    page.goto(f"{service}/#/models/tumours/1")
    expect(page.locator("p.verdict")).to_have_text(figure_sentence(figure))


def test_a_failed_run_says_that_there_is_no_network(page, service, odd_runs):
    """It still says what to do: the training diverged."""
    page.goto(f"{service}/#/runs/{odd_runs['failed']}")
    expect(page.locator("p.verdict")).to_have_text("No network: the run failed.")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[aria-labelledby=next]")).to_contain_text("diverged")
    expect(page.locator("progress")).to_be_hidden()


def test_a_running_run_says_that_its_figures_follow(page, service):
    """A cancelled run keeps its weights, and nothing was measured."""
    wide = {"type": "Dense", "units": 512, "activation": "relu"}
    spec = {
        "dataset": "diabetes",
        "target": "progression",
        "model_name": "slow",
        "model": {"layers": [wide, wide, {"type": "Output"}]},
        "fit": {"epochs": 10_000, "seed": 1},
    }
    with Client(service) as client:
        client.datasets.upload(DATA / "diabetes.csv")
        run = client.runs.create(spec)
    page.goto(f"{service}/#/runs/{run.id}")
    verdict = page.locator("p.verdict")
    expect(page.locator(".line").first).to_be_visible()
    expect(verdict).to_have_text("Still training: the figures follow at the end.")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".chip")).to_have_text("cancelled")
    expect(verdict).to_contain_text("No figures: ")
