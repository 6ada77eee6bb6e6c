"""Describe who pointed an alias at another version, or let it serve, and why."""

from dataclasses import dataclass
from typing import ClassVar, Self

from core.keys.caller import Caller


@dataclass(frozen=True)
class Cause:
    """The author of a change of an alias or of the serving version, and the reason.

    Args:
        who: the caller or the run that made the change.
        why: the reason, as a text.
        undoes: the number of the change that this one undoes.

    """

    BY_REQUEST: ClassVar = "set by request"

    who: str
    why: str
    undoes: int | None = None

    @classmethod
    def request(cls, caller: Caller, reason: str | None) -> Self:
        """Return the cause of a change that a request asks for."""
        return cls(name_of(caller), reason or cls.BY_REQUEST)

    @classmethod
    def run(cls, run_id: str, why: str) -> Self:
        """Return the cause of a change at the end of a run."""
        return cls(f"run {run_id}", why)


def name_of(caller: Caller) -> str:
    """Return the name of a caller, for the history of a model."""
    if caller.key_id is not None:
        return f"key {caller.key_id}"
    return "the operator's key" if caller.is_known else "a local program"
