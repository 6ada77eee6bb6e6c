"""The pointer that the version of a run moves, and the condition."""

from typing import Annotated, Literal

from pydantic import Field

from fitserve.names import Name
from fitserve.specs.closed import Closed

Text = Annotated[str, Field(max_length=100)]


class PromotionSpec(Closed):
    """Whether the version of a run is promoted when the run ends."""

    alias: Name | None = None
    """Alias to move. Default: what serves if a request names neither a version nor an
    alias. With an alias, the serving version moves as without `promotion`."""
    when: (
        Literal["always", "never"]
        | Annotated[dict[Text, Text], Field(min_length=1, max_length=20)]
    ) = "always"
    """When to move it: `always`, `never`, or conditions on metrics on held-out rows, such
    as `{"roc_auc": ">= current"}`."""
    allow_new_contract: bool = False
    """Whether to move it even if requests that the present version accepts would be
    refused, or get other answers."""
