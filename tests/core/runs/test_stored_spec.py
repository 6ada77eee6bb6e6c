"""Specs that earlier releases stored can still be read."""

import json

import pytest
from pydantic import ValidationError

from core.runs.spec import ResolvedCompile, ResolvedFit, ResolvedSpec
from fitserve.specs.optimizers import Adam
from fitserve.specs.report import ReportSpec
from fitserve.specs.run import RunCreate, SplitSpec
from fitserve.specs.training import CompileSpec, FitSpec
from tests.core.database.test_stored import stored, write
from tests.core.runs.rows import add_run, read_run, resolved_spec

STOPPING = {
    "monitor": "val_loss",
    "min_delta": 0.0,
    "patience": 10,
    "mode": "auto",
    "baseline": None,
    "start_from_epoch": 0,
    "restore_best_weights": True,
}
PLATEAU = {
    "monitor": "val_loss",
    "factor": 0.1,
    "patience": 10,
    "mode": "auto",
    "min_delta": 0.0001,
    "cooldown": 0,
    "min_lr": 0.0,
}
FIRST = {
    "dataset": "table",
    "target": "y",
    "model_name": "m",
    "task": "binary",
    "features": {"include": None, "exclude": ["z"], "types": {"a": "numeric"}, "standardize": True},
    "model": {
        "layers": [
            {
                "type": "Dense",
                "units": 1,
                "activation": "sigmoid",
                "use_bias": True,
                "kernel_initializer": "glorot_uniform",
                "bias_initializer": "zeros",
                "kernel_regularizer": None,
                "bias_regularizer": "l2",
            }
        ]
    },
    "compile": {
        "optimizer": {
            "learning_rate": 0.001,
            "weight_decay": None,
            "clipnorm": None,
            "clipvalue": None,
            "type": "Adam",
            "beta_1": 0.9,
            "beta_2": 0.999,
            "epsilon": 1e-07,
            "amsgrad": False,
        },
        "loss": "binary_crossentropy",
        "metrics": ["auc"],
    },
    "fit": {
        "validation_split": 0.2,
        "validation_dataset": None,
        "batch_size": 16,
        "epochs": 200,
        "shuffle": True,
        "seed": 7,
        "class_weight": {"yes": 2.0},
        "early_stopping": STOPPING,
        "reduce_lr_on_plateau": None,
        "time_limit_seconds": None,
    },
    "tags": {"who": "me"},
}  # fmt: skip
SPLIT = {"split": {"by": "time", "column": "day", "test": 0.1}}
REPORT = {"report": {"baselines": False, "importance": True, "time_limit_seconds": None}}
PRESET = {"preset": "default", "features": FIRST["features"] | {"num_bins": 16}}


def read(database, content):
    run_id = add_run(database)
    write(database, "runs", "spec", json.dumps(content))
    return read_run(database, run_id).spec


def test_missing_keys_get_their_defaults(database):
    """The first release stored no split, preset, report, ensemble, bins, seeds or scheduler."""
    spec = read(database, FIRST)
    assert (spec.split, spec.report, spec.preset) == (SplitSpec(), ReportSpec(), None)
    assert (spec.model.ensemble, spec.features.num_bins) == (1, None)
    assert (spec.fit.num_seeds, spec.fit.learning_rate_scheduler) == (1, None)
    assert spec.compile.optimizer == Adam()
    assert (spec.fit.seed, spec.fit.batch_size, spec.fit.epochs) == (7, 16, 200)
    assert spec.fit.class_weight == {"yes": 2.0}
    assert spec.model.layers[0].bias_regularizer == "l2"


@pytest.mark.parametrize(
    "more",
    [{}, SPLIT, SPLIT | REPORT, SPLIT | REPORT | PRESET],
    ids=["first", "splits", "reports", "presets"],
)
def test_stored_keys_are_kept(database, more):
    """Every stored key keeps its value, and only new keys are added."""
    content = FIRST | more
    shown = read(database, content).to_json()
    optional = {"priority", "worker_tags", "promotion"}  # shown only if they are given
    assert list(shown) == [
        key for key in ResolvedSpec.model_fields if key not in optional
    ]
    for key, value in content.items():
        assert shown[key] == value or shown[key] == shown[key] | value, key


@pytest.mark.parametrize(
    ("part", "change", "wanted"),
    [
        ("fit", {"seed": None}, 0),
        ("fit", {"batch_size": None}, 1),
        ("fit", {"epochs": None}, 0),
        ("compile", {"optimizer": "adam"}, Adam()),
        ("compile", {"loss": None}, "binary_crossentropy"),
        ("compile", {"metrics": None}, []),
    ],
)
def test_a_null_gets_the_value_that_it_meant(database, part, change, wanted):
    spec = read(database, FIRST | {part: FIRST[part] | change})
    (key,) = change
    assert getattr(getattr(spec, part), key) == wanted


def test_a_rate_above_the_maximum_becomes_the_maximum(database):
    """No learning rate is above the maximum, so the callback does the same."""
    plateau = PLATEAU | {"min_lr": 1e9}
    spec = read(
        database, FIRST | {"fit": FIRST["fit"] | {"reduce_lr_on_plateau": plateau}}
    )
    assert spec.fit.reduce_lr_on_plateau.min_lr == 1e6


def test_keys_of_a_later_release_are_ignored(database):
    """Parts that refuse unknown keys from users ignore them here."""
    content = FIRST | {"later": 1, "fit": FIRST["fit"] | {"later": {"a": 1}}}
    assert read(database, content).to_json() == read(database, FIRST).to_json()


def test_a_resolved_spec_has_every_key_of_a_run_create():
    """The order is the same; only the webhook is missing, as it may hold a secret."""
    keys = [key for key in RunCreate.model_fields if key != "webhook"]
    assert list(ResolvedSpec.model_fields) == keys
    assert list(ResolvedFit.model_fields) == list(FitSpec.model_fields)
    assert list(ResolvedCompile.model_fields) == list(CompileSpec.model_fields)


def test_a_spec_survives_the_database_and_is_frozen(database):
    """A spec that is read back has the same text."""
    spec = resolved_spec(tags={"b": "1", "a": "2"})
    run_id = add_run(database, spec=spec)
    text = stored(database, "runs", "spec")
    assert text == json.dumps(spec.to_json())
    assert json.dumps(read_run(database, run_id).spec.to_json()) == text
    for part in (spec, spec.fit, spec.compile):
        with pytest.raises(ValidationError):
            part.seed = 3
