"""A Keras model in the place of `model`."""

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
    """What a Keras model is to the client."""

    def to_json(self):
        return '{"class_name": "Sequential", "config": {}, "compile_config": {}}'


def test_its_json_is_sent(wire, client):
    """By keyword or within the spec, and the spec is left as it was."""
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
def test_a_real_one_becomes_a_sound_spec(network):
    """Layers and, where it was compiled, optimizer, loss and metrics."""
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
def test_the_block_of_the_clients_page_is_taken_by_the_service(bench):
    """Real network, real service: layers and loss are those of the block."""
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
def test_a_given_compile_wins_and_none_is_none(network):
    """The model's own is left out then, also one that a run cannot take."""
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
