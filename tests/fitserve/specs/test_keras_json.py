"""Test which JSON of Keras models is accepted, and where errors point."""

import json

import pytest

from fitserve.specs.keras_json import Refused, translate
from fitserve.specs.run import RunCreate
from service.bodies import validate
from service.problems import InvalidBody
from tests.fitserve.specs.exploits import (
    MODELS,
    TEXTS,
    dense,
    functional,
    inputs,
    layer,
    node,
    sequential,
    tensor,
    thing,
)


def faults(model):
    with pytest.raises(InvalidBody) as caught:
        validate(RunCreate, {"target": "y", "model": {"keras": model}})
    return caught.value.errors


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_known_attack_is_refused(model):
    """The error has a sentence and a location."""
    (first, *_) = faults(model)
    assert first.pointer.startswith("#/model/keras")
    assert first.detail


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_invalid_json_is_refused(text):
    """Numbers, nesting and half surrogates are invalid."""
    (first, *_) = faults(text)
    assert first.pointer.startswith("#/model/keras")


@pytest.mark.parametrize(
    ("model", "pointer", "text"),
    [
        (sequential(layer("Dens", units=1)), "/config/layers/0/class_name", "did you mean `Dense`?"),
        (sequential(inputs(4), layer("Normalization", axis=[-1]), dense()), "/config/layers/1/class_name", "leave it out: inputs are standardised already"),
        (sequential(layer("Rescaling", scale=0.1)), "/config/layers/0/class_name", "leave it out: inputs are standardised already"),
        (sequential(layer("CategoryEncoding", num_tokens=3)), "/config/layers/0/class_name", "leave it out: categories are encoded already"),
        (sequential(dense(unit=1)), "/config/layers/0/config/unit", "did you mean `units`?"),
        (sequential(inputs(4), dense(units=10**9)), "/config/layers/1/config/units", "1000000000"),
        (sequential(dense(activation="rely")), "/config/layers/0/config/activation", "did you mean `relu`?"),
        (sequential(dense(kernel_regularizer=thing("keras.regularizers", "L2", {"l2": -1}))), "/config/layers/0/config/kernel_regularizer/config/l2", "got -1"),
        (sequential(dense(kernel_initializer=thing("keras.initializers", "HeNormal", {"seed": 3}))), "/config/layers/0/config/kernel_initializer/config/seed", "`fit.seed`"),
        (sequential(layer("Dropout", rate=0.5, seed=3)), "/config/layers/0/config/seed", "`fit.seed`"),
        (sequential(layer("LeakyReLU", negative_slope=0.3)), "/config/layers/0/config/negative_slope", "0.2"),
        (sequential(dense()) | {"compile_config": {"loss": "mse"}}, "/compile_config", "`compile`"),
        (sequential(dense(dtype="float16")), "/config/layers/0/config/dtype", "float32"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("written", [dict, json.dumps])
def test_a_fault_has_a_pointer(model, pointer, text, written):
    """The JSON pointer is the same for an object and for a text; the error has a hint."""
    (error,) = faults(written(model))
    assert error.pointer == f"#/model/keras{pointer}"
    assert text in error.detail + (error.hint or "")


def test_all_faults_are_reported_at_once():
    model = sequential(
        layer("Lambda"), dense(units=0, trainable=False), layer("ReLU", threshold=1.0)
    )
    assert [error.pointer.removeprefix("#/model/keras/config/layers") for error in faults(model)] == [
        "/0/class_name",
        "/1/config/trainable",
        "/2/config/threshold",
    ]  # fmt: skip


def test_a_functional_chain_is_accepted():
    """Each layer is called once, on the previous layer."""
    drop = layer("Dropout", rate=0.5)
    chain = functional(
        node(inputs(4), "i"),
        node(drop, "x", tensor("i"), training=False),
        node(dense(), "d", tensor("x")),
    )
    found = translate(chain)
    assert [entry.type for entry in found.layers] == ["Dropout", "Dense"]
    assert (found.num_inputs, found.first) == (4, 1)


def test_layers_and_keras_exclude_each_other():
    both = {"keras": sequential(dense()), "layers": [{"type": "Output"}]}
    with pytest.raises(InvalidBody) as caught:
        validate(RunCreate, {"target": "y", "model": both})
    assert caught.value.errors[0].pointer == "#/model/layers"


def test_values_are_compared_by_type():
    """1 is not true, and an object is not a name."""
    for config in ({"trainable": 1}, {"use_bias": 1}, {"units": 1.0}, {"activation": {}}):
        with pytest.raises(Refused):
            translate(sequential(dense(**config)))
