"""The rows of each side of a split, in memory and in a file."""

import numpy as np
import polars as pl
import pytest

from core.datasets.typed_table import TypedTable
from workers.training import splits as splits_module
from workers.training.splits import SourceTable


@pytest.mark.parametrize("is_large", [False, True])
def test_each_row_is_on_the_side_of_its_code(tmp_path, monkeypatch, is_large):
    """Rows without a target are on no side; a large table stays in its file."""
    if is_large:
        monkeypatch.setattr(splits_module, "LARGEST_IN_MEMORY", 0)
    rows = pl.DataFrame({"x": list(range(12)), "y": [float(i) for i in range(12)]})
    rows.write_parquet(tmp_path / "t.parquet")
    table = TypedTable("t", 12, [], [tmp_path / "t.parquet"])
    codes = np.array([0, 1, 2, -1] * 3, np.int8)
    parts = SourceTable(table, ["x"], "y").split(codes)
    for side, part in enumerate((parts.train, parts.validation, parts.test)):
        found = part.read(0, part.num_stored)
        assert found.columns == ["x", "y"]
        assert found["x"].to_list() == [side, side + 4, side + 8]
        assert part.num_rows == 3
