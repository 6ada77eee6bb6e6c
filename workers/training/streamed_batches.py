"""Encoded rows that do not all fit in memory: block by block, read ahead in a thread.

Each epoch goes through the blocks in another order. A window of a few blocks is in
memory; its rows are shuffled among each other and handed out in chunks, and what is left
of a window begins the next one, so that a batch may hold rows of two.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import tensorflow as tf

from core.runs.planning.cost import LARGEST_IN_MEMORY
from workers.training.batches import Blocks, Layout, Rows
from workers.training.dataset import StoredRows
from workers.training.feature_transform import Matrix

Encode = Callable[[pl.DataFrame], Rows]
_BLOCK_BYTES = 16 * 1024 * 1024
_WINDOW = 4
"""Blocks whose rows are shuffled with each other."""


def blocks_of(raw: StoredRows, encode: Encode, width: int) -> Blocks:
    """The rows of a side, encoded: at once if they fit in memory, else bit by bit."""
    # stored: a small side of a large table would be read with all the others
    if raw.num_stored * width * 4 <= LARGEST_IN_MEMORY:
        return encode(raw.read(0, raw.num_stored))
    block_rows = max(1, _BLOCK_BYTES // (4 * width))
    return Streamed(raw, encode, encode(raw.read(0, 1_000)).layout, block_rows)


@dataclass(frozen=True)
class Streamed:
    """Blocks of rows that are read and encoded again in every epoch.

    Args:
        raw: the rows.
        encode: what makes encoded rows of them.
        layout: that of the encoded rows.
        block_rows: places that are read at a time.

    """

    raw: StoredRows
    encode: Encode
    layout: Layout
    block_rows: int

    @property
    def num_rows(self) -> int:
        return self.raw.num_rows

    def chunks(self, size: int, rng: np.random.Generator | None) -> Iterator[Any]:
        rest = np.empty((0, self.layout.width), np.float32)
        for window in self._windows(rng):
            rows = np.concatenate([rest, *window])
            if rng is not None:
                rows = rows[rng.permutation(len(rows))]
            whole = len(rows) - len(rows) % size
            for start in range(0, whole, size):
                yield tf.constant(rows[start : start + size])
            rest = rows[whole:].copy()
        if len(rest):
            yield tf.constant(rest)

    def _windows(self, rng: np.random.Generator | None) -> Iterator[list[Matrix]]:
        starts = np.arange(0, self.raw.num_stored, self.block_rows)
        if rng is not None:
            rng.shuffle(starts)
        blocks = read_ahead(self._read(int(start)) for start in starts)
        window: list[Matrix] = []
        for block in blocks:
            window.append(block)
            if len(window) == (_WINDOW if rng is not None else 1):
                yield window
                window = []
        if window:
            yield window

    def _read(self, start: int) -> Matrix:
        return self.encode(self.raw.read(start, start + self.block_rows)).packed()


def read_ahead(items: Iterator[Matrix]) -> Iterator[Matrix]:
    """The items, the next one being made in a thread while one is at work."""
    ready: queue.Queue[Matrix | BaseException | None] = queue.Queue(maxsize=1)
    is_over = threading.Event()

    def put(item: Matrix | BaseException | None) -> None:
        while not is_over.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def make() -> None:
        try:
            for item in items:
                put(item)
                if is_over.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001  raised where the items are used
            put(error)

    threading.Thread(target=make, name="read ahead", daemon=True).start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_over.set()
