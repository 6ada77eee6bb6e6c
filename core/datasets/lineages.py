"""Find the lineage of a dataset, or begin one.

A lineage holds the columns by which rows are compared, and the key that decides which
rows are held out.
"""

import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, undefer
from sqlalchemy.orm.attributes import set_committed_value

from core.database.base import new_id
from core.database.inserts import insert_into
from core.database.sessions import Database
from core.datasets.row_hashes import hashed_columns
from core.datasets.tables import Dataset, Lineage
from fitserve.enums import DatasetStatus
from fitserve.schemas.datasets import ColumnRead

LineageOf = Callable[[Sequence[ColumnRead]], Lineage]
"""A function that returns the lineage of a table by its columns."""

_KEY_BITS = 63


def lineage_of(
    database: Database, dataset: Dataset, columns: Sequence[ColumnRead]
) -> Lineage:
    """Return the lineage of a dataset with these columns, in a transaction of its own."""
    with database.write() as session:
        return Lineages(session, dataset.workspace).find(dataset.name, columns)


class Lineages:
    """The lineages of one workspace."""

    def __init__(self, session: Session, workspace: str) -> None:
        self._session = session
        self._workspace = workspace

    def of(self, dataset: Dataset) -> Lineage:
        """Return the lineage of a stored dataset; record one if the dataset has none.

        Call this before the dataset is locked; otherwise two transactions that share a
        lock on the dataset would wait for each other.
        """
        if dataset.lineage_id is not None:
            return self._session.get_one(Lineage, dataset.lineage_id)
        found = self.find(dataset.name, dataset.columns)
        change = update(Dataset).where(Dataset.id == dataset.id)
        self._session.execute(change.values(lineage_id=found.id))
        set_committed_value(dataset, "lineage_id", found.id)
        return found

    def find(self, name: str, columns: Sequence[ColumnRead]) -> Lineage:
        """Return the newest lineage of a name; begin another if it has other columns."""
        while True:
            newest = self._newest(name)
            if newest is not None and _continues(newest.columns, columns):
                return newest
            number = 1 if newest is None else newest.number + 1
            self._begin(name, number, self._first_columns(name, newest, columns))

    def _newest(self, name: str) -> Lineage | None:
        query = select(Lineage).where(
            Lineage.workspace == self._workspace, Lineage.name == name
        )
        return self._session.scalars(query.order_by(Lineage.number.desc())).first()

    def _begin(self, name: str, number: int, columns: list[str]) -> None:
        """Store a lineage, unless another transaction has just stored it."""
        values = {
            "id": new_id("lineage"),
            "workspace": self._workspace,
            "name": name,
            "number": number,
            "key": secrets.randbits(_KEY_BITS),
            "columns": columns,
        }
        insert = insert_into(self._session, Lineage).values(values)
        self._session.execute(insert.on_conflict_do_nothing())

    def _first_columns(
        self, name: str, newest: Lineage | None, columns: Sequence[ColumnRead]
    ) -> list[str]:
        """Return the hashed columns of a new lineage.

        These are the columns of the oldest stored version, if the table has half of them.
        """
        oldest = None if newest is not None else self._oldest(name)
        if oldest is not None:
            hashed = hashed_columns(oldest.columns)
            if _continues(hashed, columns):
                return hashed
        return hashed_columns(columns)

    def _oldest(self, name: str) -> Dataset | None:
        """Return the oldest dataset of a name, which may be older than any lineage."""
        query = select(Dataset).options(undefer(Dataset.columns))
        query = query.where(
            Dataset.workspace == self._workspace,
            Dataset.name == name,
            Dataset.status == DatasetStatus.READY,
            Dataset.deleted_at.is_(None),
        )
        return self._session.scalars(query.order_by(Dataset.id).limit(1)).first()


def _continues(hashed: Sequence[str], columns: Sequence[ColumnRead]) -> bool:
    """Return whether a table has at least half of the hashed columns."""
    held = {column.name for column in columns}
    return 2 * len(held.intersection(hashed)) >= len(hashed)
