"""What is told of a trained network, beside what every report tells."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from fitserve.specs.closed import Closed

Baseline = Literal["constant", "linear", "gradient_boosting"]
"""The mean or the majority class; a linear model; scikit-learn's HistGradientBoosting."""


def _switch_or_list(value: object) -> str:
    return "switch" if isinstance(value, bool) else "list"


Baselines = Annotated[
    Annotated[bool, Tag("switch")]
    | Annotated[list[Baseline], Field(max_length=3), Tag("list")],
    Discriminator(_switch_or_list),
]


class ReportSpec(Closed):
    """How much is measured behind the fit; docs/report.md explains each figure."""

    baselines: Baselines = True
    """Other models, trained on the same rows and scored on the same: all, none, these."""
    importance: bool = True
    """Whether each feature is shuffled to see how much worse the predictions get."""
    time_limit_seconds: float | None = Field(default=None, gt=0, le=3_600)
    """For the baselines; the service has a limit of its own."""
