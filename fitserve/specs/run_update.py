"""The body of `PATCH /v1/runs/{run_id}`."""

from typing import Annotated

from pydantic import Field

from fitserve.names import Name
from fitserve.specs.closed import Closed
from fitserve.specs.run import MOST_TAGS, Tag

Notes = Annotated[str, Field(max_length=10_000)]


class RunUpdate(Closed):
    """Changes of a run's tags and notes. A key that is left out changes nothing."""

    tags: dict[Name, Tag | None] = Field(default={}, max_length=MOST_TAGS)
    """Tags to add or to replace; null removes a tag."""
    notes: Notes | None = None
    """Text about the run, which replaces the stored text; null or an empty text removes
    it."""
