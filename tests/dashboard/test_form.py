"""The form offers exactly the values in the service's OpenAPI document."""

import json
from typing import get_args

import pytest
from playwright.sync_api import expect

from fitserve.specs.layers import LAYERS
from fitserve.specs.optimizers import OPTIMIZERS
from fitserve.specs.run import PresetName
from fitserve.specs.vocabulary import LONG_NAMES, LOSSES, Activation
from tests.dashboard.conftest import open_settings

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
START = "#/?dataset=breast-cancer"
INVENTED = {
    "type": "object",
    "required": ["type", "mode", "depth", "is_wide"],
    "properties": {
        "type": {"const": "Invented", "type": "string"},
        "mode": {"enum": ["slow", "fast"], "type": "string", "examples": ["fast"]},
        "depth": {"type": "integer", "minimum": 2, "maximum": 5},
        "is_wide": {"type": "boolean", "examples": [True]},
        "hidden": {"type": "number", "default": 1.0},
    },
}


@pytest.fixture
def own_layers(page, service, trained):
    """Return a function that opens the start page with custom layers."""

    def opened():
        page.goto(f"{service}/{START}")
        page.get_by_label("Preset").select_option("")
        return page.get_by_label("Type of layer 1")

    return opened


def offered(select):
    """Return the values of a select without the empty value."""
    values = select.evaluate("one => [...one.options].map(option => option.value)")
    return [value for value in values if value]


def first_layer(page):
    return json.loads(page.locator("textarea").input_value())["model"]["layers"][0]


def test_the_form_offers_what_a_spec_may_say(page, own_layers):
    """The form lists presets, layers, optimizers and the losses of the task, each once."""
    layer = own_layers()
    assert offered(page.get_by_label("Preset")) == list(get_args(PresetName))
    assert offered(layer) == list(LAYERS)
    assert offered(page.get_by_label("Optimizer")) == list(OPTIMIZERS)
    assert offered(page.get_by_label("Loss")) == list(LOSSES["binary"])
    page.get_by_label("Predict mean radius").check()
    every = [one for names in LOSSES.values() for one in names if one not in LONG_NAMES]
    assert sorted(offered(page.get_by_label("Loss"))) == sorted(every)


@pytest.mark.parametrize(("name", "kind"), LAYERS.items())
def test_a_new_layer_is_one_that_the_spec_allows(page, own_layers, name, kind):
    """A new layer has valid values, and each number field has the bounds of the spec."""
    layer = own_layers()
    layer.select_option("Output" if name != "Output" else "Dense")
    layer.select_option(name)
    kind.model_validate(first_layer(page))
    for field, schema in kind.model_json_schema()["properties"].items():
        control = page.locator(f"[data-pointer='#/model/layers/0/{field}']")
        if field == "activation":
            assert offered(control) == list(get_args(Activation))
        elif schema.get("examples"):
            assert control.get_attribute("min") == str(schema["minimum"])
            high = schema.get("maximum", schema.get("exclusiveMaximum"))
            assert control.get_attribute("max") == str(high)
        else:
            expect(control).to_have_count(0)


def test_a_layer_that_the_page_never_heard_of_has_a_form(page, own_layers):
    """The form builds the fields of an unknown layer from its schema."""

    def answer(route):
        document = route.fetch().json()
        schemas = document["components"]["schemas"]
        schemas["Invented"] = INVENTED
        one_of = schemas["ModelSpec"]["properties"]["layers"]["items"]["oneOf"]
        one_of.append({"$ref": "#/components/schemas/Invented"})
        route.fulfill(json=document)

    page.route("**/openapi.json", answer)
    own_layers().select_option("Invented")
    begun = {"type": "Invented", "mode": "fast", "depth": 2, "is_wide": True}
    assert first_layer(page) == begun
    page.get_by_label("mode", exact=True).select_option("slow")
    page.get_by_label("depth").fill("3")
    page.get_by_label("is_wide").uncheck()
    assert first_layer(page) == begun | {"mode": "slow", "depth": 3, "is_wide": False}


def test_the_form_has_weights_and_the_positive_class(page, service, trained):
    """The column of weights is no feature; a new target removes what does not fit it."""
    page.goto(f"{service}/{START}")
    open_settings(page)
    weight = page.get_by_label("Sample weight")
    assert "mean radius" in offered(weight)
    assert "diagnosis" not in offered(weight)
    weight.select_option("mean radius")
    page.get_by_label("Positive class").fill("benign")
    page.get_by_label("Weighted metrics").fill("accuracy, auc")
    used = page.get_by_label("Use mean radius as a feature")
    expect(used).not_to_be_checked()
    expect(used).to_be_disabled()
    page.get_by_label("Use mean texture as a feature").uncheck()
    spec = json.loads(page.locator("textarea").input_value())
    assert spec["fit"]["sample_weight"] == "mean radius"
    assert spec["positive_class"] == "benign"
    assert spec["compile"]["weighted_metrics"] == ["accuracy", "auc"]
    assert spec["features"] == {"exclude": ["mean texture"]}
    page.get_by_label("Predict mean radius").check()
    spec = json.loads(page.locator("textarea").input_value())
    assert "positive_class" not in spec
    assert spec["fit"] == spec["compile"] == {}


def test_a_document_that_does_not_come_is_told_in_place_of_the_form(
    page, service, trained
):
    """An error replaces the form; the next page retries."""
    told = {"title": "Later", "detail": "the service rests"}
    page.route("**/openapi.json", lambda route: route.fulfill(status=503, json=told))
    page.goto(f"{service}/{START}")
    expect(page.locator(".design .bad")).to_contain_text("The service rests.")
    page.unroute("**/openapi.json")
    page.get_by_role("link", name="Models").click()
    page.goto(f"{service}/{START}")
    expect(page.get_by_label("Preset")).to_be_visible()
