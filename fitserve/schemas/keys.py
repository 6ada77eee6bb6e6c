"""API keys on the wire."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fitserve.names import DEFAULT_WORKSPACE, Name
from fitserve.scopes import USERS, Scope


class KeyLimits(BaseModel):
    """How much a key may ask for; null is what the service's settings say, 0 no limit."""

    model_config = ConfigDict(
        extra="forbid", strict=True, use_attribute_docstrings=True
    )  # strict: `true` is no number

    requests_per_second: float | None = Field(default=None, ge=0, le=1e6)
    """By each API process; a second's worth may come at once."""
    queued_runs: int | None = Field(default=None, ge=0)
    """Runs that may wait in the key's workspace when it adds one."""
    stored_bytes: int | None = Field(default=None, ge=0)
    """Bytes of uploads and artifacts that the key may fill its workspace to."""


class KeyCreate(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Name
    """What it is for, to be recognized in a list."""
    workspace: Name = DEFAULT_WORKSPACE
    """Whose datasets, runs and models it sees."""
    scopes: list[Scope] = Field(default=list(USERS), min_length=1)
    """What it may do; all but `metrics:read` and `admin` unless given."""
    expires_in_days: float | None = Field(default=None, gt=0, le=36_500, strict=True)
    """It never ends unless given."""
    limits: KeyLimits = KeyLimits()

    @field_validator("scopes")
    @classmethod
    def _once(cls, scopes: list[Scope]) -> list[Scope]:
        return list(dict.fromkeys(scopes))


class KeyRead(BaseModel):
    """A key; its secret is told once, when it is made."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    workspace: str
    scopes: list[Scope]
    last_four: str
    limits: KeyLimits
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute or so.")


class KeyCreated(KeyRead):
    """A key that was made just now."""

    key: str = Field(description="The key itself; it cannot be shown again.")


class KeyCurrent(BaseModel):
    """The request's own key; without one, what a program of this machine may do."""

    id: str | None = Field(description="Null for the operator's key, and without any.")
    name: str | None
    workspace: str
    scopes: list[Scope]
    expires_at: datetime | None
