"""Check the limits of a caller's workspace."""

from sqlalchemy.orm import Session

from core.database.named_locks import take_lock
from core.datasets.repository import DatasetRepository
from core.errors import QuotaExceeded, TooManyRuns
from core.keys.caller import Caller
from core.models.repository import ModelRepository
from core.runs.maintenance import RunMaintenance
from core.runs.repository import RunRepository


def free_bytes(session: Session, caller: Caller) -> int | None:
    """Return the bytes that the caller may still store; None if there is no limit."""
    if caller.stored_bytes is None:
        return None
    uploads = DatasetRepository(session, caller.workspace).stored_bytes()
    artifacts = ModelRepository(session, caller.workspace).stored_bytes()
    return caller.stored_bytes - uploads - artifacts


def refuse_over_quota(session: Session, caller: Caller, num_bytes: int = 1) -> None:
    """Raise QuotaExceeded if the caller may not store `num_bytes` more.

    The check waits for other transactions that store in the workspace.
    """
    if caller.stored_bytes is not None:
        _count_alone(session, caller)
    free = free_bytes(session, caller)
    if free is not None and num_bytes > free:
        raise over_quota(caller)


def over_quota(caller: Caller) -> QuotaExceeded:
    """Return the error for a full workspace."""
    return QuotaExceeded(
        f"The workspace {caller.workspace!r} would exceed the limit of this key, "
        f"{caller.stored_bytes or 0:,} bytes. Delete datasets, or ask the operator for "
        "a larger limit."
    )


def refuse_too_many_runs(session: Session, caller: Caller, most: int) -> None:
    """Raise TooManyRuns if the workspace or the service (`most`) may queue no more."""
    if RunMaintenance(session).count_queued() >= most:
        raise TooManyRuns(f"{most:,} runs are queued, the most allowed. Retry later.")
    mine = caller.queued_runs
    if mine is None:
        return
    _count_alone(session, caller)
    if RunRepository(session, caller.workspace).count_queued() >= mine:
        raise TooManyRuns(
            f"{mine:,} runs are queued in the workspace {caller.workspace!r}, the most "
            "that this key allows. Retry after one of them has started."
        )


def _count_alone(session: Session, caller: Caller) -> None:
    """Lock the quota of the workspace until this transaction ends."""
    take_lock(session, f"quota of {caller.workspace}")
