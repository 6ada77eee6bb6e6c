"""Hold the inputs of a report: sampled rows of each split, and the network."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.models.scores import Numbers, as_answers
from core.models.signature import Signature
from core.runs.spec import ResolvedFit, ResolvedSpec
from fitserve.schemas.report import HeldOut
from workers.training.dataset import RawRows, sample
from workers.training.feature_transform import Matrix, encode
from workers.training.network import Network
from workers.training.targets import target_values
from workers.training.train import Trained

_MOST_ROWS = 100_000
"""Rows sampled from a split. More rows would change figures only in the third digit."""
_MOST_OUTPUTS = 4_000_000
"""The outputs of the widest layer in one call of the network: 16 MB."""


@dataclass(frozen=True)
class SplitRows:
    """Rows of one split: raw, encoded, their targets and their weights.

    Args:
        frame: the raw rows; none of them has the weight 0.
        signature: encodes them.
        weight: the column of the sample weights, if the run has one.
        group: the column that groups the rows, if the run splits by group.

    """

    frame: pl.DataFrame
    signature: Signature
    weight: str | None = None
    group: str | None = None

    @cached_property
    def x(self) -> Matrix:
        """Return the encoded rows, float32 `[N, signature.num_encoded]`."""
        return encode(self.signature, self.frame)

    @cached_property
    def y(self) -> Numbers:
        """Return the targets, float64 `[N]`: indices of classes, or values.

        The offset of the signature is subtracted from the values.
        """
        column = self.frame[self.signature.target]
        classes = self.signature.classes or []
        return target_values(column, classes, self.signature.offset)

    @property
    def weights(self) -> Numbers | None:
        """Return the sample weights, float64 `[N]`; None if the run has none."""
        if self.weight is None:
            return None
        weights: Numbers = self.frame[self.weight].cast(pl.Float64).to_numpy()
        return weights

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """Return a number for the group of each row, `[N]`; None without groups.

        The rows whose group is missing are one group, as in the split.
        """
        if self.group is None or self.group not in self.frame.columns:
            return None
        groups = self.frame[self.group].rank("dense").fill_null(0)
        return groups.to_numpy().astype(np.int64)

    def head(self, most: int) -> "SplitRows":
        """Return at most `most` rows: a sample, because the rows are in random order."""
        return replace(self, frame=self.frame.head(most))


@dataclass(frozen=True)
class Evidence:
    """The network of a run and its rows.

    Args:
        held_out: rows of the test split, or of the validation split if there is no test
            split; None if no rows are held out.
        split: describes the split of `held_out`.
        targets: the target's cells by split, without empty splits.
        fit: the arguments of the fit.

    """

    network: Network
    signature: Signature
    train: SplitRows
    held_out: SplitRows | None
    split: HeldOut | None
    targets: dict[str, pl.Series]
    fit: ResolvedFit

    @property
    def seed(self) -> int:
        """Return the seed of the run."""
        return self.fit.seed

    @classmethod
    def of(cls, trained: Trained, spec: ResolvedSpec) -> "Evidence":
        """Sample rows with the seed of the run, so that the report is reproducible."""
        signature, splits, fit = trained.signature, trained.splits, spec.fit
        group = spec.split.group_column
        train = SplitRows(_drawn(splits.train, fit), signature, fit.sample_weight)
        targets = {"training": train.frame[signature.target]}
        held_out = split = None
        for name, raw in (("validation", splits.validation), ("test", splits.test)):
            if not raw.num_rows:
                continue
            drawn = _drawn(raw, fit)
            held_out = SplitRows(drawn, signature, fit.sample_weight, group)
            targets[name] = held_out.frame[signature.target]
            counts = {"num_rows": raw.num_rows, "num_scored": held_out.frame.height}
            facts = {"side": name, "sample_weight": fit.sample_weight, **counts}
            split = HeldOut.model_validate(facts)
        return cls(trained.network, signature, train, held_out, split, targets, fit)

    def predict(self, x: Matrix) -> Matrix:
        """Return the network's output for encoded rows, `[N, 1]` or `[N, classes]`.

        The output of an ensemble is the mean of its members.
        """
        layers = self.network.body.layers
        widest = max(math.prod(layer.output.shape[1:]) for layer in layers)
        size = max(64, min(16_384, _MOST_OUTPUTS // widest))
        model = self.network.model
        parts = [
            np.asarray(model(x[i : i + size], training=False))
            for i in range(0, len(x), size)
        ]
        output: Matrix = np.concatenate(parts)
        return output if self.network.members == 1 else output.mean(axis=1)

    def answers(self, x: Matrix) -> Numbers:
        """Return values `[N]` of a regression, else probabilities `[N, classes]`.

        The values lack the offset of the signature, as the targets of `SplitRows` do.
        """
        return as_answers(self.predict(x), self.signature.task)


def _drawn(rows: RawRows, fit: ResolvedFit) -> pl.DataFrame:
    """Return rows in random order: all, or a sample; rows of weight 0 are left out."""
    frame = sample(rows, fit.seed, _MOST_ROWS)
    if fit.sample_weight is not None:
        frame = frame.filter(pl.col(fit.sample_weight) > 0)
    return frame.sample(fraction=1.0, shuffle=True, seed=fit.seed)
