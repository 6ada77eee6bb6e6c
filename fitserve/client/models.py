"""`client.models`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fitserve.client.transport import Transport, url_path
from fitserve.schemas.models import ModelRead, VersionRead, WeightsRead
from fitserve.schemas.predict import PredictResponse
from fitserve.schemas.report import ReportRead


class Models:
    """Trained networks, their versions and aliases."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[ModelRead]:
        """Every model, by name."""
        return self._transport.pages(ModelRead, "/v1/models", {})

    def get(self, name: str) -> ModelRead:
        """One model."""
        return self._transport.read(ModelRead, "GET", url_path("models", name))

    def versions(self, name: str) -> Iterator[VersionRead]:
        """Every version of a model, newest first."""
        return self._transport.pages(
            VersionRead, url_path("models", name, "versions"), {}
        )

    def version(self, name: str, number: int) -> VersionRead:
        """One version."""
        path = url_path("models", name, "versions", str(number))
        return self._transport.read(VersionRead, "GET", path)

    def weights(self, name: str, number: int) -> WeightsRead:
        """Weights and biases by layer."""
        path = url_path("models", name, "versions", str(number), "weights")
        return self._transport.read(WeightsRead, "GET", path)

    def report(self, name: str, number: int) -> ReportRead:
        """The report of the run that made the version."""
        path = url_path("models", name, "versions", str(number), "report")
        return self._transport.read(ReportRead, "GET", path)

    def download(
        self, name: str, number: int, artifact: str, to_path: str | Path
    ) -> Path:
        """Save `model.keras`, `model.onnx`, `weights.npz` or `signature.json`."""
        path = url_path("models", name, "versions", str(number), "artifacts", artifact)
        return self._transport.download(path, Path(to_path))

    def set_alias(
        self,
        name: str,
        alias: str,
        version: int,
        require: Mapping[str, str] | None = None,
    ) -> VersionRead:
        """Point an alias at a version; with `require`, only if figures hold.

        Example:
            >>> client.models.set_alias(
            ...     "wine", "live", 3, {"roc_auc": ">= current"}
            ... )  # doctest: +SKIP

        """
        path = url_path("models", name, "aliases", alias)
        body = {"version": version, **({"require": dict(require)} if require else {})}
        return self._transport.read(VersionRead, "PUT", path, json=body)

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        self._transport.request("DELETE", url_path("models", name, "aliases", alias))

    def predict(
        self,
        name: str,
        instances: Sequence[dict[str, Any] | Sequence[Any]],
        version: int | None = None,
        alias: str | None = None,
    ) -> PredictResponse:
        """Predictions for rows, by the newest version unless told."""
        body: dict[str, Any] = {"model": name, "instances": list(instances)}
        body.update({"version": version} if version is not None else {})
        body.update({"alias": alias} if alias is not None else {})
        return self._transport.read(PredictResponse, "POST", "/v1/predict", json=body)
