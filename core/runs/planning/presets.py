"""Fill in a spec from a preset, by the size of the table.

Each key of the spec overrides the preset. The values of `default` scored best on the
tables of `benchmarks/quality.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fitserve.enums import Task
from fitserve.specs.layers import ModelSpec
from fitserve.specs.optimizers import Adam, AdamW
from fitserve.specs.run import PresetName, RunCreate
from fitserve.specs.training import CosineDecay, EarlyStopping


@dataclass(frozen=True)
class Size:
    """The approximate number of training rows, the number of columns, and the task."""

    train_rows: int
    columns: int
    task: Task


@dataclass(frozen=True)
class Preset:
    """The values that a preset sets in each part of the spec."""

    model: ModelSpec
    features: dict[str, Any] = field(default_factory=dict)
    compile: dict[str, Any] = field(default_factory=dict)
    fit: dict[str, Any] = field(default_factory=dict)


def with_preset(
    create: RunCreate, task: Task, num_rows: int, num_columns: int
) -> tuple[RunCreate, ModelSpec]:
    """Return `create` with the preset's values for keys that it lacks, and its network.

    `num_rows` counts the rows with a target, `num_columns` the columns of the table. A
    spec with a `model` and no preset is unchanged; a spec with neither gets `default`.
    """
    if create.preset is None and create.model is not None:
        return create, create.model
    name = create.preset or "default"
    create = _with_validation_split(create, name)
    preset = _PRESETS[name](Size(_train_rows(create, num_rows), num_columns, task))
    chosen = {
        "features": _features(preset.features, create),
        "compile": preset.compile,
        "fit": _fit(preset.fit, create),
    }
    model = create.model or preset.model
    update: dict[str, Any] = {"preset": name, "model": model}
    for part, choices in chosen.items():
        given = getattr(create, part)
        new = {k: v for k, v in choices.items() if k not in given.model_fields_set}
        update[part] = given.model_copy(update=new)
    return create.model_copy(update=update), model


def _with_validation_split(create: RunCreate, name: PresetName) -> RunCreate:
    """Return the spec with the preset's share of validation rows, if it sets none."""
    share = _VALIDATION_SPLITS.get(name)
    is_given = {"validation_split", "validation_dataset"} & create.fit.model_fields_set
    if share is None or is_given:
        return create
    fit = create.fit.model_copy(update={"validation_split": share})
    return create.model_copy(update={"fit": fit})


def _train_rows(create: RunCreate, num_rows: int) -> int:
    """Return the approximate number of training rows."""
    has_own = create.fit.validation_dataset is not None
    held_out = create.split.test + (0.0 if has_own else create.fit.validation_split)
    return max(1, int(num_rows * (1 - held_out)))


def _features(choices: dict[str, Any], create: RunCreate) -> dict[str, Any]:
    return choices if create.features.standardize else {}


def _fit(choices: dict[str, Any], create: RunCreate) -> dict[str, Any]:
    """Return the choices that do not contradict the spec."""
    fit = create.fit
    is_validated = fit.validation_dataset is not None or fit.validation_split > 0
    if not is_validated:
        choices = {key: value for key, value in choices.items() if key != "num_seeds"}
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


def _linear(size: Size) -> Preset:
    """Return one layer: linear or logistic regression."""
    return Preset(
        model=ModelSpec.model_validate({"layers": [_OUTPUT]}),
        compile={"optimizer": Adam(learning_rate=0.02)},
        fit={
            "batch_size": _batch_size(size.train_rows),
            "epochs": 100,
            "early_stopping": EarlyStopping(patience=20),
            "learning_rate_scheduler": CosineDecay(type="CosineDecay", alpha=0.01),
        },
    )


def _small(size: Size) -> Preset:  # noqa: ARG001  same signature for all
    """Return two layers of 64 units, as in many tutorials."""
    layers = [_dense(64), _dense(64), _OUTPUT]
    return Preset(model=ModelSpec.model_validate({"layers": layers}))


