"""Bodies of paths that several protocols ask: what all of them read, in one object.

`GET /v1/models` and `/v1/models/{name}` are ours, KServe V1's, TF Serving's and OpenAI's;
their keys do not clash.
"""

from typing import Literal

from pydantic import BaseModel, Field

from fitserve.schemas.models import ModelRead, VersionRead
from fitserve.schemas.pages import Page
from service.protocols.tf_serving.schemas import VersionStatus


class Card(BaseModel):
    """A model as OpenAI's clients read it."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Seconds since 1970.")
    owned_by: str = "fitserve"


class SharedModelRead(ModelRead, Card):
    """A model, and what KServe's, TF Serving's and OpenAI's clients read of it."""

    ready: bool
    model_version_status: list[VersionStatus]

    @classmethod
    def of(cls, model: ModelRead) -> "SharedModelRead":
        """Return the model with the other protocols' keys."""
        statuses = [VersionStatus.available(number) for number in model.versions]
        return cls(
            **vars(model), **vars(_card(model)), ready=True, model_version_status=statuses
        )


class SharedVersionRead(VersionRead):
    """A version, and what TF Serving's clients read of it."""

    model_version_status: list[VersionStatus]

    @classmethod
    def of(cls, version: VersionRead) -> "SharedVersionRead":
        """Return the version with the other protocol's key."""
        status = VersionStatus.available(version.version)
        return cls(**vars(version), model_version_status=[status])


class SharedModelPage(Page[ModelRead]):
    """A page of models; `models` is for KServe's clients, `data` for OpenAI's."""

    models: list[str]
    object: Literal["list"] = "list"
    data: list[Card]

    @classmethod
    def of(cls, items: list[ModelRead], next_cursor: str | None) -> "SharedModelPage":
        """Return the page with the other protocols' keys."""
        return cls(
            items=items,
            next_cursor=next_cursor,
            models=[model.name for model in items],
            data=[_card(model) for model in items],
        )


def _card(model: ModelRead) -> Card:
    return Card(id=model.name, created=int(model.created_at.timestamp()))
