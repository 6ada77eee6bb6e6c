"""What a run says while it is trained."""

from pydantic import BaseModel

from fitserve.schemas.runs import RunRead


class EpochEvent(BaseModel):
    """An epoch that has ended; `eta_seconds` is the time to the last one.

    `fit` tells which fit it is of, from 1, in a run of several seeds.
    """

    epoch: int
    epochs: int
    fit: int | None = None
    metrics: dict[str, float | None]
    eta_seconds: float | None


Event = EpochEvent | RunRead
"""An epoch, or the run as it stands when its status has changed."""
