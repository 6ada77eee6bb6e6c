"""A limit holds for simultaneous requests, on either engine."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from core.datasets.repository import DatasetRepository
from core.datasets.tables import Dataset
from core.errors import QuotaExceeded
from core.keys.caller import Caller
from core.keys.quotas import refuse_over_quota

CALLER = Caller(workspace="team", stored_bytes=30)
NUM_AT_ONCE = 8


def test_simultaneous_uploads_stay_within_the_quota(database):
    """Three of eight uploads of 10 bytes fit into 30 bytes."""
    together = Barrier(NUM_AT_ONCE)

    def upload(number):
        together.wait()
        try:
            with database.write() as session:
                refuse_over_quota(session, CALLER, 10)
                DatasetRepository(session, CALLER.workspace).add(dataset(number))
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(NUM_AT_ONCE) as threads:
        assert sum(threads.map(upload, range(NUM_AT_ONCE))) == 3


def dataset(number):
    return Dataset(
        name=f"t{number}",
        digest="sha256:0",
        num_bytes=10,
        num_rows=1,
        columns=[],
        parsing={},
        warnings=[],
        content_key=f"datasets/t{number}/content.csv",
        table_key=f"datasets/t{number}/table.parquet",
    )
