"""Measure permutation importance: how much the loss grows when a feature is shuffled.

The method follows Breiman, "Random Forests", 2001, and Fisher, Rudin and Dominici, "All
Models are Wrong, but Many are Useful", 2019. All inputs of a feature move together.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

from core.models.scores import Numbers, as_answers
from core.models.signature import Signature
from fitserve.enums import Task
from fitserve.schemas.report import Importance, Importances
from workers.report.evidence import Evidence, SplitRows
from workers.training.feature_transform import Matrix

_MOST_ROWS = 1_000
_MOST_REPEATS = 3
_MOST_PREDICTIONS = 200_000
_LEAST_ROWS = 200
_ROWS_A_CALL = 8_192
_FIRST = 4
_TINY = 1e-15


class OutOfTime(Exception):
    """A part of the report would take too large a share of the run's time."""


def importances(evidence: Evidence, held_out: SplitRows, seconds: float) -> Importances:
    """Return the importance of every feature, on held-out rows.

    Every feature is shuffled once, and then again until `seconds` have passed. Raises
    OutOfTime if shuffling every feature once takes four times as long.
    """
    began = time.monotonic()
    blocks = list(_blocks(evidence.signature))
    most = max(_LEAST_ROWS, min(_MOST_ROWS, _MOST_PREDICTIONS // len(blocks)))
    rows = held_out.head(most)
    repeats = _MOST_PREDICTIONS // (len(rows.y) * len(blocks))
    metric, loss = (
        ("mae", _mae)
        if evidence.signature.task == Task.REGRESSION
        else ("log_loss", _log_loss)
    )
    before = loss(rows.y, evidence.answers(rows.x), rows.weights)
    rng = np.random.default_rng(evidence.seed)
    worse: list[list[float]] = []
    for _ in range(max(1, min(_MOST_REPEATS, repeats))):
        if worse and time.monotonic() > began + seconds:
            break
        until = began + _FIRST * seconds
        worse.append(list(_losses(evidence, rows, loss, rng, until)))
    grown = np.array(worse) - before
    found = [
        Importance(feature=name, mean=float(column.mean()), deviation=float(column.std()))
        for (name, _), column in zip(blocks, grown.T, strict=True)
    ]
    found.sort(key=lambda importance: -importance.mean)
    return Importances(
        metric=metric, num_rows=len(rows.y), num_repeats=len(worse), features=found
    )


def _losses(
    evidence: Evidence,
    rows: SplitRows,
    loss: "Loss",
    rng: np.random.Generator,
    until: float,
) -> Iterator[float]:
    """Yield the loss with each feature shuffled, several in one call of the network."""
    n, task = len(rows.y), evidence.signature.task
    blocks = [columns for _, columns in _blocks(evidence.signature)]
    few = max(1, _ROWS_A_CALL // n)
    for start in range(0, len(blocks), few):
        if time.monotonic() > until:
            raise OutOfTime
        shuffled = [_shuffled(rows.x, c, rng) for c in blocks[start : start + few]]
        answers = as_answers(evidence.predict(np.concatenate(shuffled)), task)
        for part in np.split(answers, len(shuffled)):
            yield loss(rows.y, part, rows.weights)


def _shuffled(x: Matrix, columns: slice, rng: np.random.Generator) -> Matrix:
    """Return the rows, with the values of some columns in another order."""
    copy = x.copy()
    copy[:, columns] = x[rng.permutation(len(x)), columns]
    return copy


def _blocks(signature: Signature) -> Iterator[tuple[str, slice]]:
    """Yield each feature with its columns in the encoded table."""
    start = 0
    for feature in signature.ordered:
        width = 1 if feature.encoder.type == "embedding" else len(feature.inputs)
        yield feature.name, slice(start, start + width)
        start += width


Loss = Callable[[Numbers, Numbers, Numbers | None], float]


def _mae(y: Numbers, answers: Numbers, weights: Numbers | None) -> float:
    return float(np.average(np.abs(y - answers), weights=weights))


def _log_loss(y: Numbers, answers: Numbers, weights: Numbers | None) -> float:
    of_true_class = answers[np.arange(len(y)), y.astype(np.int64)]
    logs = np.log(np.maximum(of_true_class, _TINY))
    return float(-np.average(logs, weights=weights))
