"""The JSON of a Keras model: what is taken, what is refused, and where it is pointed."""

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
    """Whatever Keras would do with it, it is refused by a sentence with its place."""
    (first, *_) = faults(model)
    assert first.pointer.startswith("#/model/keras")
    assert first.detail


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_that_is_no_model_is_refused(text):
    """Numbers, depth and half characters are JSON's own hazards."""
    (first, *_) = faults(text)
    assert first.pointer.startswith("#/model/keras")


@pytest.mark.parametrize(
    ("model", "pointer", "said"),
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
def test_a_fault_is_named_where_it_stands(model, pointer, said, written):
    """By JSON pointer, into an object and into a text alike, with the way out."""
    (error,) = faults(written(model))
    assert error.pointer == f"#/model/keras{pointer}"
    assert said in error.detail + (error.hint or "")


def test_all_faults_are_told_at_once():
    """Not one a request."""
    model = sequential(
        layer("Lambda"), dense(units=0, trainable=False), layer("ReLU", threshold=1.0)
    )
    assert [error.pointer.removeprefix("#/model/keras/config/layers") for error in faults(model)] == [
        "/0/class_name",
        "/1/config/trainable",
        "/2/config/threshold",
    ]  # fmt: skip


def test_a_chain_may_be_written_as_functional():
    """Each layer called once on the one before it."""
    drop = layer("Dropout", rate=0.5)
    chain = functional(
        node(inputs(4), "i"),
        node(drop, "x", tensor("i"), training=False),
        node(dense(), "d", tensor("x")),
    )
    found = translate(chain)
    assert [entry.type for entry in found.layers] == ["Dropout", "Dense"]
    assert (found.num_inputs, found.first) == (4, 1)


def test_layers_and_keras_are_one_or_the_other():
    """Never both."""
    both = {"keras": sequential(dense()), "layers": [{"type": "Output"}]}
    with pytest.raises(InvalidBody) as caught:
        validate(RunCreate, {"target": "y", "model": both})
    assert caught.value.errors[0].pointer == "#/model/layers"


def test_a_value_is_what_it_is_and_not_what_python_holds_equal():
    """1 is not true, and an object is no name."""
    for config in ({"trainable": 1}, {"use_bias": 1}, {"units": 1.0}, {"activation": {}}):
        with pytest.raises(Refused):
            translate(sequential(dense(**config)))
