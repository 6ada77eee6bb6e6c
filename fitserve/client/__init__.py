"""The Python client."""

from fitserve.client.client import Client
from fitserve.client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    FitserveError,
    Forbidden,
    NotFound,
    RunFailed,
    ServerError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnexpectedAnswer,
    Unprocessable,
)

__all__ = [
    "ApiError",
    "BadRequest",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "FitserveError",
    "Forbidden",
    "NotFound",
    "RunFailed",
    "ServerError",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "UnexpectedAnswer",
    "Unprocessable",
]
