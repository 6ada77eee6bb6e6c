"""The Python client."""

from fitserve.client.client import Client
from fitserve.client.errors import ApiError, ConnectionFailed, FitserveError, RunFailed

__all__ = ["ApiError", "Client", "ConnectionFailed", "FitserveError", "RunFailed"]
