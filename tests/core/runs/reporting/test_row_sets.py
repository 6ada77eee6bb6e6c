"""The rows on which two runs may both be scored."""

import numpy as np
import pytest

from core.datasets.row_hashes import row_hashes
from core.models.repository import artifact_keys
from core.orphan_files import remove_orphan_files
from core.runs.maintenance import RunMaintenance
from core.runs.reporting.row_sets import Contender, codes_of, common_held_out
from core.runs.splitting import NO_TARGET
from tests.conftest import bench_in

ROWS = [(i, (i * 37) % 101, i * 0.5) for i in range(300)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    with bench_in(tmp_path_factory.mktemp("rows") / "home", broker_url) as bench:
        bench.upload(csv(ROWS), "t")
        yield bench


def csv(rows):
    return "\n".join(["a,b,y", *(",".join(map(str, row)) for row in rows)]) + "\n"


def trained(bench, dataset="t", **keys):
    spec = {"dataset": dataset, "target": "y", "preset": "small", "fit": {"epochs": 1}}
    run = bench.train({**spec, **keys})
    assert run["status"] == "succeeded", run["error"]
    return contender(bench, run["id"])


def contender(bench, run_id):
    with bench.database.read() as session:
        runs = RunMaintenance(session)
        run = runs.get(run_id)
        return Contender(run, runs.validation(run))


def common(bench, candidate, rival):
    return common_held_out(candidate, rival, bench.storage)


def test_a_worker_stores_the_side_of_each_row(bench):
    """The run has the exact counts; without the file, the split is computed equally."""
    run = trained(bench, split={"test": 0.1}).run
    codes = codes_of(run, bench.storage)
    counts = [int((codes == code).sum()) for code in range(3)]
    assert run.num_rows == dict(zip(("train", "validation", "test"), counts, strict=True))
    assert counts == [210, 60, 30]
    assert (codes != NO_TARGET).all()
    assert len(set(row_hashes(run.dataset, bench.storage).tolist())) == 300
    run.split_key = None
    assert np.array_equal(codes_of(run, bench.storage), codes)


def test_versions_of_one_lineage_are_scored_on_common_test_rows(bench):
    """Another model, other seeds of weights and more rows hold out the same rows."""
    old = trained(bench, split={"test": 0.1})
    bench.upload(csv([*ROWS, *[(i, i % 9, 2.0 * i) for i in range(300, 400)]]), "t")
    new = trained(bench, split={"test": 0.2}, fit={"epochs": 2})
    found = common(bench, new, old)
    own, rival = (codes_of(c.run, bench.storage) for c in (new, old))
    hashes = [row_hashes(c.run.dataset, bench.storage) for c in (new, old)]
    assert found.side == "test"
    assert found.dataset.id == new.run.dataset_id
    judged = set(hashes[0][found.places].tolist())
    assert len(judged) >= 30
    assert not judged & set(hashes[1][rival != 2].tolist())
    assert (own[found.places] == 2).all()


def test_without_test_rows_validation_rows_are_scored(bench):
    """No row was trained on by the other run. Without such rows, the error says why."""
    bench.upload(csv(ROWS), "v")
    one, same = (trained(bench, "v") for _ in range(2))
    found = common(bench, one, same)
    assert (found.side, len(found.places)) == ("validation", 60)
    seeded = trained(bench, "v", fit={"epochs": 1, "seed": 5})
    other = common(bench, one, seeded)
    assert other.side == "validation"
    assert 0 < len(other.places) < 60
    every = trained(bench, "v", fit={"epochs": 1, "validation_split": 0})
    refused = common(bench, one, every)
    assert refused.side is None
    assert "split.test" in refused.reason


def test_rows_of_a_validation_dataset_may_be_scored(bench):
    """Rows that the other run trained on are left out."""
    bench.upload(csv(ROWS), "w")
    held = bench.upload(
        csv([*ROWS[:40], *[(i, i % 9, 2.0 * i) for i in range(900, 950)]])
    )
    fit = {"epochs": 1, "validation_dataset": held["id"]}
    found = common(bench, trained(bench, "w", fit=fit), trained(bench, "w"))
    assert (found.side, found.dataset.id) == ("validation", held["id"])
    assert {*range(40, 90)} <= set(found.places.tolist())
    assert len(found.places) < 65


def test_the_split_is_deleted_with_its_version(bench):
    """The janitor keeps a recorded split, but deletes one of a run without a version."""
    run = trained(bench, model_name="gone").run
    lost = trained(bench, model_name="lost").run
    with bench.database.write() as session:
        assert run.split_key in artifact_keys(session, [run.id])
        assert remove_orphan_files(bench.storage, session, 0.0) == []
    assert bench.client.delete("/v1/models/gone").is_success
    assert bench.storage.list(f"runs/{run.id}") == []
    with bench.database.write() as session:
        row = RunMaintenance(session).get(lost.id)
        key, row.split_key = row.split_key, None
        session.flush()
        assert remove_orphan_files(bench.storage, session, 0.0) == [key]