_VALIDATION_SPLITS: dict[PresetName, float] = {"default": 0.1, "thorough": 0.1}
"""The shares are small because small tables need their rows for training."""
_WIDTH = 128
_FEW_ROWS, _FEW_COLUMNS = 4_000, 50
"""Tables up to this many training rows and columns get more members and a lower rate; in
wide tables, more members cost time and gained nothing."""
_MEMBERS, _MORE_MEMBERS, _MANY_MEMBERS = 8, 16, 32
_RATE, _SLOW_RATE = 0.005, 0.003
_EPOCHS, _MANY_EPOCHS = 100, 150
_FEWEST_EPOCHS = 15
_WORK, _MUCH_WORK = 3_200_000, 80_000_000
"""Upper bound of training rows times members times epochs, over all fits: larger tables
get fewer epochs, which limits the duration of a run."""
_NUM_SEEDS = 3
_TOO_FEW_TO_CHOOSE = 2_000
"""Up to this many training rows, the best epoch on validation rows is random."""
_LONGEST_SECONDS = 600.0
_NUM_BINS = ((100, 16), (250, 8))
"""Bins of a numeric column by number of columns, up to each bound; no bins above."""
_BATCH_SIZES = ((2_000, 32), (5_000, 64), (20_000, 128), (100_000, 256))
"""Batch sizes by number of training rows, up to each bound; 1024 above."""


def _default(size: Size) -> Preset:
    members = _MORE_MEMBERS if _is_small(size) else _MEMBERS
    return _tabm(size, members, _epochs(size, members, _EPOCHS, _WORK))


def _is_small(size: Size) -> bool:
    return size.train_rows <= _FEW_ROWS and size.columns <= _FEW_COLUMNS


def _thorough(size: Size) -> Preset:
    work = _MUCH_WORK // _NUM_SEEDS
    epochs = _epochs(size, _MANY_MEMBERS, _MANY_EPOCHS, work)
    preset = _tabm(size, _MANY_MEMBERS, epochs)
    preset.fit["num_seeds"] = _NUM_SEEDS
    preset.fit["time_limit_seconds"] = _LONGEST_SECONDS
    return preset


def _epochs(size: Size, members: int, most: int, work: int) -> int:
    return max(_FEWEST_EPOCHS, min(most, work // (members * size.train_rows)))


def _tabm(size: Size, members: int, epochs: int) -> Preset:
    """Return a strong network for tables, as in the literature.

    - An ensemble that shares its hidden layers, trained on the mean of its members'
      losses: Gorishniy, Kotelnikov and Babenko, "TabM", 2024.
    - Numbers, unchanged and in bins between quantiles: Gorishniy, Rubachev and
      Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning", 2022.
    - AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019), He's
      initialisation ("Delving Deep into Rectifiers", 2015), Dropout (Srivastava et al.,
      2014).
    - A learning rate that falls along a cosine: Holzmüller, Grinsztajn and Steinwart,
      "Better by Default", 2024. The epoch with the least `val_loss` is kept, except in
      small regressions, which keep the last.

    docs/decisions/0029 and 0034 list the alternatives that were tried.
    """
    hidden = {**_dense(_WIDTH), "kernel_initializer": "he_normal"}
    dropout = {"type": "Dropout", "rate": 0.1}
    rate = _SLOW_RATE if _is_small(size) else _RATE
    layers = [hidden, dropout, hidden, dropout, _OUTPUT]
    return Preset(
        model=ModelSpec.model_validate({"layers": layers, "ensemble": members}),
        features={"num_bins": _num_bins(size.columns)},
        compile={"optimizer": AdamW(learning_rate=rate, weight_decay=0.03)},
        fit={
            "batch_size": _batch_size(size.train_rows),
            "epochs": epochs,
            "early_stopping": _keep_best(size, epochs),
            "learning_rate_scheduler": CosineDecay(type="CosineDecay", warmup_epochs=2),
        },
    )


def _keep_best(size: Size, epochs: int) -> EarlyStopping | None:
    """Keep the best epoch, except for small regressions, where it is random."""
    if size.task == Task.REGRESSION and size.train_rows <= _TOO_FEW_TO_CHOOSE:
        return None
    return EarlyStopping(patience=max(8, epochs // 2))


def _num_bins(columns: int) -> int | None:
    """Return fewer bins for a wide table, to limit the size of the first layer."""
    return next((bins for most, bins in _NUM_BINS if columns <= most), None)


def _batch_size(train_rows: int) -> int:
    size = next((size for bound, size in _BATCH_SIZES if train_rows <= bound), 1024)
    return max(1, min(size, train_rows // 2))


_PRESETS: dict[PresetName, Callable[[Size], Preset]] = {
    "linear": _linear,
    "small": _small,
    "default": _default,
    "thorough": _thorough,
}
