"""Webhooks on the wire."""

from datetime import datetime

from pydantic import BaseModel, Field

from fitserve.enums import RunStatus, StopReason, WebhookStatus


class WebhookRead(BaseModel):
    """How the delivery of a run's message stands."""

    run_id: str
    url: str
    status: WebhookStatus
    attempts: int
    attempted_at: datetime | None
    next_attempt_at: datetime | None = Field(
        description="Null before the first attempt, which is made when the run ends."
    )
    last_status: int | None = Field(description="The receiver's HTTP status, if any.")
    last_error: str | None


class RunEnded(BaseModel):
    """What a receiver needs to know; all else is at `/v1/runs/{run_id}`."""

    run_id: str
    status: RunStatus
    stop_reason: StopReason | None
    model_name: str
    model_version: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class WebhookMessage(BaseModel):
    """The body that a receiver gets, the same at every attempt."""

    type: str = Field(description="`run.succeeded`, `run.failed`, `run.cancelled`.")
    timestamp: datetime = Field(description="When the run ended.")
    data: RunEnded
