"""The report of a run on its page, and the actions on its suggested spec."""

import re

import pytest
from playwright.sync_api import expect

from fitserve import Client

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]


def report_of(page, service, run):
    page.goto(f"{service}/#/runs/{run}")
    report = page.locator(".report")
    expect(report).to_be_visible()
    return report


def chart(report, title):
    return report.locator("figure", has=report.page.get_by_text(title, exact=True))


def test_a_classification_is_drawn(page, service, trained):
    """The page shows the metrics of the API and every curve."""
    report = report_of(page, service, trained)
    with Client(service) as client:
        told = client.runs.report(trained)
    counts = [str(n) for row in told.classification.confusion_matrix for n in row]
    expect(report.locator(".matrix td.figure")).to_have_text(counts)
    for title in (
        "ROC curve",
        "Precision-recall curve",
        "Calibration: observed frequency",
    ):
        expect(chart(report, title).locator(".line").first).to_have_attribute(
            "d", re.compile(r"^M[\d. ]+(L[\d. ]+)+")
        )
    best = told.importance.features[0].feature
    expect(chart_bars(report).first).to_contain_text(best)
    expect(page.locator("[aria-labelledby=next]")).to_contain_text(told.reading.sentence)
    rows = report.locator("table.figures tbody tr")
    expect(rows).to_contain_text(
        ["this network", "the majority class", "linear", "gradient boosting"]
    )
    assert f"{told.metrics['roc_auc']:.4g}" in rows.first.inner_text()


def chart_bars(report):
    return report.locator(".importance li")


def test_a_regression_is_drawn(page, service, line):
    """Each held-out row has a dot; the arrow keys move between the dots."""
    report = report_of(page, service, line)
    with Client(service) as client:
        num_scored = client.runs.report(line).held_out.num_scored
    for title in ("Actual and predicted values", "Residuals"):
        dots = chart(report, title).locator(".cloud")
        expect(dots).to_have_count(num_scored)
    cloud = chart(report, "Actual and predicted values")
    cloud.locator("svg").focus()
    page.keyboard.press("ArrowRight")
    expect(cloud.locator("[aria-live]")).to_contain_text("actual")
    expect(chart_bars(report)).to_have_count(10)
    expect(report.locator("table.figures tbody tr")).to_have_count(3)
    report.locator("summary", has_text="plots").click()
    with page.expect_download() as told:
        report.get_by_role("link", name="residuals.svg").click()
    assert b"<svg" in told.value.path().read_bytes()


def test_the_form_says_of_each_column_whether_it_may_be_empty(page, service, line):
    """A hint says whether the field is required, and names the range of a number."""
    page.goto(f"{service}/#/models/sugar/1")
    for label, word in (("age", "may be empty"), ("body mass index", "required")):
        field = page.get_by_label(label, exact=True)
        hint = re.compile(rf"^{word}, [-\d.]+ to [-\d.]+$")
        expect(field).to_have_accessible_description(hint)


def test_the_suggested_spec_is_trained_or_opened(page, service, line):
    """One button starts the suggested spec; the other opens it in the form."""
    report_of(page, service, line)
    with Client(service) as client:
        wanted = client.runs.report(line).reading.next_spec
    page.get_by_role("button", name="Edit the suggested spec").click()
    page.locator("summary", has_text="Spec as JSON").click()
    assert wanted["dataset"] in page.locator("textarea").input_value()
    page.go_back()
    page.get_by_role("button", name="Train the suggested spec").click()
    expect(page.locator(".chip")).to_be_visible()
    expect(page).not_to_have_url(re.compile(line))
    with Client(service) as client:
        run = client.runs.get(page.url.rpartition("/")[2])
        client.runs.cancel(run.id)
    assert run.spec["fit"]["epochs"] == wanted["fit"]["epochs"]
