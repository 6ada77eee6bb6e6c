"""The options of a run's report."""

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
    """Optional measurements after the fit; docs/report.md explains them."""

    baselines: Baselines = True
    """Simple models to compare with: `true` for all, `false` for none, or a list."""
    importance: bool = True
    """Whether to measure how much the loss grows when a feature is shuffled."""
    time_limit_seconds: float | None = Field(default=None, gt=0, le=3_600)
    """Time limit for the baselines, in seconds. The service may set a shorter one."""
