"""`client.models`."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fitserve.client.blocking import Blocking, iterating, returning
from fitserve.client.files import predict_file
from fitserve.client.predicting import Prediction
from fitserve.client.transport import Resource, url_path
from fitserve.schemas.models import ModelRead, VersionRead, WeightsRead
from fitserve.schemas.predict import PredictResponse
from fitserve.schemas.report import ReportRead


class AsyncModels(Resource):
    """Trained networks, their versions and aliases."""

    def list(self) -> AsyncIterator[ModelRead]:
        """List every model, by name."""
        return self._transport.pages(ModelRead, "models")

    async def get(self, name: str) -> ModelRead:
        """Return one model."""
        return await self._transport.get(ModelRead, "models", name)

    def versions(self, name: str) -> AsyncIterator[VersionRead]:
        """List every version of a model, newest first."""
        return self._transport.pages(VersionRead, "models", name, "versions")

    async def version(self, name: str, number: int) -> VersionRead:
        """Return one version."""
        return await self._transport.get(VersionRead, "models", name, "versions", number)

    async def delete_version(self, name: str, number: int) -> None:
        """Delete a version and its files; VersionInUse while an alias points at it."""
        path = url_path("models", name, "versions", number)
        await self._transport.request("DELETE", path)

    async def delete(self, name: str) -> None:
        """Delete a model with all its versions; VersionInUse while it has an alias."""
        await self._transport.request("DELETE", url_path("models", name))

    async def weights(self, name: str, number: int) -> WeightsRead:
        """Return weights and biases by layer."""
        return await self._transport.get(
            WeightsRead, "models", name, "versions", number, "weights"
        )

    async def report(self, name: str, number: int) -> ReportRead:
        """Return the report of the run that made the version."""
        return await self._transport.get(
            ReportRead, "models", name, "versions", number, "report"
        )

    async def download(
        self,
        name: str,
        number: int | None = None,
        artifact: str = "model.keras",
        to_path: str | Path | None = None,
    ) -> Path:
        """Save `model.keras`, `model.onnx`, `weights.npz` or `signature.json`.

        The default version is the newest, the default path the artifact's name.
        """
        if number is None:
            number = (await self.get(name)).latest_version
        path = url_path("models", name, "versions", number, "artifacts", artifact)
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
        """Predict rows, in their order; by default with the newest version.

        Args:
            name: the model.
            instances: rows as dicts or lists, one dict, an array `[rows, columns]`, or
                a DataFrame of pandas or polars. Many rows are sent in several requests,
                and one version answers all of them.
            version: its number.
            alias: an alias that points at the version.
            strict: whether a warning about any row refuses all: InvalidInstances names
                the row, the column and the warning.

        """
        prediction = Prediction(self._transport, name, version, alias, strict=strict)
        return await prediction.ask_rows(instances)

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
        """Predict the rows of a CSV, gzipped or not; the service reads it like an upload.

        The file's bytes are sent unchanged, those of a large file in parts, and one
        version answers all of them. `parsing` takes the place of what the service would
        detect: delimiter, header, encoding, decimal, null_values. The answer's `parsing`
        has the layout that was used; lines without any cell are not rows. Version, alias
        and strict are those of `predict`.
        """
        prediction = Prediction(self._transport, name, version, alias, strict=strict)
        return await predict_file(prediction, path, parsing)


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
