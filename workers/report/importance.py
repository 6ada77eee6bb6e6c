"""Permutation importance: how much worse the answers get when a feature is shuffled.

After Breiman, "Random Forests", 2001, and Fisher, Rudin and Dominici, "All Models are
Wrong, but Many are Useful", 2019. The inputs that a column became are shuffled together.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

from core.models.scores import Numbers, as_answers
from core.models.signature import Signature
from fitserve.enums import Task
from fitserve.schemas.report import Importance, Importances
from workers.report.evidence import Evidence, Rows
from workers.training.feature_transform import Matrix

_MOST_ROWS = 1_000
_MOST_REPEATS = 3
_MOST_PREDICTIONS = 200_000
_LEAST_ROWS = 200
_ROWS_A_CALL = 8_192
_FIRST = 4
_TINY = 1e-15


class OutOfTime(Exception):
    """The share of the run's time that this may take is over."""


def importances(evidence: Evidence, held_out: Rows, seconds: float) -> Importances:
    """Of every feature, on held-out rows, by the metric that the answer names.

    Every feature is shuffled once before any is shuffled twice, which is done only within
    `seconds`. Raises OutOfTime where once takes four times as long.
    """
    began = time.monotonic()
    blocks = list(_blocks(evidence.signature))
    most = max(_LEAST_ROWS, min(_MOST_ROWS, _MOST_PREDICTIONS // len(blocks)))
    rows = held_out.head(most)
    repeats = _MOST_PREDICTIONS // (len(rows.y) * len(blocks))
    metric, loss = _loss_of(evidence.signature.task)
    before = loss(rows.y, evidence.answers(rows.x))
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
    rows: Rows,
    loss: "Loss",
    rng: np.random.Generator,
    until: float,
) -> Iterator[float]:
    """The loss with each feature shuffled, a few features in one call of the network."""
    n, task = len(rows.y), evidence.signature.task
    blocks = [columns for _, columns in _blocks(evidence.signature)]
    few = max(1, _ROWS_A_CALL // n)
    for start in range(0, len(blocks), few):
        if time.monotonic() > until:
            raise OutOfTime
        shuffled = [_shuffled(rows.x, c, rng) for c in blocks[start : start + few]]
        answers = as_answers(evidence.predict(np.concatenate(shuffled)), task)
        for part in np.split(answers, len(shuffled)):
            yield loss(rows.y, part)


def _shuffled(x: Matrix, columns: slice, rng: np.random.Generator) -> Matrix:
    """The rows, some columns of them in another order."""
    copy = x.copy()
    copy[:, columns] = x[rng.permutation(len(x)), columns]
    return copy


def _blocks(signature: Signature) -> Iterator[tuple[str, slice]]:
    """Each feature with its columns in the encoded table."""
    start = 0
    for feature in signature.ordered:
        width = 1 if feature.encoder.type == "embedding" else len(feature.inputs)
        yield feature.name, slice(start, start + width)
        start += width


Loss = Callable[[Numbers, Numbers], float]


def _loss_of(task: Task) -> tuple[str, Loss]:
    return ("mae", _mae) if task == Task.REGRESSION else ("log_loss", _log_loss)


def _mae(y: Numbers, answers: Numbers) -> float:
    return float(np.mean(np.abs(y - answers)))


def _log_loss(y: Numbers, answers: Numbers) -> float:
    of_truth = answers[np.arange(len(y)), y.astype(np.int64)]
    return float(-np.mean(np.log(np.maximum(of_truth, _TINY))))
