"""Describe in which parts the specs of runs differ, with one text for each run.

A part is what a reader decides at once: the optimizer, the learning rate schedule, a
layer. Only values other than the defaults are named. Parts that change no figure, such as
tags, metrics by epoch and the name of the model, are left out.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from core.runs.reporting.comparable import content_of, differs
from core.runs.tables import Run
from fitserve.names import version_ref
from fitserve.number_text import number_text
from fitserve.schemas.comparison import DifferentPart

_NONE = "none"
_BARE = ("type", "by", "units", "activation", "rate", "stddev")
"""Members whose value says enough without their name, in this order."""
_MOST_LAYERS = 3
_MOST_COLUMNS = 10


def different_parts(runs: Sequence[Run]) -> list[DifferentPart]:
    """Return the parts in which the specs differ; the seed only if no other part does."""
    texts = {part: [read(run) for run in runs] for part, read in _PARTS.items()}
    parts = {**_datasets(runs), **texts, **_inputs(runs), **_network(runs)}
    found = _differing(parts)
    return found or _differing({"seed": [str(run.spec.fit.seed) for run in runs]})


def _differing(parts: Mapping[str, list[str]]) -> list[DifferentPart]:
    return [
        DifferentPart(part=part, texts=texts)
        for part, texts in parts.items()
        if len(set(texts)) > 1
    ]


def _datasets(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the names of the datasets; none if their rows are equal."""
    if not differs(runs, lambda run: content_of(run.dataset)):
        return {}
    return {
        "dataset": [version_ref(run.dataset.name, run.dataset.version) for run in runs]
    }


def _inputs(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the inputs that not every run has."""
    inputs = [list(run.plan.features) for run in runs]
    if not all(inputs):  # runs of the first release did not store them
        return {}
    shared = set.intersection(*map(set, inputs))
    others = [[name for name in names if name not in shared] for names in inputs]
    return {"inputs that others lack": [_listed(names) for names in others]}


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MOST_COLUMNS:,} more"] if names[_MOST_COLUMNS:] else []
    return ", ".join([*names[:_MOST_COLUMNS], *more]) or _NONE


def _network(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the layers that differ if they are few and of the same types, else all."""
    networks = [[_text(layer) for layer in run.spec.model.layers] for run in runs]
    kinds = {tuple(layer.type for layer in run.spec.model.layers) for run in runs}
    if len(kinds) == 1:
        layers = {
            f"layer {i}": list(texts)
            for i, texts in enumerate(zip(*networks, strict=True), 1)
        }
        if len(_differing(layers)) <= _MOST_LAYERS:
            return layers
    return {"network": [" → ".join(texts) for texts in networks]}


def _text(part: BaseModel | None, *named: str) -> str:
    """Return members other than the defaults, and `named`: `SGD, learning rate 0.1`."""
    if part is None:
        return _NONE
    members = part.model_dump(mode="json", exclude_defaults=True)
    always = [name for name in ("type", *named) if hasattr(part, name)]
    members |= {name: getattr(part, name) for name in always}
    bare = [_value(members.pop(name)) for name in _BARE if name in members]
    pairs = [f"{name.replace('_', ' ')} {_value(it)}" for name, it in members.items()]
    return ", ".join([" ".join(bare), *pairs] if bare else pairs)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False)


def _validation(run: Run) -> str:
    fit = run.spec.fit
    if fit.validation_dataset is not None:
        return f"dataset {fit.validation_dataset}"
    return f"{fit.validation_split:.0%} of the rows" if fit.validation_split else _NONE


def _types(run: Run) -> str:
    features = run.spec.features.model_dump(mode="json", exclude_defaults=True)
    return _optional(features.get("types"))


def _optional(value: Any) -> str:
    return _NONE if value is None else _value(value)


_PARTS: Mapping[str, Callable[[Run], str]] = {
    "target": lambda run: run.spec.target,
    "task": lambda run: run.spec.task,
    "positive class": lambda run: _optional(run.spec.positive_class),
    "types of columns": _types,
    "standardized numbers": lambda run: _value(run.spec.features.standardize),
    "bins of numbers": lambda run: _optional(run.spec.features.num_bins),
    "split": lambda run: _text(run.spec.split, "by"),
    "validation": _validation,
    "optimizer": lambda run: _text(run.spec.compile.optimizer, "learning_rate"),
    "loss": lambda run: run.spec.compile.loss,
    "epochs": lambda run: _value(run.spec.fit.epochs),
    "batch size": lambda run: _value(run.spec.fit.batch_size),
    "shuffled rows": lambda run: _value(run.spec.fit.shuffle),
    "random restarts": lambda run: _value(run.spec.fit.num_seeds),
    "class weights": lambda run: _optional(run.spec.fit.class_weight),
    "sample weights": lambda run: _optional(run.spec.fit.sample_weight),
    "early stopping": lambda run: _text(run.spec.fit.early_stopping, "patience"),
    "learning rate on a plateau": lambda run: _text(
        run.spec.fit.reduce_lr_on_plateau, "factor", "patience"
    ),
    "learning rate schedule": lambda run: _text(run.spec.fit.learning_rate_scheduler),
    "time limit": lambda run: _optional(run.spec.fit.time_limit_seconds),
}
"""The parts other than dataset, inputs, layers and seed, each with its text."""
