"""Describe the failures of protocols on the OpenAPI page."""

from typing import Any

from pydantic import BaseModel


class ErrorText(BaseModel):
    """A sentence."""

    error: str


def failures_as(schema: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of routes whose failures have this body."""
    return {"4XX": {"model": schema}, "5XX": {"model": schema}}


FAILURES = failures_as(ErrorText)
