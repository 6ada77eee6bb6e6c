"""The client: `Client().datasets`, `.runs`, `.models`."""

from typing import Any, Self

from fitserve.client.datasets import Datasets
from fitserve.client.models import Models
from fitserve.client.runs import Runs
from fitserve.client.transport import Transport
from fitserve.schemas.predict import PredictResponse


class Client:
    """The service, from Python.

    Args:
        base_url: where it is; FITSERVE_URL or http://127.0.0.1:8000 unless given.
        api_key: FITSERVE_API_KEY unless given.
        timeout: seconds that one answer may take.

    Example:
        >>> with Client() as client:                                  # doctest: +SKIP
        ...     client.datasets.upload("wine.csv")
        ...     run = client.runs.create({"dataset": "wine", "target": "quality"})
        ...     run = client.runs.wait(run.id)
        ...     client.predict(run.model_name, [{"alcohol": 9.4, "pH": 3.5}])

    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._transport = Transport(base_url, api_key, timeout)
        self.base_url = self._transport.base_url
        self.datasets = Datasets(self._transport)
        self.runs = Runs(self._transport)
        self.models = Models(self._transport)

    def predict(self, name: str, instances: Any, **options: Any) -> PredictResponse:
        """Short for `models.predict`."""
        return self.models.predict(name, instances, **options)

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
