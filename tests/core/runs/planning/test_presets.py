"""A preset sets only what the spec leaves out."""

from typing import get_args

import pytest

from core.runs.planning.presets import with_preset
from fitserve.enums import Task
from fitserve.specs.run import PresetName, RunCreate

PRESETS = get_args(PresetName)
OWN = {"layers": [{"type": "Output"}]}


def filled(num_rows=1_000, num_columns=10, task=Task.BINARY, **keys):
    create = RunCreate.model_validate({"dataset": "d", "target": "y", **keys})
    given, model = with_preset(create, task, num_rows, num_columns)
    assert given.model is model
    return given


def test_a_spec_with_a_model_stays_as_it_is():
    create = RunCreate.model_validate({"dataset": "d", "target": "y", "model": OWN})
    assert with_preset(create, Task.BINARY, 1_000, 10) == (create, create.model)


def test_without_model_and_preset_it_is_the_default():
    assert filled() == filled(preset="default")
    assert filled().preset == "default"
    models = [filled(preset=name).model for name in PRESETS]
    assert all(models)
    assert len({model.model_dump_json() for model in models}) == len(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_spec_overrides_the_preset(preset):
    """The preset sets the remaining keys."""
    given = filled(
        preset=preset,
        model=OWN,
        features={"num_bins": 3},
        compile={"optimizer": "sgd"},
        fit={"batch_size": 7, "early_stopping": {"patience": 1}},
    )
    plain = filled(preset=preset)
    assert given.model.model_dump(exclude={"ensemble"})["layers"] == OWN["layers"]
    assert given.features.num_bins == 3
    assert given.compile.optimizer == "sgd"
    assert (given.fit.batch_size, given.fit.early_stopping.patience) == (7, 1)
    assert given.fit.epochs == plain.fit.epochs


@pytest.mark.parametrize(
    ("keys", "absent"),
    [
        ({"fit": {"epochs": 9}}, ("fit", "early_stopping")),
        ({"fit": {"validation_split": 0.0}}, ("fit", "early_stopping")),
        ({"fit": {"reduce_lr_on_plateau": {}}}, ("fit", "learning_rate_scheduler")),
        ({"features": {"standardize": False}}, ("features", "num_bins")),
    ],
)
def test_a_preset_does_not_contradict_the_spec(keys, absent):
    part, key = absent
    assert getattr(getattr(filled(), part), key) is not None
    assert getattr(getattr(filled(**keys), part), key) is None


@pytest.mark.parametrize("num_rows", [5, 30, 1_000, 16_000, 10_000_000])
def test_size_follows_the_table(num_rows):
    """A batch is at most half of the training rows, and more rows mean fewer epochs."""
    given = filled(num_rows=num_rows)
    fit, members = given.fit, given.model.ensemble
    assert 1 <= fit.batch_size <= max(1, num_rows * 0.9 / 2)
    assert fit.epochs * members * min(num_rows * 0.9, 16_000) <= 3_200_000
    assert filled(num_columns=101).features.num_bins < filled().features.num_bins
    assert filled(num_columns=5_000).features.num_bins is None


@pytest.mark.parametrize(
    ("num_rows", "task", "keeps_best"),
    [
        (2_000, Task.REGRESSION, False),
        (3_000, Task.REGRESSION, True),
        (2_000, Task.BINARY, True),
        (2_000, Task.MULTICLASS, True),
    ],
)
def test_a_small_regression_keeps_its_last_epoch(num_rows, task, keeps_best):
    """A tenth of few rows would choose an epoch by chance."""
    fit = filled(num_rows=num_rows, task=task).fit
    assert (fit.early_stopping is not None) == keeps_best


@pytest.mark.parametrize(
    ("keys", "share"),
    [
        ({}, 0.1),
        ({"preset": "thorough"}, 0.1),
        ({"preset": "small"}, 0.2),
        ({"model": OWN}, 0.2),
        ({"fit": {"validation_split": 0.2}}, 0.2),
        ({"fit": {"validation_dataset": "v"}}, 0.2),
    ],
)
def test_a_tenth_of_the_rows_validates_by_default(keys, share):
    """Other presets and given models keep a fifth."""
    assert filled(**keys).fit.validation_split == share


@pytest.mark.parametrize(("share", "num_seeds"), [(0.1, 3), (0.0, 1)])
def test_thorough_has_several_seeds_if_rows_validate(share, num_seeds):
    """Without validation rows there is one seed."""
    fit = filled(preset="thorough", fit={"validation_split": share}).fit
    assert fit.num_seeds == num_seeds
    assert filled(fit={"seed": 1}).fit.num_seeds == 1


def test_more_rows_have_fewer_members_and_a_faster_rate():
    few, many = filled(num_rows=4_000), filled(num_rows=5_000)
    assert (few.model.ensemble, many.model.ensemble) == (16, 8)
    few_rate = few.compile.optimizer.learning_rate
    assert few_rate < many.compile.optimizer.learning_rate
    wide = filled(num_rows=4_000, num_columns=60)
    assert (wide.model.ensemble, wide.compile) == (8, many.compile)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_resolved_spec_can_be_sent_again(client, upload, preset):
    """A resolved spec resolves to itself."""
    rows = "".join(f"{i},{i % 7},{'ab'[i % 2]},{3 * i}\n" for i in range(60))
    upload(f"x,z,k,y\n{rows}")
    body = {"dataset": "table", "target": "y", "preset": preset}
    first = client.post("/v1/runs/validate", json=body)
    assert first.status_code == 200, first.text
    spec = first.json()["spec"]
    assert spec["preset"] == preset
    assert client.post("/v1/runs/validate", json=spec).json() == first.json()


@pytest.mark.keras
def test_a_default_run_copied_is_the_same_network(bench):
    """A run from the resolved spec of another has the same metrics and serves."""
    rows = "".join(f"{i},{i % 7},{'ab'[i % 2]},{3 * i + i % 5}\n" for i in range(60))
    bench.upload(f"x,z,k,y\n{rows}")
    body = {"dataset": "table", "target": "y", "fit": {"epochs": 3, "seed": 1}}
    run = bench.train(body)
    assert run["status"] == "succeeded", run["error"]
    assert run["spec"]["model"]["ensemble"] == 16
    again = bench.train(run["spec"])
    assert again["metrics"] == pytest.approx(run["metrics"], rel=1e-3)
    instance = {"x": 3, "z": 3, "k": "b"}
    answer = bench.client.post(
        "/v1/predict", json={"model": "table", "instances": [instance]}
    )
    assert answer.status_code == 200, answer.text
