"""fitserve: upload a CSV, POST a JSON model spec, get a trained Keras network."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fitserve.client import (
        ApiError,
        BadRequest,
        Client,
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

__version__ = version("fitserve")

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
    "__version__",
]


def __getattr__(name: str) -> Any:
    """The client's names, imported when asked for: the service has no use for them."""
    if name in __all__:
        return getattr(import_module("fitserve.client"), name)
    raise AttributeError(f"module 'fitserve' has no attribute {name!r}")
