"""Delete datasets with their files."""

from functools import partial

from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.sessions import after_commit
from core.datasets.repository import DatasetRepository
from core.datasets.tables import Dataset
from core.errors import DatasetInUse
from core.storage import Storage, discard


def delete_dataset(session: Session, storage: Storage, workspace: str, ref: str) -> None:
    """Delete a dataset; its row stays for the runs that name it.

    Its files are deleted, unless a later version has their rows. Raises DatasetNotFound,
    and DatasetInUse while a run still needs it.
    """
    repository = DatasetRepository(session, workspace)
    dataset = repository.get(ref)
    repository.lock_name(dataset.name)
    repository.hold(dataset, alone=True)
    if needed_by := repository.runs_that_need(dataset):
        raise DatasetInUse(
            f"{len(needed_by)} run(s) still read this dataset, such as "
            f"{needed_by[0]}; cancel them or wait until they have ended."
        )
    dataset.deleted_at = utc_now()
    session.flush()
    for block in repository.unused_blocks(dataset):
        after_commit(session, partial(delete_files, storage, block))


def delete_files(storage: Storage, dataset: Dataset) -> None:
    """Delete the files of a dataset that has no row, or whose row is deleted."""
    discard(storage, reversed(dataset.file_keys))
