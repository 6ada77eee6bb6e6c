"""Features that alone give the target away: what an instance will hardly have."""

import time

import numpy as np
import polars as pl
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from core.models.scores import Numbers
from core.models.signature import Feature
from fitserve.enums import Task
from fitserve.schemas.report import Trap
from workers.report.evidence import Rows
from workers.report.importance import OutOfTime

_MOST_ROWS = 2_000
_LEAST_ROWS = 50
_LEAST_RARE = 5
"""Rows outside the most frequent class: fewer are learned by chance."""
_LEAVES = 32
_GIVES_AWAY = 0.98
"""Of the squares (R²), or of the errors of answering the most frequent class."""


def leaks(train: Rows, held_out: Rows, seconds: float) -> list[Trap]:
    """A trap for each feature that alone predicts held-out rows nearly without error.

    A tree of few leaves, or the means of categories, on some training rows. Raises
    OutOfTime where all features take longer than `seconds` of work.
    """
    features = train.signature.features
    train, held_out = train.head(_MOST_ROWS), held_out.head(_MOST_ROWS)
    if len(features) < 2 or min(len(train.y), len(held_out.y)) < _LEAST_ROWS:
        return []
    # this thread's own work: a busy machine shall not hide a leak
    until, found = time.thread_time() + seconds, []
    for feature in features:
        if time.thread_time() > until:
            raise OutOfTime
        share = explained(feature, train, held_out)
        if share is not None and share >= _GIVES_AWAY:
            found.append(_trap(feature.name, train.signature.target, share))
    return found


def explained(feature: Feature, train: Rows, held_out: Rows) -> float | None:
    """The share of what there is to explain that the feature alone explains.

    None where the held-out rows have too little to explain.
    """
    is_regression = train.signature.task == Task.REGRESSION
    if is_regression and np.ptp(held_out.y) == 0:
        return None
    if not is_regression and _num_rare(held_out.y) < _LEAST_RARE:
        return None
    x, x_held_out = _column(feature, train), _column(feature, held_out)
    predicted = (_regress if is_regression else _classify)(x, train.y, x_held_out)
    if is_regression:
        spread = np.mean((held_out.y - held_out.y.mean()) ** 2)
        return float(1 - np.mean((held_out.y - predicted) ** 2) / spread)
    errors = float(np.sum(predicted != held_out.y))
    return 1 - errors / _num_rare(held_out.y)


def _num_rare(y: Numbers) -> int:
    return len(y) - int(np.unique(y, return_counts=True)[1].max())


def _column(feature: Feature, rows: Rows) -> pl.Series | Numbers:
    cells = rows.frame[feature.name]
    return feature.texts(cells) if feature.is_text else feature.numbers(cells)


def _regress(
    x: pl.Series | Numbers, y: Numbers, x_held_out: pl.Series | Numbers
) -> Numbers:
    if isinstance(x, pl.Series):
        means = pl.DataFrame({"x": x, "y": y}).group_by("x").agg(pl.col("y").mean())
        return _looked_up(means, x_held_out, float(y.mean()))
    tree = DecisionTreeRegressor(max_leaf_nodes=_LEAVES, random_state=0)
    predicted: Numbers = tree.fit(x[:, None], y).predict(np.asarray(x_held_out)[:, None])
    return predicted


def _classify(
    x: pl.Series | Numbers, y: Numbers, x_held_out: pl.Series | Numbers
) -> Numbers:
    places, counts = np.unique(y, return_counts=True)
    if isinstance(x, pl.Series):
        frame = pl.DataFrame({"x": x, "y": y})
        modes = frame.group_by("x").agg(pl.col("y").mode().min())
        return _looked_up(modes, x_held_out, float(places[counts.argmax()]))
    leaves = max(_LEAVES, 2 * len(places))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
    predicted: Numbers = tree.fit(x[:, None], y).predict(np.asarray(x_held_out)[:, None])
    return predicted


def _looked_up(
    known: pl.DataFrame, cells: pl.Series | Numbers, default: float
) -> Numbers:
    found = pl.DataFrame({"x": cells}).join(
        known, on="x", how="left", maintain_order="left"
    )
    values: Numbers = found["y"].fill_null(default).to_numpy().astype(np.float64)
    return values


def _trap(name: str, target: str, share: float) -> Trap:
    return Trap(
        kind="leakage",
        sentence=f"the column {name!r} alone gives away {share:.1%} of {target!r}: does "
        "an instance have it before the target is known? Else leave it out by "
        "`features.exclude`",
        columns=[name],
        numbers={"explained": share},
    )
