"""Rename a dataset that no run names (docs/decisions/0051)."""

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.datasets.repository import DatasetRepository
from core.datasets.tables import Dataset, Lineage
from core.errors import DatasetInUse, DatasetNameTaken, DatasetNotReady
from core.runs.tables import Run
from fitserve.enums import DatasetStatus


def rename_dataset(session: Session, workspace: str, ref: str, name: str) -> Dataset:
    """Give all versions of a dataset, and its lineages, another name; return the dataset.

    Raises DatasetNotFound, DatasetInUse if a run was created on a version,
    DatasetNotReady while a version is being read, and DatasetNameTaken.
    """
    datasets = DatasetRepository(session, workspace)
    old = datasets.get(ref).name
    if name == old:
        return datasets.get(ref)
    for one in sorted((old, name)):  # in one order: no deadlock
        datasets.lock_name(one)
    dataset = datasets.get(ref)
    named = Dataset.workspace == workspace, Dataset.name == old
    versions = select(Dataset).where(*named).with_for_update()
    _refuse_unless_free(session, list(session.scalars(versions)))
    _refuse_taken(session, workspace, name)
    session.execute(update(Dataset).where(*named).values(name=name))
    lineages = Lineage.workspace == workspace, Lineage.name == old
    session.execute(update(Lineage).where(*lineages).values(name=name))
    return datasets.get(dataset.id)


def _refuse_unless_free(session: Session, versions: list[Dataset]) -> None:
    """Raise if a run names one of the versions, or a worker is reading one."""
    name, ids = versions[0].name, [version.id for version in versions]
    reads = or_(Run.dataset_id.in_(ids), Run.validation_dataset_id.in_(ids))
    run = session.scalar(select(Run.id).where(reads).order_by(Run.id).limit(1))
    if run is not None:
        raise DatasetInUse(
            f"Specs of runs name the dataset {name!r}, such as that of {run}; with "
            "another name they could not be sent again. Upload the file under the new "
            "name instead."
        )
    if any(version.status == DatasetStatus.PROCESSING for version in versions):
        raise DatasetNotReady(
            f"A version of the dataset {name!r} is still being read; wait for it with "
            f"GET /v1/datasets/{name}?wait=30, then rename the dataset."
        )


def _refuse_taken(session: Session, workspace: str, name: str) -> None:
    for kind in (Dataset, Lineage):
        same = kind.workspace == workspace, kind.name == name
        if session.scalar(select(kind.id).where(*same).limit(1)) is not None:
            raise DatasetNameTaken(
                f"Another dataset is or was named {name!r}, and the numbers of its "
                "versions are not given again. Give another name."
            )
