"""Encoded rows as the trainer takes them: chunks of one packed table, over and over.

A source gives its rows once an epoch, shuffled or not, in chunks of a size that the
trainer names; batches run on across the borders of whatever the source keeps its rows
in. `Rows` keeps them all in memory; `streamed.py` has the source that does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from workers.training.feature_transform import Matrix

_SMALL_BYTES = 256 * 1024


@dataclass(frozen=True)
class Layout:
    """What the columns of a packed row are: inputs, targets, and maybe its weight."""

    num_inputs: int
    num_targets: int
    has_weight: bool

    @property
    def width(self) -> int:
        """Numbers a row."""
        return self.num_inputs + self.num_targets + self.has_weight

    def parts(self, rows: Any) -> tuple[Any, ...]:
        """Inputs `[N, F]`, targets `[N, T]`, maybe weights `[N]`: for Keras's steps."""
        targets = self.num_inputs + self.num_targets
        x, y = rows[:, : self.num_inputs], rows[:, self.num_inputs : targets]
        return (x, y, rows[:, targets]) if self.has_weight else (x, y)


class Blocks(Protocol):
    """Rows that can be gone through any number of times."""

    @property
    def num_rows(self) -> int:
        """How many there are."""

    @property
    def layout(self) -> Layout:
        """What their columns are."""

    def chunks(self, size: int, rng: np.random.Generator | None) -> Iterator[Any]:
        """Every row once, float32 `[size, width]`, the last chunk shorter.

        `rng` shuffles; without it rows come in their own order.
        """


@dataclass(frozen=True)
class Rows:
    """Encoded rows in memory, float32: `x` `[N, F]`, `y` `[N, 1]` or `[N, classes]`.

    `weight` `[N]` weighs the rows in the loss.
    """

    x: Matrix
    y: Matrix
    weight: Matrix | None = None

    @property
    def num_rows(self) -> int:
        return len(self.x)

    @property
    def layout(self) -> Layout:
        return Layout(self.x.shape[1], self.y.shape[1], self.weight is not None)

    def packed(self) -> Matrix:
        """The parts side by side, `[N, layout.width]`."""
        parts = [self.x, self.y, *([] if self.weight is None else [self.weight[:, None]])]
        table: Matrix = np.concatenate(parts, axis=1)
        return table

    @cached_property
    def _table(self) -> Any:
        packed = self.packed()
        # NumPy gathers a few rows sooner than TensorFlow has begun to
        return packed if packed.nbytes <= _SMALL_BYTES else tf.constant(packed)

    def chunks(self, size: int, rng: np.random.Generator | None) -> Iterator[Any]:
        n = self.num_rows
        if rng is not None and isinstance(self._table, np.ndarray):
            shuffled = self._table[rng.permutation(n)]
            yield from (shuffled[start : start + size] for start in range(0, n, size))
            return
        order = None if rng is None else rng.permutation(n).astype(np.int32)
        for start in range(0, n, size):
            if order is not None:
                yield tf.gather(self._table, order[start : start + size])
            else:
                yield self._table[start : start + size] if n > size else self._table
