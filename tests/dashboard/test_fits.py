"""A run of several fits: which fit an epoch is of, wherever an epoch is told."""

import re

import pytest
from playwright.sync_api import expect

from fitserve import Client, RunFailed
from tests.dashboard.conftest import DATA

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
FITS = 3
EPOCHS = 40


@pytest.fixture(scope="module")
def fits(service) -> str:
    """Three fits, of which early stopping ends at least one; the id of the run."""
    with Client(service) as client:
        client.datasets.upload(DATA / "diabetes.csv")
        spec = {
            "dataset": "diabetes",
            "target": "progression",
            "model_name": "several",
            "model": {"layers": [{"type": "Dense", "units": 64}, {"type": "Output"}]},
            "compile": {"optimizer": {"type": "Adam", "learning_rate": 0.05}},
            "fit": {
                "epochs": EPOCHS,
                "seed": 1,
                "num_seeds": FITS,
                "early_stopping": {"patience": 2},
            },
            "report": {"baselines": False, "importance": False},
        }
        return client.runs.wait(client.runs.create(spec).id, timeout=120).id


def told(service, run):
    """The kept epoch, its fit, its number there, and the fit of each epoch."""
    with Client(service) as client:
        best = client.runs.get(run).best_epoch
        of = client.runs.history(run).fit
    fit = of[best - 1]
    return best, fit, best - of.index(fit), of


def test_the_curve_tells_its_fits(page, service, fits):
    """A line for each, marks where they begin and stop, and in words which was kept."""
    best, fit, own, of = told(service, fits)
    page.goto(f"{service}/#/runs/{fits}")
    expect(page.locator(".progress p")).to_contain_text(
        f"Fit {fit} of {FITS} was kept, with the weights of epoch {best} (its epoch {own})."
    )
    expect(page.locator("#figures")).to_have_text(
        f"At epoch {best} (fit {fit}, its epoch {own})"
    )
    first = page.locator(".chart").first
    expect(first.locator(".mark.begin text")).to_have_text(["fit 1", "fit 2", "fit 3"])
    stopped = sum(of.count(one) < EPOCHS for one in set(of))
    assert stopped
    expect(first.locator(".mark.end")).to_have_count(stopped)
    lines = first.locator(".line").all()
    assert [line.get_attribute("d").count("M") for line in lines] == [FITS, FITS]
    expect(first.locator("svg")).to_have_attribute(
        "aria-label", re.compile(f"in 3 of 3 fits; .*kept, fit {fit}, epoch {best}$")
    )


def test_an_epoch_is_told_with_its_fit(page, service, fits):
    """To the eye below the words of the marks, and to the ear."""
    *_, of = told(service, fits)
    page.goto(f"{service}/#/runs/{fits}")
    first = page.locator(".chart").first
    first.locator("svg").focus()
    for _ in range(of.index(2) + 1):
        page.keyboard.press("ArrowRight")
    told_at = f"epoch {of.index(2) + 1} (fit 2, its epoch 1)"
    expect(first.locator(".tip strong")).to_have_text(told_at)
    expect(first.locator("[aria-live]")).to_contain_text(told_at)
    words = [text.bounding_box() for text in first.locator(".mark text").all()]
    tip = first.locator(".tip").bounding_box()
    assert max(box["y"] + box["height"] for box in words) <= tip["y"] + 1


def test_a_comparison_counts_in_the_fit_it_draws(page, service, fits):
    """As many epochs as the curve has."""
    _, fit, own, of = told(service, fits)
    page.goto(f"{service}/#/compare/{fits}")
    row = page.locator("[aria-labelledby=summary] tr", has_text="Best epoch")
    expect(row).to_contain_text(f"{own} of {of.count(fit)}, fit {fit} of {FITS}")
    page.goto(f"{service}/#/runs")
    listed = page.locator(f"tr[data-run={fits}]")
    expect(listed).to_contain_text(f"{len(of)} of {EPOCHS * FITS} in {FITS} fits")


def test_a_run_without_weights_kept_none(page, service, fits):
    """No epoch of a run whose loss was no number is called kept."""
    with Client(service) as client:
        spec = client.runs.get(fits).spec | {"dataset": "diabetes"}
        spec["compile"]["optimizer"] = {"type": "SGD", "learning_rate": 1e6}
        spec["fit"] |= {"num_seeds": 1}
        run = client.runs.create(spec)
        with pytest.raises(RunFailed, match="NaN"):
            client.runs.wait(run.id, timeout=120)
    page.goto(f"{service}/#/runs/{run.id}")
    expect(page.locator(".progress p")).to_contain_text("became NaN")
    expect(page.locator(".progress p")).not_to_contain_text("kept")
    expect(page.locator(".mark.best")).to_have_count(0)


def test_several_fits_are_asked_for_in_the_form(page, service, fits):
    """The field is that of the JSON, and its hint says what it does."""
    page.goto(f"{service}/#/?dataset=diabetes")
    page.locator("summary", has_text="The same as JSON").click()
    field = page.get_by_label("Random restarts", exact=True)
    expect(field).to_have_attribute("placeholder", "1")
    expect(field).to_have_accessible_description(re.compile("^1 to 10"))
    field.fill("4")
    text = page.locator("textarea")
    expect(text).to_have_value(re.compile('"num_seeds": 4'))
    text.fill(text.input_value().replace('"num_seeds": 4', '"num_seeds": 11'))
    expect(field).to_have_value("11")
    expect(field).to_have_attribute("aria-invalid", "true")
