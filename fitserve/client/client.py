"""The clients: `Client().datasets`, `.runs`, `.models`, and the same to be awaited."""

from pathlib import Path
from typing import Any, Self

from fitserve.client.blocking import run
from fitserve.client.connections import AsyncConnection, BlockingConnection
from fitserve.client.datasets import AsyncDatasets, Datasets
from fitserve.client.models import AsyncModels, Models
from fitserve.client.runs import AsyncRuns, Runs
from fitserve.client.transport import RETRY_SECONDS, Transport, url_path
from fitserve.schemas.predict import PredictResponse


class Client:
    """The service, from Python.

    Args:
        base_url: where it is; FITSERVE_URL or http://127.0.0.1:8000 unless given.
        api_key: FITSERVE_API_KEY unless given.
        timeout: seconds that one answer may take.
        retry_seconds: how long one call waits, over all its pauses, to be sent again
            to a service that is busy or away; 0 sends everything once.

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
        self._transport = Transport(
            BlockingConnection, base_url, api_key, timeout, retry_seconds
        )
        self.base_url = self._transport.base_url
        self.datasets = Datasets(AsyncDatasets(self._transport))
        self.runs = Runs(AsyncRuns(self._transport))
        self.models = Models(AsyncModels(self._transport))

    def predict(
        self,
        name: str,
        instances: Any,
        version: int | None = None,
        alias: str | None = None,
        *,
        strict: bool = False,
    ) -> PredictResponse:
        """Short for `models.predict`."""
        return self.models.predict(name, instances, version, alias, strict=strict)

    def predict_file(
        self,
        /,
        name: str,
        path: str | Path,
        version: int | None = None,
        alias: str | None = None,
        strict: bool = False,
        **parsing: Any,
    ) -> PredictResponse:
        """Short for `models.predict_file`."""
        return self.models.predict_file(name, path, version, alias, strict, **parsing)

    def openapi(self, model: str | None = None) -> dict[str, Any]:
        """The service's OpenAPI document, or the one of a model's own endpoint."""
        return run(_openapi(self._transport, model))

    def close(self) -> None:
        """Close every connection."""
        run(self._transport.connection.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient:
    """The same, to be awaited in an event loop; lists and streams by `async for`.

    Example:
        >>> async with AsyncClient() as client:                       # doctest: +SKIP
        ...     run = await client.runs.create(dataset="wine", target="quality")
        ...     async for event in client.runs.stream(run.id):
        ...         print(event)
        ...     await client.predict(run.model_name, [{"alcohol": 9.4, "pH": 3.5}])

    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 30.0,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._transport = Transport(
            AsyncConnection, base_url, api_key, timeout, retry_seconds
        )
        self.base_url = self._transport.base_url
        self.datasets = AsyncDatasets(self._transport)
        self.runs = AsyncRuns(self._transport)
        self.models = AsyncModels(self._transport)

    async def predict(
        self,
        name: str,
        instances: Any,
        version: int | None = None,
        alias: str | None = None,
        *,
        strict: bool = False,
    ) -> PredictResponse:
        """Short for `models.predict`."""
        return await self.models.predict(name, instances, version, alias, strict=strict)

    async def predict_file(
        self,
        /,
        name: str,
        path: str | Path,
        version: int | None = None,
        alias: str | None = None,
        strict: bool = False,
        **parsing: Any,
    ) -> PredictResponse:
        """Short for `models.predict_file`."""
        return await self.models.predict_file(
            name, path, version, alias, strict, **parsing
        )

    async def openapi(self, model: str | None = None) -> dict[str, Any]:
        """The service's OpenAPI document, or the one of a model's own endpoint."""
        return await _openapi(self._transport, model)

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _openapi(transport: Transport, model: str | None) -> dict[str, Any]:
    path = url_path("models", model, "openapi.json") if model else "/openapi.json"
    answer = await transport.request("GET", path)
    found: dict[str, Any] = answer.json()
    return found
