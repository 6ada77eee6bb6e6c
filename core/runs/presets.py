"""Presets: what a run is made of where its spec is silent, by the size of its table.

Whatever the spec says itself wins over the preset, key by key. The figures of `default`
are those that paid on the tables of `benchmarks/quality.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import Adam, AdamW
from fitserve.specs.run import PresetName, RunCreate
from fitserve.specs.training import CosineDecay, EarlyStopping


@dataclass(frozen=True)
class Preset:
    """Choices by the part of the spec that they go into."""

    model: ModelSpec
    features: dict[str, Any] = field(default_factory=dict)
    compile: dict[str, Any] = field(default_factory=dict)
    fit: dict[str, Any] = field(default_factory=dict)


def with_preset(create: RunCreate, num_rows: int) -> RunCreate:
    """`create` with its preset's choices where it makes none itself.

    `num_rows` counts the rows with a target. A spec with a `model` and no preset stays as
    it is; one with neither gets `default`.
    """
    name = create.preset or ("default" if create.model is None else None)
    if name is None:
        return create
    preset = _PRESETS[name](_train_rows(create, num_rows))
    chosen = {
        "features": _features(preset.features, create),
        "compile": preset.compile,
        "fit": _fit(preset.fit, create),
    }
    update: dict[str, Any] = {"preset": name, "model": create.model or preset.model}
    for part, choices in chosen.items():
        given = getattr(create, part)
        new = {k: v for k, v in choices.items() if k not in given.model_fields_set}
        update[part] = given.model_copy(update=new)
    return create.model_copy(update=update)


def _train_rows(create: RunCreate, num_rows: int) -> int:
    """About as many as will train."""
    has_own = create.fit.validation_dataset is not None
    held_out = create.split.test + (0.0 if has_own else create.fit.validation_split)
    return max(1, int(num_rows * (1 - held_out)))


def _features(choices: dict[str, Any], create: RunCreate) -> dict[str, Any]:
    return choices if create.features.standardize else {}


def _fit(choices: dict[str, Any], create: RunCreate) -> dict[str, Any]:
    """Without those that contradict what the spec says."""
    fit = create.fit
    is_validated = fit.validation_dataset is not None or fit.validation_split > 0
    unwanted = {
        # a given number of epochs runs to its end, as in Keras
        "early_stopping": "epochs" in fit.model_fields_set or not is_validated,
        "learning_rate_scheduler": fit.reduce_lr_on_plateau is not None,
    }
    return {
        key: None if unwanted.get(key, False) else value for key, value in choices.items()
    }


def _dense(units: int, activation: str = "relu") -> dict[str, Any]:
    return {"type": "Dense", "units": units, "activation": activation}


_OUTPUT = {"type": "Output"}


def _linear(train_rows: int) -> Preset:
    """One layer: linear or logistic regression."""
    return Preset(
        model=ModelSpec.model_validate({"layers": [_OUTPUT]}),
        compile={"optimizer": Adam(learning_rate=0.02)},
        fit={
            "batch_size": _batch_size(train_rows),
            "epochs": 100,
            "early_stopping": EarlyStopping(patience=20),
            "learning_rate_scheduler": CosineDecay(type="CosineDecay", alpha=0.01),
        },
    )


def _small(train_rows: int) -> Preset:  # noqa: ARG001  one shape for all
    """Two layers of 64, as a tutorial would write them."""
    layers = [_dense(64), _dense(64), _OUTPUT]
    return Preset(model=ModelSpec.model_validate({"layers": layers}))


_MEMBERS = 8
_MANY_MEMBERS = 32
_EPOCHS, _MANY_EPOCHS = 60, 150
_LONGEST_SECONDS = 600.0


def _default(train_rows: int) -> Preset:
    return _tabm(train_rows, _MEMBERS, _EPOCHS, patience=16)


def _thorough(train_rows: int) -> Preset:
    preset = _tabm(train_rows, _MANY_MEMBERS, _MANY_EPOCHS, patience=40)
    preset.fit["time_limit_seconds"] = _LONGEST_SECONDS
    return preset


def _tabm(train_rows: int, members: int, epochs: int, patience: int) -> Preset:
    """A strong network for a table, after the literature.

    - An ensemble that shares its hidden layers, the mean of its members' losses: TabM.
    - Numbers as they are and in pieces between quantiles: Gorishniy, Rubachev and
      Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", 2022.
    - AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019), He's
      initialisation (2015), Dropout (Srivastava et al., 2014).
    - A rate that falls along a cosine, the best epoch kept: Holzmüller, Grinsztajn and
      Steinwart, "Better by Default", 2024.
    """
    hidden = {**_dense(_WIDTH), "kernel_initializer": "he_normal"}
    dropout = {"type": "Dropout", "rate": 0.1}
    layers = [hidden, dropout, hidden, dropout, _OUTPUT]
    return Preset(
        model=ModelSpec.model_validate({"layers": layers, "ensemble": members}),
        features={"num_bins": 16},
        compile={"optimizer": AdamW(learning_rate=0.002, weight_decay=0.001)},
        fit={
            "batch_size": _batch_size(train_rows),
            "epochs": epochs,
            "early_stopping": EarlyStopping(patience=patience),
            "learning_rate_scheduler": CosineDecay(type="CosineDecay", warmup_epochs=2),
        },
    )


_WIDTH = 128
_BATCH_SIZES = ((2_000, 32), (5_000, 64), (20_000, 128), (100_000, 256))
"""Batch size by training rows, up to each bound; 1024 beyond."""


def _batch_size(train_rows: int) -> int:
    size = next((size for bound, size in _BATCH_SIZES if train_rows <= bound), 1024)
    return max(1, min(size, train_rows // 2))


_PRESETS: dict[PresetName, Callable[[int], Preset]] = {
    "linear": _linear,
    "small": _small,
    "default": _default,
    "thorough": _thorough,
}
