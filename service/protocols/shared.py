"""Answers of paths that several protocols share, with the keys of all of them.

fitserve, KServe V1, TF Serving and OpenAI share `GET /v1/models` and `/v1/models/{name}`.
Their keys do not conflict.
"""

from typing import Literal

from pydantic import BaseModel, Field

from fitserve.schemas.models import ModelRead, VersionRead
from fitserve.schemas.pages import Page
from service.protocols.tf_serving.schemas import VersionStatus


class Card(BaseModel):
    """A model with the keys of OpenAI."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Time of creation, in seconds since 1970.")
    owned_by: str = "fitserve"


class SharedModelRead(ModelRead, Card):
    """A model, with the keys of KServe, TF Serving and OpenAI."""

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
    """A version, with the key of TF Serving."""

    model_version_status: list[VersionStatus]

    @classmethod
    def of(cls, version: VersionRead) -> "SharedVersionRead":
        """Return the version with the other protocol's key."""
        status = VersionStatus.available(version.version)
        return cls(**vars(version), model_version_status=[status])


class SharedModelPage(Page[ModelRead]):
    """A page of models; `models` is for clients of KServe, `data` for those of OpenAI."""

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
