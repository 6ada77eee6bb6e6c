"""`client.models`."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fitserve.client.blocking import Blocking, iterating, returning
from fitserve.client.files import predict_file
from fitserve.client.predicting import predict
from fitserve.client.transport import Transport, url_path
from fitserve.schemas.models import ModelRead, VersionRead, WeightsRead
from fitserve.schemas.predict import PredictResponse
from fitserve.schemas.report import ReportRead


class AsyncModels:
    """Trained networks, their versions and aliases."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> AsyncIterator[ModelRead]:
        """Every model, by name."""
        return self._transport.pages(ModelRead, "/v1/models", {})

    async def get(self, name: str) -> ModelRead:
        """One model."""
        return await self._transport.read(ModelRead, "GET", url_path("models", name))

    def versions(self, name: str) -> AsyncIterator[VersionRead]:
        """Every version of a model, newest first."""
        return self._transport.pages(
            VersionRead, url_path("models", name, "versions"), {}
        )

    async def version(self, name: str, number: int) -> VersionRead:
        """One version."""
        path = url_path("models", name, "versions", str(number))
        return await self._transport.read(VersionRead, "GET", path)

    async def delete_version(self, name: str, number: int) -> None:
        """Delete a version and its files; VersionInUse while an alias points at it."""
        path = url_path("models", name, "versions", str(number))
        await self._transport.request("DELETE", path)

    async def delete(self, name: str) -> None:
        """Delete a model with all its versions; VersionInUse while it has an alias."""
        await self._transport.request("DELETE", url_path("models", name))

    async def weights(self, name: str, number: int) -> WeightsRead:
        """Weights and biases by layer."""
        path = url_path("models", name, "versions", str(number), "weights")
        return await self._transport.read(WeightsRead, "GET", path)

    async def report(self, name: str, number: int) -> ReportRead:
        """The report of the run that made the version."""
        path = url_path("models", name, "versions", str(number), "report")
        return await self._transport.read(ReportRead, "GET", path)

    async def download(
        self,
        name: str,
        number: int | None = None,
        artifact: str = "model.keras",
        to_path: str | Path | None = None,
    ) -> Path:
        """Save `model.keras`, `model.onnx`, `weights.npz` or `signature.json`.

        Of the newest version unless told, under the artifact's own name unless told.
        """
        if number is None:
            number = (await self.get(name)).latest_version
        path = url_path("models", name, "versions", str(number), "artifacts", artifact)
        return await self._transport.download(path, Path(to_path or Path(artifact).name))

    async def set_alias(
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
        return await self._transport.read(VersionRead, "PUT", path, json=body, again=True)

    async def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        path = url_path("models", name, "aliases", alias)
        await self._transport.request("DELETE", path)

    async def predict(
        self,
        name: str,
        instances: Any,
        version: int | None = None,
        alias: str | None = None,
        *,
        strict: bool = False,
    ) -> PredictResponse:
        """Predictions for rows, in their order, by the newest version unless told.

        Args:
            name: the model.
            instances: rows as dicts or lists, one dict, an array `[rows, columns]`, or
                a DataFrame of pandas or polars. Many rows are sent in several requests,
                all of them answered by one version.
            version: its number.
            alias: the version that an alias points at.
            strict: whether warnings about the rows refuse them all: InvalidInstances
                names the row, the column and the warning.

        """
        return await predict(
            self._transport, name, instances, version, alias, strict=strict
        )

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
        """Predictions for the rows of a CSV, gzipped or not, read as its upload would be.

        The file's bytes are sent as they are, those of a large file in parts, all of
        them answered by one version. `parsing` may overrule what the service would find
        out by itself: delimiter, header, encoding, decimal, null_values. The `parsing`
        of the answer tells how the file was understood; lines without any cell are no
        rows. Version, alias and strict are those of `predict`.
        """
        which = {"model": name, "version": version, "alias": alias}
        return await predict_file(self._transport, which, path, parsing, strict=strict)


class Models(Blocking):
    """Trained networks, their versions and aliases."""

    list = iterating(AsyncModels.list)
    get = returning(AsyncModels.get)
    versions = iterating(AsyncModels.versions)
    version = returning(AsyncModels.version)
    delete_version = returning(AsyncModels.delete_version)
    delete = returning(AsyncModels.delete)
    weights = returning(AsyncModels.weights)
    report = returning(AsyncModels.report)
    download = returning(AsyncModels.download)
    set_alias = returning(AsyncModels.set_alias)
    delete_alias = returning(AsyncModels.delete_alias)
    predict = returning(AsyncModels.predict)
    predict_file = returning(AsyncModels.predict_file)
