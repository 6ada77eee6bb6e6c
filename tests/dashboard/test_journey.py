"""The main job with mouse and keyboard, from a CSV file to predictions."""

import json
import re

import pytest
from playwright.sync_api import expect

from fitserve import Client
from tests.dashboard.conftest import DATA

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]


def fill_network(page):
    """Configure two wide layers and many epochs, so that the run lasts long enough."""
    page.get_by_label("Preset").select_option("")
    for layer in (1, 2):
        page.locator(f".layers li:nth-child({layer}) input").fill("1024")
    page.get_by_label("Maximum epochs").fill("5000")
    page.get_by_label("Early-stopping patience").fill("")
    page.get_by_label("Model name").fill("journey")


def test_from_a_csv_to_a_prediction(page, service):
    """Upload, choose the target, train, see the curve change, cancel, promote, predict."""
    page.goto(service)
    page.set_input_files("input[type=file]", DATA / "diabetes.csv")
    expect(page.get_by_label("Type of progression")).to_have_value("numeric")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Predict progression")).to_be_checked()
    expect(page.locator(".histogram")).to_have_count(11)
    expect(page.get_by_label("Preset")).to_have_value("default")
    fill_network(page)
    expect(page.locator(".plan")).to_contain_text("1,061,889")
    page.get_by_role("button", name="Train", exact=True).click()

    curve = page.locator(".line").first
    expect(page.locator(".chip")).to_have_text("running")
    expect(curve).to_have_attribute("d", _with_points(2))
    seen = curve.get_attribute("d")
    expect(curve).not_to_have_attribute("d", seen)
    expect(page.locator(".progress p")).to_contain_text("remaining")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".chip")).to_have_text("cancelled")
    expect(page.locator(".mark.best")).not_to_have_count(0)
    took = page.locator(".pairs > div", has_text="Training time").locator("dd")
    expect(took).to_have_text(re.compile(r"\d"))

    page.get_by_role("link", name="Try version 1").click()
    expect(page.get_by_role("button", name="Promote version 1")).to_have_count(0)
    page.get_by_role("button", name="Point an alias at version 1").click()
    page.get_by_label("Alias", exact=True).fill("live")
    page.get_by_role("dialog").get_by_role("button", name="Point the alias").click()
    expect(page.locator(".lineage .alias")).to_have_text("live")
    page.get_by_label("age", exact=True).fill("400")
    page.get_by_role("button", name="Predict progression").click()
    expect(page.locator(".prediction output")).to_have_text(_number())
    expect(page.locator(".answer .warn")).to_contain_text("age")
    with Client(service) as client:
        assert client.models.get("journey").aliases == {"live": 1}


def _with_points(least):
    return re.compile(r"^M[\d. ]+" + r"L[\d. ]+" * (least - 1))


def _number():
    return re.compile(r"^-?[\d,.]+$")


def test_form_and_json_are_one_spec(page, service, trained):
    """Form and JSON update each other; a corrected field loses its error."""
    page.goto(f"{service}/#/?dataset=breast-cancer")
    page.locator("summary", has_text="Spec as JSON").click()
    text = page.locator("textarea")
    assert json.loads(text.input_value()) == {
        "dataset": "breast-cancer",
        "target": "diagnosis",
        "preset": "default",
    }
    page.get_by_label("Preset").select_option("")
    units = page.locator(".layers input").first
    units.fill("0")
    assert '"units": 0' in text.input_value()
    expect(units).to_have_attribute("aria-invalid", "true")
    expect(units).to_have_accessible_description(re.compile("^Got 0; expected"))
    expect(page.locator(".plan .bad")).to_contain_text("model → layers → no. 1 → units")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
    text.fill(text.input_value().replace('"units": 0', '"units": 7'))
    expect(units).to_have_value("7")
    expect(page.locator(".layers .shape").first).to_have_text("→ 7 · 217 parameters")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
    expect(page.locator(".wrong")).to_have_count(0)


def test_a_class_is_told_with_its_probability(page, service, trained):
    """A prediction shows its probabilities; code and files are of the open version."""
    page.goto(f"{service}/#/models/tumours")
    page.get_by_role("button", name="Predict diagnosis").click()
    expect(page.locator(".prediction output")).to_have_text("malignant")
    expect(page.locator(".answer .bars li")).to_have_count(2)
    page.get_by_role("tab", name="Python", exact=True).press("ArrowRight")
    expect(page.get_by_role("tab", name="Python, fitserve")).to_be_focused()
    expect(page.get_by_role("tabpanel")).to_contain_text("from fitserve import Client")
    version = page.locator("h1 + .chip").inner_text().split()[-1]
    for key in ("", "any"):  # a script fetches the file if a key is set
        page.evaluate("key => key && sessionStorage.setItem('fitserve-key', key)", key)
        with page.expect_download() as told:
            page.get_by_role("link", name="model.onnx").click()
        assert told.value.path().stat().st_size > 1000
        assert told.value.suggested_filename == f"tumours-{version}-model.onnx"


def test_code_names_a_version_only_if_the_address_does(page, service, trained):
    """Copied code calls the serving version, also after a promotion."""
    page.goto(f"{service}/#/models/tumours")
    code = page.locator("section[aria-labelledby=snippets]")
    expect(code).to_contain_text("names no version")
    expect(page.locator("#snippet")).to_contain_text("/v1/models/tumours/predict")
    page.goto(f"{service}/#/models/tumours/1")
    expect(code).to_contain_text("Always version 1")
    expect(page.locator("#snippet")).to_contain_text("/versions/1/predict")
