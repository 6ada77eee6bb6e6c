"""Schemas of webhooks."""

from datetime import datetime

from pydantic import BaseModel, Field

from fitserve.enums import RunStatus, StopReason, WebhookStatus


class WebhookRead(BaseModel):
    """Delivery state of a run's webhook."""

    run_id: str
    url: str
    status: WebhookStatus
    signed: bool | None = Field(
        None,
        description="Whether the message is signed; null if it was created by an earlier "
        "release and its secret is deleted.",
    )
    attempts: int = Field(
        description="Attempts since the webhook was created, replaced or sent again."
    )
    attempted_at: datetime | None
    next_attempt_at: datetime | None = Field(
        description="Time of the next attempt; null before the first and after the last."
    )
    last_status: int | None = Field(description="HTTP status of the last answer, if any.")
    last_error: str | None
    model_name: str | None = Field(None, description="Name of the model of the run.")
    run_status: RunStatus | None = None


class RunEnded(BaseModel):
    """The run that ended; `/v1/runs/{run_id}` has all its fields."""

    run_id: str
    status: RunStatus
    stop_reason: StopReason | None
    model_name: str
    model_version: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class WebhookMessage(BaseModel):
    """The body of the webhook's request, identical at every attempt."""

    type: str = Field(description="`run.succeeded`, `run.failed` or `run.cancelled`.")
    timestamp: datetime = Field(description="Time at which the run ended.")
    data: RunEnded
