"""The lineage of a name: its key and the columns by which its rows are compared."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core.datasets.lineages import Lineages
from core.datasets.repository import DatasetRepository
from core.datasets.row_hashes import row_hashes
from core.datasets.tables import Lineage

ROWS = [(i, i % 7, i * 1.5, "abc"[i % 3]) for i in range(60)]


def csv(names, rows):
    return "\n".join(",".join(map(str, row)) for row in [names.split(","), *rows]) + "\n"


def stored(bench, ref):
    with bench.database.read() as session:
        dataset = DatasetRepository(session, "default").get(ref)
        session.refresh(dataset, ["lineage"])
        return dataset


def hashes(bench, ref):
    return row_hashes(stored(bench, ref), bench.storage)


def test_the_first_version_decides_the_columns(bench):
    """A former id is not hashed even if its values repeat, nor is a later column."""
    first = bench.upload(csv("id,x,y,c", ROWS), "t")
    assert stored(bench, first["id"]).lineage.columns == ["x", "y", "c"]
    more = [(*row, i) for i, row in enumerate([*ROWS, *[(5, *row[1:]) for row in ROWS]])]
    second = bench.upload(csv("id,x,y,c,new", more), "t")
    assert stored(bench, second["id"]).lineage_id == stored(bench, first["id"]).lineage_id
    before, after = hashes(bench, first["id"]), hashes(bench, second["id"])
    assert len(set(before.tolist())) == 60
    assert np.array_equal(np.concatenate([before, before]), after)
    third = bench.upload(csv("id,x,y", [row[:3] for row in ROWS]), "t")
    assert stored(bench, third["id"]).lineage_id == stored(bench, first["id"]).lineage_id


def test_another_table_under_the_name_begins_another_lineage(bench):
    """With none of the hashed columns, all its rows would have one hash."""
    first = bench.upload(csv("id,x,y,c", ROWS), "t")
    other = bench.upload(csv("a,b,y", [(i, i * 2, i % 2) for i in range(60)]), "t")
    one, two = (stored(bench, d["id"]).lineage for d in (first, other))
    assert (one.number, two.number) == (1, 2)
    assert one.key != two.key
    assert len(set(hashes(bench, other["id"]).tolist())) == 60


def test_stored_hashes_equal_those_of_the_table(bench):
    """A dataset of an earlier release has no stored hashes; its table is read."""
    uploaded = bench.upload(csv("id,x,y,c", ROWS), "t")
    dataset = stored(bench, uploaded["id"])
    expected = row_hashes(dataset, bench.storage)
    assert bench.storage.list("datasets")[1].endswith("hashes-0.npy")
    bench.storage.delete(dataset.hash_key)
    dataset.hash_key = ""
    assert np.array_equal(row_hashes(dataset, bench.storage), expected)
    assert not np.array_equal(row_hashes(dataset, bench.storage, ["x"]), expected)


def test_an_earlier_dataset_gets_its_lineage_when_it_is_needed(bench):
    """The oldest version of the name decides the hashed columns."""
    first = bench.upload(csv("id,x,y,c", ROWS), "t")
    with bench.database.write() as session:
        dataset = DatasetRepository(session, "default").get(first["id"])
        session.delete(session.get_one(Lineage, dataset.lineage_id))
        dataset.lineage_id, dataset.hash_key = None, ""
    second = bench.upload(csv("id,x,new,y,c", [(7, 1, i, 2, 3) for i in range(60)]), "t")
    assert stored(bench, second["id"]).lineage.columns == ["x", "y", "c"]
    spec = {"dataset": first["id"], "target": "y", "preset": "small"}
    run = bench.train(spec)
    assert run["status"] == "succeeded", run["error"]
    assert stored(bench, first["id"]).lineage_id == stored(bench, second["id"]).lineage_id


def test_uploads_at_once_share_a_lineage(database):
    """Each upload finds the lineage or begins it, and none fails."""

    def find(_):
        with database.write() as session:
            return Lineages(session, "default").find("t", []).key

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(find, range(16)))) == 1


def test_a_deleted_dataset_leaves_no_hashes(bench):
    uploaded = bench.upload(csv("id,x,y,c", ROWS), "t")
    assert bench.client.delete(f"/v1/datasets/{uploaded['id']}").is_success
    assert bench.storage.list("datasets") == []
