"""Find features that alone predict the target, and may be unknown at prediction time."""

import time

import numpy as np
import polars as pl
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from core.models.scores import Numbers
from core.models.signature import Feature
from fitserve.enums import Task
from fitserve.schemas.report import Trap
from workers.report.evidence import SplitRows
from workers.report.importance import OutOfTime

_MOST_ROWS = 2_000
_LEAST_ROWS = 50
_LEAST_RARE = 5
"""Rows needed outside the most frequent class: fewer may be predicted by chance."""
_LEAVES = 32
_LEAK = 0.98
"""The least explained share, of the variance or of the errors of the majority class."""

Cells = pl.Series | Numbers


def leaks(train: SplitRows, held_out: SplitRows, seconds: float) -> list[Trap]:
    """Return a trap for each feature that alone predicts held-out rows almost perfectly.

    The predictor is a tree of few leaves, or the mean of each category, fitted on some
    training rows. Raises OutOfTime after `seconds` of CPU time.
    """
    features = train.signature.features
    train, held_out = train.head(_MOST_ROWS), held_out.head(_MOST_ROWS)
    if len(features) < 2 or min(len(train.y), len(held_out.y)) < _LEAST_ROWS:
        return []
    # thread_time: on a busy machine, a limit on elapsed time could hide a leak
    until, found = time.thread_time() + seconds, []
    for feature in features:
        if time.thread_time() > until:
            raise OutOfTime
        share = explained(feature, train, held_out)
        if share is not None and share >= _LEAK:
            found.append(_trap(feature.name, train.signature.target, share))
    return found


def explained(feature: Feature, train: SplitRows, held_out: SplitRows) -> float | None:
    """Return the share of the target's variance or errors that the feature explains.

    Return None if the held-out targets hardly vary.
    """
    is_regression = train.signature.task == Task.REGRESSION
    if is_regression and np.ptp(held_out.y) == 0:
        return None
    if not is_regression and _num_rare(held_out.y) < _LEAST_RARE:
        return None
    x, x_held_out = _column(feature, train), _column(feature, held_out)
    predicted = _predict(x, train.y, x_held_out, is_regression=is_regression)
    if is_regression:
        spread = np.mean((held_out.y - held_out.y.mean()) ** 2)
        return float(1 - np.mean((held_out.y - predicted) ** 2) / spread)
    errors = float(np.sum(predicted != held_out.y))
    return 1 - errors / _num_rare(held_out.y)


def _num_rare(y: Numbers) -> int:
    return len(y) - int(np.unique(y, return_counts=True)[1].max())


def _column(feature: Feature, rows: SplitRows) -> Cells:
    cells = rows.frame[feature.name]
    return feature.texts(cells) if feature.is_text else feature.numbers(cells)


def _predict(x: Cells, y: Numbers, x_held_out: Cells, *, is_regression: bool) -> Numbers:
    values, counts = np.unique(y, return_counts=True)
    if isinstance(x, pl.Series):
        target = pl.col("y")
        typical = target.mean() if is_regression else target.mode().min()
        known = pl.DataFrame({"x": x, "y": y}).group_by("x").agg(typical)
        default = y.mean() if is_regression else values[counts.argmax()]
        return _join(known, x_held_out, float(default))
    if is_regression:
        tree = DecisionTreeRegressor(max_leaf_nodes=_LEAVES, random_state=0)
    else:
        leaves = max(_LEAVES, 2 * len(values))
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
    predicted: Numbers = tree.fit(x[:, None], y).predict(np.asarray(x_held_out)[:, None])
    return predicted


def _join(known: pl.DataFrame, cells: Cells, default: float) -> Numbers:
    found = pl.DataFrame({"x": cells}).join(
        known, on="x", how="left", maintain_order="left"
    )
    values: Numbers = found["y"].fill_null(default).to_numpy().astype(np.float64)
    return values


def _trap(name: str, target: str, share: float) -> Trap:
    return Trap(
        kind="leakage",
        sentence=f"the column {name!r} alone explains {share:.1%} of {target!r}. If its "
        "value is unknown when you predict, leave the column out by `features.exclude`",
        columns=[name],
        numbers={"explained": share},
    )
