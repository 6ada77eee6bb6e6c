"""How much a caller's workspace may hold."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.datasets.repository import DatasetRepository
from core.errors import QuotaExceeded, TooManyRuns
from core.keys.caller import Caller
from core.models.repository import ModelRepository
from core.runs.maintenance import RunMaintenance
from core.runs.repository import RunRepository


def free_bytes(session: Session, caller: Caller) -> int | None:
    """Bytes that the caller may still store; None if nothing limits them."""
    if caller.stored_bytes is None:
        return None
    uploads = DatasetRepository(session, caller.workspace).stored_bytes()
    artifacts = ModelRepository(session, caller.workspace).stored_bytes()
    return caller.stored_bytes - uploads - artifacts


def refuse_over_quota(session: Session, caller: Caller, num_bytes: int = 1) -> None:
    """QuotaExceeded if so many bytes more are too many.

    What another transaction stores in the workspace is waited for, and counted.
    """
    if caller.stored_bytes is not None:
        _count_alone(session, caller)
    free = free_bytes(session, caller)
    if free is not None and num_bytes > free:
        raise over_quota(caller)


def over_quota(caller: Caller) -> QuotaExceeded:
    """Return the error of a workspace that is full."""
    return QuotaExceeded(
        f"The workspace {caller.workspace!r} would hold more than the "
        f"{caller.stored_bytes or 0:,} bytes that this key may fill; delete datasets, "
        "or ask the operator for a larger limit."
    )


def refuse_too_many_runs(session: Session, caller: Caller, most: int) -> None:
    """TooManyRuns if the caller's workspace, or the service (`most`), has enough."""
    if RunMaintenance(session).count_queued() >= most:
        raise TooManyRuns(f"{most:,} runs wait already; try again later.")
    mine = caller.queued_runs
    if mine is None:
        return
    _count_alone(session, caller)
    if RunRepository(session, caller.workspace).count_queued() >= mine:
        raise TooManyRuns(
            f"{mine:,} runs wait in the workspace {caller.workspace!r} already, the "
            "most that this key may fill it to; try again when one has begun."
        )


def _count_alone(session: Session, caller: Caller) -> None:
    """Others that fill the workspace under a limit wait until this transaction ends."""
    _take_turn(session, f"quota of {caller.workspace}")


def _take_turn(session: Session, what: str) -> None:
    """Wait until no other transaction holds `what`; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        key = func.hashtextextended(what, 0)
        session.execute(select(func.pg_advisory_xact_lock(key)))
