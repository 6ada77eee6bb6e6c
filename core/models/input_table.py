"""The table of instances, and the inputs of a network that it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Table:
    """The features of N rows.

    `numbers` is float64 `[F, N]`, NaN where missing; `texts` holds an array of N strings
    for every categorical feature.
    """

    numbers: NDArray[np.float64]
    texts: list[Texts]

    @property
    def num_rows(self) -> int:
        return int(self.numbers.shape[1])

    def rows(self, start: int, stop: int) -> "Table":
        """Return the rows from `start` up to `stop`, as views."""
        texts = [text[start:stop] for text in self.texts]
        return Table(self.numbers[:, start:stop], texts)

    def text_inputs(self, texts: Sequence[str]) -> dict[str, Any]:
        """Return an input for each column of texts by name, each a view `[N, 1]`."""
        shape = (self.num_rows, 1)
        return {name: t.reshape(shape) for name, t in zip(texts, self.texts, strict=True)}

    def number_inputs(self, numbers: Sequence[str]) -> dict[str, Any]:
        """Return an input for each column of numbers by name, each a view `[N, 1]`."""
        shape = (self.num_rows, 1)
        pairs = zip(numbers, self.numbers, strict=True)
        return {name: row.reshape(shape) for name, row in pairs}


def concatenate(tables: Sequence[Table]) -> Table:
    """Return one table with the rows of all tables, which belong to the same model."""
    if len(tables) == 1:
        return tables[0]
    return Table(
        numbers=np.concatenate([table.numbers for table in tables], axis=1),
        texts=[
            np.concatenate(parts)
            for parts in zip(*(table.texts for table in tables), strict=True)
        ],
    )
