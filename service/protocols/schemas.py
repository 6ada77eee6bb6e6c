"""The body of a failure that several protocols have in common, for the OpenAPI page."""

from typing import Any

from pydantic import BaseModel


class ErrorText(BaseModel):
    """A sentence."""

    error: str


FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorText},
    "5XX": {"model": ErrorText},
}
