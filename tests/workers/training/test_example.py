"""Test that training keeps one row as the example of the version."""

import polars as pl
import pytest

from core.models.signature import Signature
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat

pytestmark = pytest.mark.keras
KINDS = {
    pl.Float64: ColumnType.NUMERIC,
    pl.Int64: ColumnType.NUMERIC,
    pl.Boolean: ColumnType.BOOLEAN,
    pl.String: ColumnType.CATEGORICAL,
}


def examples(**columns):
    from workers.training.example import with_examples
    from workers.training.feature_fit import fit_feature

    rows = pl.DataFrame(columns)
    features = [
        fit_feature(
            c.name, KINDS[c.dtype.base_type()], ColumnFormat(), c, standardize=True
        )
        for c in rows
    ]
    signature = Signature(
        model_name="m",
        task="regression",
        target="y",
        classes=None,
        features=features,
        ignored=[],
    )
    return [feature.example for feature in with_examples(signature, rows).features]


def test_the_first_complete_row_is_kept():
    """Cells are numbers, booleans and texts as in a request."""
    kept = examples(a=[None, 1.5, 2.0], b=[1, 2, 3], c=[True, None, False], d=[*"xyz"])
    assert kept == [2, 3, False, "z"]
    assert [type(cell) for cell in kept] == [int, int, bool, str]


def test_the_most_complete_row_is_kept_if_all_have_gaps():
    """Missing cells are null."""
    assert examples(a=[None, 1.5, 2.0], b=["x", None, None], c=[None, 1, None]) == [
        *(1.5, None, 1)
    ]


def test_a_row_with_a_rare_category_is_skipped():
    """The service would warn of the category."""
    common = [f"k{i % 20}" for i in range(100)]
    assert examples(a=list(range(102)), b=["r1", "r2", *common]) == [2, "k0"]


def test_a_rare_category_is_replaced_if_every_row_has_one():
    """All other cells are from one row."""
    common = ["k"] * 2 + [f"r{i}" for i in range(20)]
    assert examples(a=list(range(22)), b=common, c=common[::-1]) == [0, "k", "k"]


@pytest.mark.parametrize(
    "standardize", [True, pytest.param(False, marks=pytest.mark.heavy)]
)
def test_a_streamed_table_has_its_example_and_ranges(bench, monkeypatch, standardize):
    """Example and ranges equal those of a table in memory, even for unscaled numbers."""
    from workers.training import batches, splits
    from workers.training.dataset import ParquetRows

    rows = "".join(f"{i or ''},{'ab'[i % 2]},{i % 7}\n" for i in range(60))
    bench.upload("x,c,y\n" + rows)
    spec = {
        "dataset": "table",
        "target": "y",
        "features": {"standardize": standardize},
        "fit": {"epochs": 1, "seed": 1},
    }
    in_memory = trained(bench, spec | {"model_name": "memory"})
    monkeypatch.setattr(splits, "LARGEST_IN_MEMORY", 0)
    monkeypatch.setattr(batches, "LARGEST_IN_MEMORY", 0)
    read = []
    kept = ParquetRows.read
    monkeypatch.setattr(
        ParquetRows, "read", lambda *a: read.append(a) or kept(*a), raising=True
    )
    assert trained(bench, spec | {"model_name": "blocks"}) == in_memory
    assert read
    x, c = in_memory
    assert (x["encoder"]["least"], x["encoder"]["greatest"]) == (1, 59)
    assert c["example"] == "ab"[int(x["example"]) % 2]


def trained(bench, spec):
    run = bench.train(spec)
    assert run["status"] == "succeeded", run["error"]
    path = f"/v1/models/{spec['model_name']}/versions/1"
    return bench.client.get(path).json()["signature"]["features"]
