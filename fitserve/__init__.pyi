from fitserve.client.client import AsyncClient as AsyncClient
from fitserve.client.client import Client as Client
from fitserve.client.errors import *  # noqa: F403
from fitserve.client.problem_errors import *  # noqa: F403

__version__: str
