"""Test a Keras model as `model`."""

import re
from pathlib import Path

import pytest

from fitserve import Client
from fitserve.client.keras_models import with_keras_model
from fitserve.specs import RunCreate
from service.app import create_app
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer
from tests.live import live

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/client.md").read_text()
SPEC = {"dataset": "wine", "target": "quality"}


class Architecture:
    """The only method of a Keras model that the client calls."""

    def to_json(self):
        return '{"class_name": "Sequential", "config": {}, "compile_config": {}}'


def test_the_json_of_a_model_is_sent(wire, client):
    """`model` is a keyword or part of the spec, and the spec is not changed."""
    wire.answers("POST /v1/runs", Answer(bodies.run("queued"), 202))
    sent = {"keras": {"class_name": "Sequential", "config": {}}}
    client.runs.create(SPEC, model=Architecture())
    client.runs.create(**SPEC, model=Architecture())
    client.runs.create({**SPEC, "model": Architecture()})
    assert [asked.json for asked in wire.asked] == [{**SPEC, "model": sent}] * 3
    assert "model" not in SPEC


@pytest.fixture
def network():
    import keras

    def build():
        return keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])

    return build


@pytest.mark.keras
def test_a_real_model_becomes_a_valid_spec(network):
    """Layers and, if compiled, optimizer, loss and metrics are kept."""
    import keras

    model = network()
    adam = keras.optimizers.Adam(0.01)
    model.compile(adam, "mae", metrics=["mse"], weighted_metrics=["mae"])
    create = RunCreate.model_validate(with_keras_model({**SPEC, "model": model}))
    assert [layer.units for layer in create.model.layers] == [4, 1]
    assert create.compile.optimizer.type == "Adam"
    assert create.compile.optimizer.learning_rate == 0.01
    assert (create.compile.loss, create.compile.metrics) == ("mae", ["mse"])
    assert create.compile.weighted_metrics == ["mae"]


@pytest.mark.keras
def test_the_service_accepts_the_example_of_the_clients_page(bench):
    """Layers and loss of the run are those of the example."""
    import keras

    bench.upload(ROOT / "examples/data/diabetes.csv", "diabetes")
    block = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[-1]
    with live(create_app(bench.settings)) as url, Client(url) as client:
        exec(block, {"keras": keras, "client": client})
        spec = next(client.runs.list()).spec
    assert [layer["type"] for layer in spec["model"]["layers"]] == ["Dense", "Dense"]
    optimizer = spec["compile"]["optimizer"]
    assert (optimizer["type"], optimizer["learning_rate"]) == ("Adam", 0.001)
    assert spec["compile"]["loss"] == "mae"


@pytest.mark.keras
def test_a_given_compile_replaces_that_of_the_model(network):
    """An unsupported loss of the model is then ignored; without `compile`, it is refused."""
    import keras

    model = network()
    given = {**SPEC, "compile": {"loss": "mse"}}
    plain = RunCreate.model_validate(with_keras_model({**SPEC, "model": model}))
    assert plain.compile.loss is None
    model.compile(loss=keras.losses.Huber(delta=3.0))
    taken = RunCreate.model_validate(with_keras_model({**given, "model": model}))
    assert taken.compile.loss == "mse"
    with pytest.raises(TypeError, match=r"object as `loss`.*compile="):
        with_keras_model({**SPEC, "model": model})
