"""The stored and the shown text of a run's spec, byte for byte."""

import json

import pytest
from sqlalchemy import text

CSV = "x,c,y\n" + "".join(f"{i},{'ab'[i % 2]},{3 * i % 7 + 0.5}\n" for i in range(60))
KERAS = {
    "module": "keras",
    "class_name": "Sequential",
    "config": {
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "Dense",
                "config": {"units": 4, "activation": "relu"},
            },
            {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}},
        ]
    },
}
SHORT = {"dataset": "table", "target": "y", "preset": "linear", "fit": {"seed": 1}}
FULL = {
    "dataset": "table",
    "target": "y",
    "model_name": "full",
    "features": {"exclude": ["c"], "types": {"x": "categorical"}},
    "split": {"test": 0.1},
    "model": {"keras": KERAS},
    "compile": {"optimizer": "sgd", "metrics": []},
    "fit": {"epochs": 3, "seed": 2, "reduce_lr_on_plateau": {}, "time_limit_seconds": 9},
    "report": {"baselines": ["linear"]},
    "tags": {"who": "me"},
    "webhook": {"url": "https://8.8.8.8/hook"},
}


# the text that the release before typed specs wrote, in parts
SHORT_PARTS = [
    '"dataset": "table"',
    '"target": "y"',
    '"model_name": "table"',
    '"task": "regression"',
    '"positive_class": null',
    '"preset": "linear"',
    '"features": {"include": null, "exclude": [], "types": {}, "standardize": true, "num_bins": null}',
    '"split": {"by": "random", "column": null, "test": 0.0}',
    '"model": {"layers": [{"type": "Dense", "units": 1, "activation": "linear", "use_bias": true, "kernel_initializer": "glorot_uniform", "bias_initializer": "zeros", "kernel_regularizer": null, "bias_regularizer": null}], "ensemble": 1}',
    '"compile": {"optimizer": {"learning_rate": 0.02, "weight_decay": null, "clipnorm": null, "clipvalue": null, "type": "Adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": false}, "loss": "mse", "metrics": ["mae", "root_mean_squared_error"], "weighted_metrics": []}',
    '"fit": {"validation_split": 0.2, "validation_dataset": null, "batch_size": 24, "epochs": 100, "shuffle": true, "seed": 1, "num_seeds": 1, "class_weight": null, "sample_weight": null, "early_stopping": {"monitor": "val_loss", "min_delta": 0.0, "patience": 20, "mode": "auto", "baseline": null, "start_from_epoch": 0, "restore_best_weights": true}, "reduce_lr_on_plateau": null, "learning_rate_scheduler": {"type": "CosineDecay", "warmup_epochs": 0, "alpha": 0.01}, "time_limit_seconds": null}',
    '"report": {"baselines": true, "importance": true, "time_limit_seconds": null}',
    '"tags": {}',
]
FULL_PARTS = [
    '"dataset": "table"',
    '"target": "y"',
    '"model_name": "full"',
    '"task": "regression"',
    '"positive_class": null',
    '"preset": null',
    '"features": {"include": null, "exclude": ["c"], "types": {"x": "categorical"}, "standardize": true, "num_bins": null}',
    '"split": {"by": "random", "column": null, "test": 0.1}',
    '"model": {"layers": [{"type": "Dense", "units": 4, "activation": "relu", "use_bias": true, "kernel_initializer": "glorot_uniform", "bias_initializer": "zeros", "kernel_regularizer": null, "bias_regularizer": null}, {"type": "Dense", "units": 1, "activation": "linear", "use_bias": true, "kernel_initializer": "glorot_uniform", "bias_initializer": "zeros", "kernel_regularizer": null, "bias_regularizer": null}], "ensemble": 1}',
    '"compile": {"optimizer": {"learning_rate": 0.01, "weight_decay": null, "clipnorm": null, "clipvalue": null, "type": "SGD", "momentum": 0.0, "nesterov": false}, "loss": "mse", "metrics": [], "weighted_metrics": []}',
    '"fit": {"validation_split": 0.2, "validation_dataset": null, "batch_size": 32, "epochs": 3, "shuffle": true, "seed": 2, "num_seeds": 1, "class_weight": null, "sample_weight": null, "early_stopping": null, "reduce_lr_on_plateau": {"monitor": "val_loss", "factor": 0.1, "patience": 10, "mode": "auto", "min_delta": 0.0001, "cooldown": 0, "min_lr": 0.0}, "learning_rate_scheduler": null, "time_limit_seconds": 9.0}',
    '"report": {"baselines": ["linear"], "importance": true, "time_limit_seconds": null}',
    '"tags": {"who": "me"}',
]


@pytest.mark.parametrize(
    ("given", "parts"),
    [(SHORT, SHORT_PARTS), (FULL, FULL_PARTS)],
    ids=["short", "full"],
)
def test_a_spec_is_stored_and_shown_unchanged(bench, given, parts):
    """Every default is in its place, keys keep their order, and no webhook is included."""
    bench.upload(CSV)
    checked = bench.client.post("/v1/runs/validate", json=given).json()
    run_id = bench.post(given)
    shown = bench.client.get(f"/v1/runs/{run_id}").json()
    with bench.database.read() as session:
        stored = session.scalar(text("SELECT CAST(spec AS TEXT) FROM runs"))
    wanted = "{" + ", ".join(parts) + "}"
    assert stored == wanted
    for answer in (checked, shown):
        assert json.dumps(answer["spec"]) == wanted
