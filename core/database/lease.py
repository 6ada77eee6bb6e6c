"""Leases on the rows of a table: claimed, renewed and updated by one holder at a time.

A claim is one conditional UPDATE that changes the row's fence: a column with the number
of the attempt, or with a token of the holder. Every later write of the holder contains
the fence that its claim returned, so that the write changes nothing after another holder
has claimed the row. All times come from the clock of the database.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, inspect, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.database.clock import now_ms
from core.database.dialects import is_one_of

Identity = str | tuple[str, ...]
"""The primary key of a row."""
Conditions = tuple[ColumnElement[bool], ...]


def time_after(seconds: float) -> ColumnElement[int]:
    """Return the database's time in `seconds` from now, in milliseconds."""
    return now_ms() + int(seconds * 1000)


@dataclass(frozen=True)
class LeaseTable:
    """The leases on the rows of a table that has the column `lease_until`.

    Args:
        row: the mapped class.
        fence: the column that a claim changes: the number of the attempt, or a token.
        is_open: the conditions under which a holder may write a row.

    """

    row: Any
    fence: InstrumentedAttribute[Any]
    is_open: Conditions

    def unheld(self) -> Conditions:
        """Return the conditions of an open row with no lease, or an expired one."""
        until = self.row.lease_until
        return (*self.is_open, or_(until.is_(None), until < now_ms()))

    def claim(
        self,
        session: Session,
        identity: Identity,
        seconds: float,
        where: Sequence[ColumnElement[bool]],
        **values: Any,
    ) -> Any | None:
        """Claim the row if it fulfils `where`. Return its new fence, else None.

        The new fence is the next number, unless `values` contains a token.
        """
        values = {"lease_until": time_after(seconds), **values}
        if self.fence.key not in values:
            values[self.fence.key] = self.fence + 1
        claimed = update(self.row).where(*self._is(identity), *where).values(**values)
        return session.scalar(claimed.returning(self.fence))

    def update(
        self, session: Session, identity: Identity, fence: Any, **values: Any
    ) -> bool:
        """Change columns of the row. Return False if `fence` no longer holds the row."""
        changed = update(self.row).where(*self.held(identity, fence)).values(**values)
        return bool(session.execute(changed.returning(self.fence)).all())

    def renew(
        self,
        session: Session,
        identity: Identity,
        fence: Any,
        seconds: float,
        **values: Any,
    ) -> bool:
        """Extend the lease, and change columns. Return False if the lease is lost."""
        until = time_after(seconds)
        return self.update(session, identity, fence, lease_until=until, **values)

    def take_unsent(
        self,
        session: Session,
        older_than_seconds: float,
        where: Sequence[ColumnElement[bool]],
    ) -> list[str]:
        """Mark rows as sent if their message is missing or too old. Return their ids.

        Rows that another transaction has locked are skipped.
        """
        row = self.row
        is_due = or_(row.sent_at.is_(None), row.sent_at < time_after(-older_than_seconds))
        due = select(row.id).where(*where, is_due).with_for_update(skip_locked=True)
        sent = update(row).where(row.id.in_(due)).values(sent_at=now_ms())
        return list(session.scalars(sent.returning(row.id)))

    def mark_unsent(self, session: Session, ids: Collection[str]) -> None:
        """Let the next `take_unsent` return rows whose messages could not be sent.

        Rows that another transaction has locked are skipped: they become due later.
        """
        row = self.row
        given = select(row.id).where(is_one_of(session, row.id, ids))
        unlocked = given.with_for_update(skip_locked=True)
        session.execute(update(row).where(row.id.in_(unlocked)).values(sent_at=None))

    def held(self, identity: Identity, fence: Any) -> Conditions:
        """Return the conditions of an open row that `fence` holds."""
        return (*self._is(identity), self.fence == fence, *self.is_open)

    def find_unheld(self, session: Session, identity: Identity) -> Any | None:
        """Return the fence of the row if it is open and nobody holds it, else None."""
        return session.scalar(
            select(self.fence).where(*self._is(identity), *self.unheld())
        )

    def _is(self, identity: Identity) -> list[ColumnElement[bool]]:
        values = (identity,) if isinstance(identity, str) else identity
        names = [column.key for column in inspect(self.row).primary_key]
        pairs = zip(names, values, strict=True)
        return [getattr(self.row, name) == value for name, value in pairs]
