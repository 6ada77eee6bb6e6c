"""Cursor pages."""

from typing import Generic, TypeVar

from pydantic import BaseModel

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Items in order, newest first, and the cursor of what follows (null at the end)."""

    items: list[Item]
    next_cursor: str | None
