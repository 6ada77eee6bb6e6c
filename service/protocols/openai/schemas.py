"""What files and jobs have in common on OpenAI's wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

After = Annotated[
    str | None,
    Query(max_length=200, description="`id` of the last item of the page before."),
]


class Identified(BaseModel):
    """What a page can hold."""

    id: str


Item = TypeVar("Item", bound=Identified)


class Listing(BaseModel, Generic[Item]):
    """A page; while `has_more`, ask again with `after` = `last_id`."""

    object: Literal["list"] = "list"
    data: list[Item]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, found: Sequence[Item], limit: int) -> "Listing[Item]":
        """The first `limit` of what was found, which was asked for one more."""
        data = list(found[:limit])
        return cls(
            data=data,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            has_more=len(found) > limit,
        )


class ErrorBody(BaseModel):
    """What went wrong, and where in the body."""

    message: str
    type: str
    param: str | None = Field(description="JSON Pointer into the body.")
    code: str = Field(description="The slug of a heading in docs/problems.md.")


class ErrorRead(BaseModel):
    """The body of every failure."""

    error: ErrorBody


FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorRead},
    "5XX": {"model": ErrorRead},
}


def seconds(time: datetime) -> int:
    """Seconds since 1970."""
    return int(time.timestamp())
