"""The webhook of a run."""

import base64
import binascii
from typing import Self, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from fitserve.names import WEBHOOK_PREFIX
from fitserve.specs.closed import Closed

Spec = TypeVar("Spec")


class WebhookSpec(Closed):
    """A URL that receives one message at the end of a run (Standard Webhooks 1.0.0)."""

    url: str = Field(min_length=1, max_length=2000)
    """https URL with a public address, to which the message is sent."""
    secret: str | None = Field(default=None, max_length=200, repr=False)
    """`whsec_` and 24 to 64 bytes in base64; signs the message. It is not shown again."""

    # a validator of the object, so that the error contains the key and not the secret
    @model_validator(mode="after")
    def _refuse_weak_secret(self) -> Self:
        return _with_strong_secret(self, self.secret)


class WebhookRetry(Closed):
    """The request to send the message of a run again."""

    secret: str | None = Field(default=None, max_length=200, repr=False)
    """The secret, which is deleted after the last attempt; null for no signature."""

    @model_validator(mode="after")
    def _refuse_weak_secret(self) -> Self:
        return _with_strong_secret(self, self.secret)


def _with_strong_secret(spec: Spec, secret: str | None) -> Spec:
    if secret is None or 24 <= _num_bytes(secret) <= 64:
        return spec
    kind = PydanticCustomError("weak_secret", "`whsec_` and 24 to 64 bytes in base64")
    line: InitErrorDetails = {"type": kind, "loc": ("secret",), "input": None}
    raise ValidationError.from_exception_data(type(spec).__name__, [line])


def _num_bytes(secret: str) -> int:
    if not secret.startswith(WEBHOOK_PREFIX):
        return 0
    try:
        return len(base64.b64decode(secret.removeprefix(WEBHOOK_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        return 0
