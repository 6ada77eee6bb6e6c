"""The schema of a page of a list."""

from typing import Generic, TypeVar

from pydantic import BaseModel

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of a list; `next_cursor` requests the next page, and is null on the last."""

    items: list[Item]
    next_cursor: str | None
