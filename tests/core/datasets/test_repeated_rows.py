"""Rows of an append are compared with all earlier rows, in parts."""

import pytest

from core.datasets import repeated_rows, row_hashes
from core.datasets.tables import Dataset
from tests.core.datasets.test_appending import Appending

HEAD = "a,b\n"


@pytest.fixture
def appending(database, broker_url, tmp_path):
    return Appending(database, broker_url, tmp_path)


def rows(start, stop):
    return HEAD + "".join(f"{i}.5,{i * 7 % 1000}\n" for i in range(start, stop))


def repeated(appending, content):
    """Append rows, let the worker read them, and return the sentences about them."""
    dataset = appending.append(content)
    appending.ingest.attempt(dataset.id)
    found = appending.get(dataset.id)
    assert found.status == "ready", found.error
    return [text for text in found.warnings if "appended rows" in text]


@pytest.mark.parametrize("size", [3, 7, 1_000])
def test_the_size_of_the_parts_does_not_matter(appending, monkeypatch, size):
    """The appended rows and the earlier blocks are compared in parts."""
    monkeypatch.setattr(repeated_rows, "_ADDED_ROWS", size)
    monkeypatch.setattr(row_hashes, "_PART", size)
    appending.ingest.attempt(appending.upload(rows(0, 40)).id)
    assert repeated(appending, rows(40, 60)) == []
    (warning,) = repeated(appending, rows(30, 80))
    assert warning.startswith("30 of the 50 appended rows are already in t@2 and")


def test_a_few_of_many_rows_are_not_reported(appending):
    """A warning appears only from one row in a hundred on."""
    appending.ingest.attempt(appending.upload(rows(0, 40)).id)
    assert repeated(appending, rows(39, 239)) == []


def test_a_block_of_an_earlier_release_is_hashed_again(appending):
    """The block has no stored hashes, and its name may have no lineage."""
    first = appending.upload(rows(0, 40))
    appending.ingest.attempt(first.id)
    appending.reader.storage.delete(appending.get(first.id).hash_key)
    with appending.database.write() as session:
        dataset = session.get_one(Dataset, first.id)
        dataset.hash_key, dataset.lineage_id = "", None
    (warning,) = repeated(appending, rows(20, 50))
    assert warning.startswith("20 of the 30 appended rows are already in t@1 and")
