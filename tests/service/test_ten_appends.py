"""After ten appends over HTTP, no run was trained on a row that another run held out."""

import numpy as np
import polars as pl
import pytest

from core.datasets.repository import DatasetRepository
from core.datasets.row_hashes import arrivals, row_hashes
from core.datasets.typed_table import open_table
from core.runs.maintenance import RunMaintenance
from core.runs.planning.splits import TEST, TRAIN, VALIDATION
from core.runs.splitting import split_rows

KINDS = ("random", "group")
SHARES = {"test": 0.1}
_NUM_APPENDS = 10


def rows_of(rng, size, number):
    """Return the rows of an arrival: some repeat earlier rows, some are of known groups."""
    x = rng.integers(0, 500, size)
    return pl.DataFrame(
        {
            "x": x,
            "g": [f"g{v % (20 + 4 * number)}" for v in x],
            "z": [f"{v % 7:02}" for v in x],
            "y": [("no", "yes", "maybe")[v % 3] for v in x],
        }
    )


def spec_of(kind):
    split = {"by": kind, **SHARES} | ({"column": "g"} if kind == "group" else {})
    layers = [{"type": "Output"}]
    return {
        "dataset": "t",
        "target": "y",
        "model_name": kind,
        "split": split,
        "model": {"layers": layers},
        "fit": {"epochs": 1, "validation_split": 0.2},
    }


class Grown:
    """A dataset that grows by appends, and the sides of its rows in each run."""

    def __init__(self, bench):
        self.bench = bench

    def sides(self, run_id):
        """Return hashes, codes, groups and classes of the rows of a stored run."""
        with self.bench.database.read() as session:
            run = RunMaintenance(session).get(run_id)
            RunMaintenance(session).validation(run)
            with open_table(run.dataset, self.bench.storage) as table:
                codes = split_rows(run, table, self.bench.storage)
                cells = table.read(["g", "y"])
            return row_hashes(run.dataset, self.bench.storage), codes, cells

    def block_sizes(self):
        with self.bench.database.read() as session:
            found = DatasetRepository(session, "default").get("t")
            return [block.block_rows for block in found.blocks]


@pytest.mark.parametrize("kind", KINDS)
def test_no_held_out_row_was_ever_trained_on(bench, kind):
    """No run uses a test row of another run, and each arrival has exact shares."""
    rng, grown = np.random.default_rng(7), Grown(bench)
    held = {code: set() for code in (TRAIN, VALIDATION, TEST)}
    for number in range(_NUM_APPENDS + 1):
        size = 1 if number % 4 == 3 else int(rng.integers(60, 200))
        content = rows_of(rng, size, number)
        if number == 0:
            bench.upload(content.write_csv(), "t")
        elif number % 2:
            answer = bench.client.post(
                "/v1/datasets/t/rows",
                content=content.select("y", "z", "g", "x").write_csv(),
            )
            assert answer.status_code == 201, answer.text
        else:
            answer = bench.client.post(
                "/v1/datasets/t/rows", content=content.write_ndjson()
            )
            assert answer.status_code == 201, answer.text
        hashes, codes, cells = grown.sides(bench.post(spec_of(kind)))
        units = hashes if kind == "random" else cells["g"].hash().to_numpy()
        for code, found in held.items():
            found |= set(units[codes == code].tolist())
        if kind == "random":
            assert_exact(hashes, codes, cells["y"], grown.block_sizes())
    assert not held[TEST] & held[TRAIN]
    assert not held[TEST] & held[VALIDATION]
    assert not held[VALIDATION] & held[TRAIN]
    assert all(held.values())


def assert_exact(hashes, codes, classes, sizes):
    """Assert that each arrival and class holds out its share, to one row.

    Rows that repeat rows of an earlier arrival do not count. Equal rows of one arrival are
    on one side, so a share may miss by as many rows.
    """
    start, seen = 0, set()
    for size in sizes:
        part = slice(start, start + size)
        is_new = np.array([h not in seen for h in hashes[part].tolist()])
        seen |= set(hashes[part].tolist())
        for label in classes.unique():
            chosen = is_new & (classes[part] == label).to_numpy()
            _, counts = np.unique(hashes[part][chosen], return_counts=True)
            for code, share in ((TEST, 0.1), (VALIDATION, 0.2)):
                num = int((codes[part][chosen] == code).sum())
                most = int(counts.max(initial=1))
                assert abs(num - share * chosen.sum()) <= most, (size, label, code)
        start += size


def test_stored_hashes_of_blocks_are_those_of_one_upload(bench):
    """An append has the hashes of an upload of all rows, but other arrivals."""
    rng = np.random.default_rng(3)
    first, second = rows_of(rng, 90, 0), rows_of(rng, 40, 1)
    bench.upload(first.write_csv(), "t")
    answer = bench.client.post(
        "/v1/datasets/t/rows", content=second.select("z", "y", "x", "g").write_csv()
    )
    assert answer.status_code == 201, answer.text
    bench.upload(pl.concat([first, second]).write_csv(), "whole")
    with bench.database.read() as session:
        datasets = DatasetRepository(session, "default")
        grown, whole = datasets.get("t"), datasets.get("whole")
        assert grown.lineage_id == datasets.get("t@1").lineage_id
        assert np.array_equal(
            row_hashes(grown, bench.storage), row_hashes(whole, bench.storage)
        )
        assert arrivals(grown).tolist() == [0] * 90 + [1] * 40
        # without the stored files the hashes are computed from the tables
        for block in grown.blocks:
            bench.storage.delete(block.hash_key)
            block.hash_key = ""
        assert np.array_equal(
            row_hashes(grown, bench.storage), row_hashes(whole, bench.storage)
        )
