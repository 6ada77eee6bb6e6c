"""Test that every layer of the spec is complete and correct in all parts of the code."""

import importlib
import json
import sys
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.runs.planning.layer_plan import plan_layers
from fitserve.specs import layers as specs
from fitserve.specs import vocabulary
from fitserve.specs.keras_json import translate
from fitserve.specs.layers import BUILT, ModelSpec
from tests.layers import exported, layers

pytestmark = pytest.mark.keras
WIDTH = 3


class SpatialDropout1D(specs.Weightless):
    """A layer of Keras that fitserve does not support."""

    type: Literal["SpatialDropout1D"]
    rate: float = 0.5


def built(layer, ensemble=1):
    """Return a network with the layer and a Dense, with weights that change its output."""
    from workers.training.build import build
    from workers.training.ensemble import build_ensemble

    last = {"type": "Dense", "units": 2}
    model = {"layers": [layer, last], "ensemble": ensemble}
    spec = ModelSpec.model_validate(model)
    network = (build if ensemble == 1 else build_ensemble)(spec, WIDTH)
    rng = np.random.default_rng(0)
    for variable in network.variables:
        if variable.dtype == "float32":  # the others are states of noise generators
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    return spec, network


def of_each(test):
    """Run the test for each layer type, with the type in its id."""
    given_one = pytest.mark.parametrize("name", BUILT)
    return given_one(settings(max_examples=8)(given(st.data())(test)))


@of_each
def test_the_size_of_a_layer_equals_that_of_keras(name, data):
    """The test compares `params` and `output_width` for any fields."""
    spec, network = built(data.draw(layers([name])))
    plan = plan_layers(spec, WIDTH)[0]
    layer = network.layers[0]
    assert plan.type == name == type(layer).__name__
    assert plan.params == layer.count_params()
    assert plan.output_shape == list(layer.output.shape[1:])


@of_each
def test_a_layer_survives_its_json(name, data):
    """keras_json accepts all JSON that Keras writes for built layers."""
    _, network = built(data.draw(layers([name])))
    again = translate(network.to_json()).layers[0].model_dump()
    _, second = built(again)
    assert config(second.layers[0]) == config(network.layers[0])


def config(layer):
    """Return Keras's config, with factors rounded to float32."""
    return json.loads(
        json.dumps(layer.get_config()), parse_float=lambda n: round(float(n), 6)
    )


@pytest.mark.filterwarnings("ignore:(?s).*softmax over axis -1:UserWarning")  # one unit
@pytest.mark.parametrize("ensemble", [1, 2])
@pytest.mark.parametrize("name", BUILT)
@settings(max_examples=4)
@given(data=st.data())
def test_a_layer_exports_as_keras_computes_it(name, ensemble, data, tmp_path_factory):
    """The layer is tested alone and in an ensemble, whose values have one more axis."""
    _, network = built(data.draw(layers([name])), ensemble)
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    x = np.random.default_rng(1).normal(size=(20, WIDTH)).astype(np.float32)
    expected = np.asarray(network(x))
    found = exported(network, path)(x.astype(np.float64))
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("fitserve.specs.keras_json.layers", "a rule of keras_json"),
        ("workers.training.saving.onnx_layers", "an ONNX writer"),
    ],
)
def test_a_layer_without_a_part_stops_the_import(monkeypatch, module, part):
    """The error names the part and the layer."""
    monkeypatch.setitem(BUILT, "SpatialDropout1D", SpatialDropout1D)
    with pytest.raises(LookupError, match=f"^{part} is missing for SpatialDropout1D$"):
        imported_again(monkeypatch, module)


def test_a_key_without_a_rule_stops_the_import(monkeypatch):
    """A new field of the spec needs a rule for its JSON."""

    class Wider(specs.Dropout):
        seed_generator: int = 0

    monkeypatch.setitem(BUILT, "Dropout", Wider)
    message = "^a rule of keras_json for Dropout's key is missing for seed_generator$"
    with pytest.raises(LookupError, match=message):
        imported_again(monkeypatch, "fitserve.specs.keras_json.layers")


def test_a_layer_unknown_to_keras_stops_the_import(monkeypatch):
    """A `type` is the name of a Keras class."""
    monkeypatch.setitem(BUILT, "Dens", specs.Dense)
    with pytest.raises(AttributeError, match="Dens"):
        imported_again(monkeypatch, "workers.training.build")


def test_a_metric_without_a_class_stops_the_import(monkeypatch):
    """The error names the metric."""
    known = vocabulary.METRICS["regression"]
    monkeypatch.setitem(vocabulary.METRICS, "regression", (*known, "nonsense"))
    with pytest.raises(LookupError, match=r"a metric's Keras class .* nonsense$"):
        imported_again(monkeypatch, "workers.training.build")


@pytest.mark.parametrize("method", ["params", "output_width"])
def test_a_layer_without_a_size_cannot_be_created(method):
    """The error names the class and the method."""
    counts = {"params": lambda _, width: width, "output_width": lambda _, width: width}
    del counts[method]
    silent = type("Silent", (specs.LayerSpec,), counts)
    with pytest.raises(TypeError, match=f"Silent .*{method}"):
        silent()


def imported_again(monkeypatch, name):
    """Import a module as a new process does; other modules keep the old one."""
    monkeypatch.delitem(sys.modules, name, raising=False)
    parent, _, child = name.rpartition(".")
    monkeypatch.setattr(importlib.import_module(parent), child, None, raising=False)
    return importlib.import_module(name)
