"""A run of several fits: the page names the fit of each epoch."""

import re

import pytest
from playwright.sync_api import expect

from fitserve import Client, RunFailed
from tests.dashboard.conftest import DATA, open_settings

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
FITS = 3
EPOCHS = 40


@pytest.fixture(scope="module")
def fits(service) -> str:
    """Train three fits; early stopping ends at least one. Return the run's id."""
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
    """Return the kept epoch, its fit, its number in the fit, and the fit of each epoch."""
    with Client(service) as client:
        best = client.runs.get(run).best_epoch
        of = client.runs.history(run).fit
    fit = of[best - 1]
    return best, fit, best - of.index(fit), of


def test_the_curve_tells_its_fits(page, service, fits):
    """Each fit has a line and marks at its start and stop; a sentence names the kept fit."""
    best, fit, own, of = told(service, fits)
    page.goto(f"{service}/#/runs/{fits}")
    expect(page.locator(".progress p")).to_contain_text(
        f"Fit {fit} of {FITS} was kept with the weights of epoch {best} (epoch {own} of fit {fit})."
    )
    expect(page.locator("#figures")).to_have_text(
        f"Metrics at epoch {best} (epoch {own} of fit {fit})"
    )
    first = page.locator("[aria-labelledby=curves] .chart").first
    expect(first.locator(".mark.begin text")).to_have_text(["fit 1", "fit 2", "fit 3"])
    stopped = sum(of.count(one) < EPOCHS for one in set(of))
    assert stopped
    expect(first.locator(".mark.end")).to_have_count(stopped)
    lines = first.locator(".line").all()
    assert [line.get_attribute("d").count("M") for line in lines] == [FITS, FITS]
    expect(first.locator("svg")).to_have_attribute(
        "aria-label", re.compile(rf"in 3 of 3 fits; .*kept epoch {best} \(fit {fit}\)$")
    )


def test_an_epoch_is_told_with_its_fit(page, service, fits):
    """The tooltip is below the labels of the marks; a screen reader gets the same text."""
    *_, of = told(service, fits)
    page.goto(f"{service}/#/runs/{fits}")
    first = page.locator("[aria-labelledby=curves] .chart").first
    first.locator("svg").focus()
    for _ in range(of.index(2) + 1):
        page.keyboard.press("ArrowRight")
    told_at = f"epoch {of.index(2) + 1} (epoch 1 of fit 2)"
    expect(first.locator(".tip strong")).to_have_text(told_at)
    expect(first.locator("[aria-live]")).to_contain_text(told_at)
    words = [text.bounding_box() for text in first.locator(".mark text").all()]
    tip = first.locator(".tip").bounding_box()
    assert max(box["y"] + box["height"] for box in words) <= tip["y"] + 1


def test_a_comparison_counts_in_the_fit_it_draws(page, service, fits):
    """The comparison counts the epochs of the drawn fit."""
    _, fit, own, of = told(service, fits)
    page.goto(f"{service}/#/compare/{fits}")
    row = page.locator("[aria-labelledby=summary] tr", has_text="Kept epoch")
    expect(row).to_contain_text(f"{own} of {of.count(fit)}, fit {fit} of {FITS}")
    page.goto(f"{service}/#/runs")
    listed = page.locator(f"tr[data-run={fits}]")
    expect(listed).to_contain_text(f"{len(of)} of {EPOCHS * FITS} in {FITS} fits")


def test_a_run_without_weights_kept_none(page, service, fits):
    """A run whose loss became NaN has no kept epoch."""
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


def test_custom_layers_of_a_run_open_in_the_form(page, service, fits):
    """The form selects "none" as the preset and lists the layers of the run."""
    page.goto(f"{service}/#/runs/{fits}")
    page.get_by_role("button", name="Edit and train again").click()
    chosen = page.get_by_label("Preset").locator("option:checked")
    expect(chosen).to_have_text("none (custom layers)")
    expect(page.locator(".layers li")).to_have_count(2)


def test_several_fits_are_asked_for_in_the_form(page, service, fits):
    """The field edits `num_seeds` in the JSON, and its hint explains the value."""
    page.goto(f"{service}/#/?dataset=diabetes")
    open_settings(page)
    page.locator("summary", has_text="Spec as JSON").click()
    field = page.get_by_label("Random restarts", exact=True)
    expect(field).to_have_attribute("placeholder", "1")
    expect(field).to_have_accessible_description(re.compile("^1 to 10"))
    field.fill("4")
    text = page.locator("textarea")
    expect(text).to_have_value(re.compile('"num_seeds": 4'))
    text.fill(text.input_value().replace('"num_seeds": 4', '"num_seeds": 11'))
    expect(field).to_have_value("11")
    expect(field).to_have_attribute("aria-invalid", "true")
