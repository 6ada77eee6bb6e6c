"""Provide encoded rows to the trainer, from memory or streamed from a table file.

A source yields its rows once an epoch, shuffled or not, in chunks whose size the trainer
chooses. A chunk holds one or more batches.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl
import tensorflow as tf

from core.runs.planning.cost import LARGEST_IN_MEMORY
from workers.training.dataset import RawRows
from workers.training.feature_transform import Matrix

Rng = np.random.Generator | None
_SMALL_BYTES = 256 * 1024
_BLOCK_BYTES = 16 * 1024 * 1024
_BLOCKS_SHUFFLED_TOGETHER = 4


@dataclass(frozen=True)
class RowLayout:
    """The columns of a packed row: inputs, targets, and optionally a sample weight."""

    num_inputs: int
    num_targets: int
    has_weight: bool

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return self.num_inputs + self.num_targets + self.has_weight

    def parts(self, rows: Any) -> tuple[Any, ...]:
        """Return inputs `[N, F]`, targets `[N, T]` and, if present, weights `[N]`."""
        targets = self.num_inputs + self.num_targets
        x, y = rows[:, : self.num_inputs], rows[:, self.num_inputs : targets]
        return (x, y, rows[:, targets]) if self.has_weight else (x, y)


class Batches(Protocol):
    """Encoded rows that can be iterated over any number of times."""

    @property
    def num_rows(self) -> int: ...

    @property
    def layout(self) -> RowLayout: ...

    def chunks(self, size: int, rng: Rng) -> Iterator[Any]:
        """Yield every row once, as float32 `[size, width]`; the last chunk is shorter.

        `rng` shuffles the rows. Without `rng` they come in stored order.
        """


@dataclass(frozen=True)
class InMemoryBatches:
    """Encoded float32 rows in memory.

    Args:
        x: inputs `[N, F]`.
        y: targets `[N, 1]` or `[N, classes]`.
        weight: sample weights `[N]`, or None.

    """

    x: Matrix
    y: Matrix
    weight: Matrix | None = None

    @property
    def num_rows(self) -> int:
        return len(self.x)

    @property
    def layout(self) -> RowLayout:
        return RowLayout(self.x.shape[1], self.y.shape[1], self.weight is not None)

    def packed(self) -> Matrix:
        """Return the parts side by side, `[N, layout.width]`."""
        parts = [self.x, self.y, *([] if self.weight is None else [self.weight[:, None]])]
        table: Matrix = np.concatenate(parts, axis=1)
        return table

    @cached_property
    def _table(self) -> Any:
        packed = self.packed()
        # NumPy gathers a few rows faster than TensorFlow can start an operation
        return packed if packed.nbytes <= _SMALL_BYTES else tf.constant(packed)

    def chunks(self, size: int, rng: Rng) -> Iterator[Any]:
        n = self.num_rows
        starts = range(0, n, size)
        order = None if rng is None else rng.permutation(n)
        if order is None:
            slices = (self._table[start : start + size] for start in starts)
            yield from slices if n > size else [self._table]
        elif isinstance(self._table, np.ndarray):
            shuffled = self._table[order]
            yield from (shuffled[start : start + size] for start in starts)
        else:
            order = order.astype(np.int32)
            for start in starts:
                yield tf.gather(self._table, order[start : start + size])


Encode = Callable[[pl.DataFrame], InMemoryBatches]


def make_batches(raw: RawRows, encode: Encode, width: int) -> Batches:
    """Return the encoded rows of a split, streamed if they do not fit in memory."""
    # num_stored: reading a small split of a large table reads the whole table
    if raw.num_stored * width * 4 <= LARGEST_IN_MEMORY:
        return encode(raw.read(0, raw.num_stored))
    block_rows = max(1, _BLOCK_BYTES // (4 * width))
    layout = encode(raw.read(0, 1_000)).layout
    return StreamedBatches(raw, encode, layout, block_rows)


@dataclass(frozen=True)
class StreamedBatches:
    """Rows that are read and encoded again in every epoch, one block ahead in a thread.

    Each epoch visits the blocks in another order. The rows of a few blocks are shuffled
    together. Rows left over are prepended to the next blocks, so a batch may span blocks.

    Args:
        raw: the rows.
        encode: encodes a frame of rows.
        layout: the layout of the encoded rows.
        block_rows: the number of stored rows in a block.

    """

    raw: RawRows
    encode: Encode
    layout: RowLayout
    block_rows: int

    @property
    def num_rows(self) -> int:
        return self.raw.num_rows

    def chunks(self, size: int, rng: Rng) -> Iterator[Any]:
        rest = np.empty((0, self.layout.width), np.float32)
        for blocks in self._groups_of_blocks(rng):
            rows = np.concatenate([rest, *blocks])
            if rng is not None:
                rows = rows[rng.permutation(len(rows))]
            whole = len(rows) - len(rows) % size
            for start in range(0, whole, size):
                yield tf.constant(rows[start : start + size])
            rest = rows[whole:].copy()
        if len(rest):
            yield tf.constant(rest)

    def _groups_of_blocks(self, rng: Rng) -> Iterator[list[Matrix]]:
        starts = np.arange(0, self.raw.num_stored, self.block_rows)
        if rng is not None:
            rng.shuffle(starts)
        num_blocks = 1 if rng is None else _BLOCKS_SHUFFLED_TOGETHER
        group: list[Matrix] = []
        for block in read_ahead(self._read(int(start)) for start in starts):
            group.append(block)
            if len(group) == num_blocks:
                yield group
                group = []
        if group:
            yield group

    def _read(self, start: int) -> Matrix:
        return self.encode(self.raw.read(start, start + self.block_rows)).packed()


def read_ahead(items: Iterator[Matrix]) -> Iterator[Matrix]:
    """Yield the items. A thread prepares the next item while one is in use."""
    ready: queue.Queue[Matrix | BaseException | None] = queue.Queue(maxsize=1)
    is_closed = threading.Event()

    def put(item: Matrix | BaseException | None) -> None:
        while not is_closed.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def produce() -> None:
        try:
            for item in items:
                put(item)
                if is_closed.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001  raised again in the other thread
            put(error)

    threading.Thread(target=produce, name="read ahead", daemon=True).start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_closed.set()
