"""The Python client."""

from fitserve.client import errors, problem_errors
from fitserve.client.client import AsyncClient, Client
from fitserve.client.errors import *  # noqa: F403
from fitserve.client.problem_errors import *  # noqa: F403

__all__ = ["AsyncClient", "Client"]
__all__ += errors.__all__
__all__ += problem_errors.__all__
