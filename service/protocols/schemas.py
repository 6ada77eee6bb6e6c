"""Describe the errors of protocols in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel


class ErrorText(BaseModel):
    """An error message."""

    error: str


def failures_as(schema: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of routes whose errors have this body."""
    return {"4XX": {"model": schema}, "5XX": {"model": schema}}


FAILURES = failures_as(ErrorText)
