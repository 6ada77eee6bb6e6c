"""The blocking and the asynchronous client."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar

from fitserve.client.blocking import Blocking, returning
from fitserve.client.connections import BlockingConnection, Connection
from fitserve.client.datasets import AsyncDatasets, Datasets
from fitserve.client.models import AsyncModels, Models
from fitserve.client.runs import AsyncRuns, Runs
from fitserve.client.transport import RETRY_SECONDS, Transport, url_path

Result = TypeVar("Result")
P = ParamSpec("P")


def _by_models(
    call: Callable[Concatenate[Any, P], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, Result]]:
    """Return a call of `client.models` as a call of the client."""

    @wraps(call)
    async def called(
        self: "AsyncClient", /, *args: P.args, **options: P.kwargs
    ) -> Result:
        return await call(self.models, *args, **options)

    return called


class AsyncClient:
    """A client for an event loop; lists and streams are read with `async for`.

    AsyncClient has the arguments and calls of `Client`.

    Example:
        >>> async with AsyncClient() as client:                       # doctest: +SKIP
        ...     run = await client.runs.create(dataset="wine", target="quality")
        ...     async for event in client.runs.stream(run.id):
        ...         print(event)
        ...     await client.predict(run.model_name, [{"alcohol": 9.4, "pH": 3.5}])

    """

    _connection: ClassVar[type[Connection]] = Connection

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 30.0,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._transport = Transport(
            self._connection, base_url, api_key, timeout, retry_seconds
        )
        self.base_url = self._transport.base_url
        self.datasets = AsyncDatasets(self._transport)
        self.runs = AsyncRuns(self._transport)
        self.models = AsyncModels(self._transport)

    predict = _by_models(AsyncModels.predict)
    predict_file = _by_models(AsyncModels.predict_file)

    async def openapi(self, model: str | None = None) -> dict[str, Any]:
        """Return the OpenAPI document of the service, or of the endpoint of one model."""
        path = url_path("models", model, "openapi.json") if model else "/openapi.json"
        answer = await self._transport.request("GET", path)
        found: dict[str, Any] = answer.json()
        return found

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.connection.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Calls(AsyncClient):
    _connection = BlockingConnection


class Client(Blocking):
    """A client of the service.

    Args:
        base_url: URL of the service; by default FITSERVE_URL, or http://127.0.0.1:8000.
        api_key: API key to send; by default FITSERVE_API_KEY.
        timeout: maximum time to wait for an answer, in seconds.
        retry_seconds: maximum sum of the pauses of one call, which is retried if the
            service is busy or restarts; 0 disables retries.

    Example:
        >>> with Client() as client:                                  # doctest: +SKIP
        ...     client.datasets.upload("wine.csv")
        ...     run = client.runs.create(dataset="wine", target="quality")
        ...     run = client.runs.wait(run.id)
        ...     client.predict(run.model_name, [{"alcohol": 9.4, "pH": 3.5}])

    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 30.0,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        calls = _Calls(base_url, api_key, timeout, retry_seconds)
        super().__init__(calls)
        self.base_url = calls.base_url
        self.datasets = Datasets(calls.datasets)
        self.runs = Runs(calls.runs)
        self.models = Models(calls.models)

    predict = returning(AsyncClient.predict)
    predict_file = returning(AsyncClient.predict_file)
    openapi = returning(AsyncClient.openapi)
    close = returning(AsyncClient.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
