"""A valid RunCreate with every key, and the unusual values that are valid in it."""

from typing import Any

from tests.fitserve.specs.exploits import dense, inputs, layer, sequential

ROWS = "".join(
    f"{i},{i % 7},{'ab'[i % 2]},2024-01-{i % 28 + 1:02},{1 + i % 2}\n" for i in range(60)
)
TABLE = "x,z,c,d,w\n" + ROWS
MODEL = {
    "layers": [
        {
            "type": "Dense",
            "units": 8,
            "activation": "relu",
            "use_bias": True,
            "kernel_initializer": "he_normal",
            "bias_initializer": "zeros",
            "kernel_regularizer": {"type": "L1L2", "l1": 0.01, "l2": 0.01},
            "bias_regularizer": "l2",
        },
        {"type": "Activation", "activation": "tanh"},
        {"type": "Dropout", "rate": 0.25},
        {"type": "BatchNormalization", "momentum": 0.9, "epsilon": 0.01, "center": True, "scale": True},
        {"type": "LayerNormalization", "epsilon": 0.01, "center": True, "scale": True},
        {"type": "GaussianNoise", "stddev": 0.125},
        {"type": "Output"},
    ]
}  # fmt: skip
OPTIMIZER = {
    "type": "Adam",
    "learning_rate": 0.01,
    "weight_decay": 0.001,
    "clipnorm": 1.5,
    "clipvalue": 1.5,
    "beta_1": 0.75,
    "beta_2": 0.75,
    "epsilon": 0.001,
    "amsgrad": False,
}
FIT = {
    "validation_split": 0.25,
    "validation_dataset": "held",
    "batch_size": 16,
    "epochs": 3,
    "shuffle": True,
    "seed": 7,
    "class_weight": {"a": 1.5, "b": 2.5},
    "sample_weight": "w",
    "early_stopping": {
        "monitor": "val_loss",
        "min_delta": 0.001,
        "patience": 3,
        "mode": "min",
        "baseline": 0.5,
        "start_from_epoch": 1,
        "restore_best_weights": True,
    },
    "reduce_lr_on_plateau": {
        "monitor": "val_loss",
        "factor": 0.5,
        "patience": 3,
        "mode": "auto",
        "min_delta": 0.001,
        "cooldown": 1,
        "min_lr": 0.001,
    },
    "time_limit_seconds": 30,
}
SPEC: dict[str, Any] = {
    "dataset": "table",
    "target": "c",
    "model_name": "hostile",
    "task": "binary",
    "positive_class": "b",
    "features": {
        "include": ["x", "z", "d"],
        "exclude": ["d"],
        "types": {"z": "categorical"},
        "standardize": True,
    },
    "split": {"by": "time", "column": "d", "test": 0.125},
    "model": MODEL,
    "compile": {
        "optimizer": OPTIMIZER,
        "loss": "binary_crossentropy",
        "metrics": ["auc"],
        "weighted_metrics": ["auc"],
    },
    "fit": FIT,
    "tags": {"team": "red"},
}
KERAS = sequential(inputs(8), dense(units=4, activation="relu", use_bias=True, name="d"), layer("Dropout", rate=0.5, seed=None), dense(units=1, activation="sigmoid"))  # fmt: skip
"""The eight inputs are x, and z with its seven categories."""

_WORDS = (
    "an empty text",
    "climbing",
    "a path",
    "a URL",
    "a number in text",
    "a formula",
    "SQL",
    "a right-to-left mark",
)
_SOUND = {
    ("null",): (
        "model_name",
        "task",
        "positive_class",
        "features/include",
        "model",
        "model/layers/0/kernel_regularizer",
        "model/layers/0/bias_regularizer",
        "compile/loss",
        "compile/metrics",
        "compile/weighted_metrics",
        "compile/optimizer/weight_decay",
        "compile/optimizer/clipnorm",
        "compile/optimizer/clipvalue",
        "fit/validation_dataset",
        "fit/batch_size",
        "fit/epochs",
        "fit/seed",
        "fit/class_weight",
        "fit/sample_weight",
        "fit/early_stopping",
        "fit/early_stopping/baseline",
        "fit/reduce_lr_on_plateau",
        "fit/time_limit_seconds",
    ),
    ("an empty object",): (
        "features",
        "features/types",
        "split",
        "compile",
        "fit",
        "fit/class_weight",
        "fit/early_stopping",
        "fit/reduce_lr_on_plateau",
        "tags",
    ),
    ("an empty list",): (
        "features/exclude",
        "compile/metrics",
        "compile/weighted_metrics",
    ),
    ("true",): (
        "features/standardize",
        "model/layers/0/use_bias",
        "model/layers/3/center",
        "model/layers/3/scale",
        "model/layers/4/center",
        "model/layers/4/scale",
        "compile/optimizer/amsgrad",
        "fit/shuffle",
        "fit/early_stopping/restore_best_weights",
    ),
    ("zero",): (
        "split/test",
        "model/layers/0/kernel_regularizer/l1",
        "model/layers/0/kernel_regularizer/l2",
        "model/layers/2/rate",
        "model/layers/3/momentum",
        "model/layers/5/stddev",
        "compile/optimizer/weight_decay",
        "compile/optimizer/beta_1",
        "compile/optimizer/beta_2",
        "fit/validation_split",
        "fit/seed",
        "fit/class_weight/a",
        "fit/class_weight/b",
        "fit/early_stopping/min_delta",
        "fit/early_stopping/baseline",
        "fit/early_stopping/patience",
        "fit/early_stopping/start_from_epoch",
        "fit/reduce_lr_on_plateau/min_delta",
        "fit/reduce_lr_on_plateau/patience",
        "fit/reduce_lr_on_plateau/cooldown",
        "fit/reduce_lr_on_plateau/min_lr",
    ),
    ("a billion",): (
        "compile/optimizer/clipnorm",
        "compile/optimizer/clipvalue",
        "fit/seed",
    ),
    ("a billion", "beyond 64 bits", "huge"): (
        "fit/early_stopping/min_delta",
        "fit/early_stopping/baseline",
        "fit/reduce_lr_on_plateau/min_delta",
    ),
    ("minus one", "tiny below zero"): ("fit/early_stopping/baseline",),
    ("a Keras class",): ("tags",),
    ("a number in text",): ("model_name",),
    _WORDS: ("tags/team",),
}
_SOUND_KERAS = {
    _WORDS[4:]: ("config/name", "config/layers/0/config/name", "config/layers/1/config/name"),
    ("null",): ("config/layers/0/config/batch_shape/0", "config/layers/0/config/batch_shape/1", "config/layers/0/config/dtype", "config/layers/0/registered_name", "config/layers/1/registered_name", "config/layers/2/config/seed", "config/layers/2/registered_name", "config/layers/3/registered_name", "registered_name"),
    ("true",): ("config/layers/1/config/use_bias",),
    ("zero",): ("config/layers/2/config/rate",),
}  # fmt: skip


def _pairs(table: dict[tuple[str, ...], tuple[str, ...]]) -> set[tuple[str, str]]:
    return {
        (way, name) for names, ways in table.items() for way in ways for name in names
    }


SOUND = _pairs(_SOUND)
"""The places and values that are valid although they look bad."""
SOUND_KERAS = _pairs(_SOUND_KERAS)
