"""Schemas of API keys."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fitserve.names import DEFAULT_WORKSPACE, Name
from fitserve.scopes import USERS, Scope


class KeyLimits(BaseModel):
    """Limits of a key; null means the limit in the settings, 0 means no limit."""

    model_config = ConfigDict(
        extra="forbid", strict=True, use_attribute_docstrings=True
    )  # strict: `true` is not a number

    requests_per_second: float | None = Field(default=None, ge=0, le=1e6)
    """Requests per second to each API process; this many may also arrive at once."""
    queued_runs: int | None = Field(default=None, ge=0)
    """Maximum number of queued runs in the key's workspace."""
    stored_bytes: int | None = Field(default=None, ge=0)
    """Maximum size of all uploads and artifacts in the key's workspace, in bytes."""


class KeyCreate(BaseModel):
    """The request to create a key."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: Name
    """Purpose of the key, shown in lists."""
    workspace: Name = DEFAULT_WORKSPACE
    """Workspace whose datasets, runs and models the key can use."""
    scopes: list[Scope] = Field(default=list(USERS), min_length=1)
    """Permissions of the key. Default: all scopes except `metrics:read` and `admin`."""
    expires_in_days: float | None = Field(default=None, gt=0, le=36_500, strict=True)
    """Days until the key expires. By default the key does not expire."""
    limits: KeyLimits = KeyLimits()

    @field_validator("scopes")
    @classmethod
    def _once(cls, scopes: list[Scope]) -> list[Scope]:
        return list(dict.fromkeys(scopes))


class KeyRead(BaseModel):
    """A key, without the secret, which is returned only when the key is created."""

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
    last_used_at: datetime | None = Field(description="Exact to about a minute.")


class KeyCreated(KeyRead):
    """A new key with its secret."""

    key: str = Field(description="The secret to send; it cannot be shown again.")


class KeyCurrent(BaseModel):
    """The key of this request; without a key, the permissions of a local program."""

    id: str | None = Field(description="Null for `FITSERVE_API_KEY` and without a key.")
    name: str | None
    workspace: str
    scopes: list[Scope]
    expires_at: datetime | None
