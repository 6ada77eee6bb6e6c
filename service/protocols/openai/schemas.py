"""Pages, errors and times in OpenAI's format."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from service.protocols.schemas import failures_as

After = Annotated[
    str | None,
    Query(max_length=200, description="`id` of the last item of the previous page."),
]


class Identified(BaseModel):
    """An item of a page."""

    id: str


Item = TypeVar("Item", bound=Identified)


class Listing(BaseModel, Generic[Item]):
    """A page; if `has_more`, request the next page with `after` = `last_id`."""

    object: Literal["list"] = "list"
    data: list[Item]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, found: Sequence[Item], limit: int) -> "Listing[Item]":
        """Return a page of the first `limit` items; one more shows that more follow."""
        data = list(found[:limit])
        return cls(
            data=data,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            has_more=len(found) > limit,
        )


class ErrorBody(BaseModel):
    """An error, and its place in the body."""

    message: str
    type: str
    param: str | None = Field(description="JSON Pointer into the body.")
    code: str = Field(description="Problem type, see docs/problems.md.")


class ErrorRead(BaseModel):
    """The body of every error."""

    error: ErrorBody


FAILURES = failures_as(ErrorRead)


def seconds(time: datetime) -> int:
    """Return the seconds since 1970."""
    return int(time.timestamp())
