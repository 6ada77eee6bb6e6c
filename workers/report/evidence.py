"""What the report looks at: some rows of each side, and what the network says of them."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from core.models.scores import Numbers, as_answers
from core.models.signature import Signature
from fitserve.schemas.report import HeldOut
from workers.training.dataset import RawRows, sample
from workers.training.feature_transform import Matrix, encode
from workers.training.network import Network
from workers.training.splits import Splits
from workers.training.targets import encode_target
from workers.training.train import Trained

_MOST_ROWS = 100_000
"""Rows of a side that are looked at; figures of more would differ in the third digit."""
_CALL_NUMBERS = 4_000_000
"""Outputs of the widest layer in one call of the network: 16 MB."""


@dataclass(frozen=True)
class Rows:
    """Rows of one side: raw, encoded, and their targets.

    `y` is float64 `[N]`: the value, or the place of the class.
    """

    frame: pl.DataFrame
    signature: Signature

    @cached_property
    def x(self) -> Matrix:
        """Float32 `[N, signature.num_encoded]`."""
        return encode(self.signature, self.frame)

    @cached_property
    def y(self) -> Numbers:
        column = self.frame[self.signature.target]
        encoded = encode_target(column, self.signature.classes or [])
        values: Numbers = encoded[:, 0].astype(np.float64)
        return values

    def head(self, most: int) -> "Rows":
        """At most so many of them; a sample has no order."""
        return Rows(self.frame.head(most), self.signature)


@dataclass(frozen=True)
class Evidence:
    """Rows of the run and its network; `held_out` is None where none are held out."""

    network: Network
    signature: Signature
    train: Rows
    held_out: Rows | None
    side: HeldOut | None
    targets: dict[str, pl.Series]
    """The target's cells by side; sides without rows are absent."""
    seed: int

    @classmethod
    def of(cls, trained: Trained, seed: int) -> "Evidence":
        """Rows drawn by the run's own seed, so that a report can be made again."""
        signature = trained.signature
        side, rows = _held_out(trained.splits)
        train = Rows(_shuffled(trained.splits.train, seed), signature)
        targets = {"training": train.frame[signature.target]}
        if rows is None:
            return cls(trained.network, signature, train, None, None, targets, seed)
        for name in ("validation", "test"):
            if (of_side := getattr(trained.splits, name)).num_rows:
                sampled = sample(of_side, seed, _MOST_ROWS)
                targets[name] = sampled[signature.target]
        held_out = Rows(_shuffled(rows, seed), signature)
        told = HeldOut.model_validate(
            {
                "side": side,
                "num_rows": rows.num_rows,
                "num_scored": held_out.frame.height,
            }
        )
        return cls(trained.network, signature, train, held_out, told, targets, seed)

    def predict(self, x: Matrix) -> Matrix:
        """The network's output for encoded rows, `[N, 1]` or `[N, classes]`.

        That of an ensemble is the mean of what its members say, as it is for predict.
        """
        layers = self.network.body.layers
        widest = max(math.prod(layer.output.shape[1:]) for layer in layers)
        size = max(64, min(16_384, _CALL_NUMBERS // widest))
        model = self.network.model
        parts = [
            np.asarray(model(x[i : i + size], training=False))
            for i in range(0, len(x), size)
        ]
        output: Matrix = np.concatenate(parts)
        return output if self.network.members == 1 else output.mean(axis=1)

    def answers(self, x: Matrix) -> Numbers:
        """Values `[N]` of a regression, else probabilities `[N, classes]`."""
        return as_answers(self.predict(x), self.signature.task)


def _held_out(splits: Splits) -> tuple[str, RawRows | None]:
    """The rows that no epoch saw; where there are none, those validated on."""
    if splits.test.num_rows:
        return "test", splits.test
    if splits.validation.num_rows:
        return "validation", splits.validation
    return "", None


def _shuffled(rows: RawRows, seed: int) -> pl.DataFrame:
    frame = sample(rows, seed, _MOST_ROWS)
    return frame.sample(fraction=1.0, shuffle=True, seed=seed)
