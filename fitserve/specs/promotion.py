"""The promotion of the version of a run: what it replaces, and on which condition."""

from typing import Annotated, Literal

from pydantic import Field

from fitserve.names import Name
from fitserve.specs.closed import Closed

Text = Annotated[str, Field(max_length=100)]


class PromotionSpec(Closed):
    """Whether the version of a run is promoted when the run ends."""

    alias: Name | None = None
    """Alias to move. Default: the serving version moves, which answers requests that name
    neither a version nor an alias. With an alias, the serving version follows the rule
    for a spec without `promotion`."""
    when: (
        Literal["always", "never"]
        | Annotated[dict[Text, Text], Field(min_length=1, max_length=20)]
    ) = "always"
    """When to move it: `always`, `never`, or if conditions on metrics on held-out rows
    are met, such as `{"roc_auc": ">= current"}`."""
    allow_new_contract: bool = False
    """Whether to move it even if requests that the present version accepts would be
    refused, or get other answers."""
