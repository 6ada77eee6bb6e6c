"""`client.models`."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fitserve.client.arguments import refuse_no_model, refuse_no_rows
from fitserve.client.blocking import Blocking, iterating, returning
from fitserve.client.files import predict_file
from fitserve.client.predicting import Prediction
from fitserve.client.transport import Resource, as_mapping, url_path, without_none
from fitserve.schemas.models import ChangeRead, ModelRead, VersionRead, WeightsRead
from fitserve.schemas.predict import PredictResponse
from fitserve.schemas.report import ReportRead


class AsyncModels(Resource):
    """Calls for models: their versions, aliases, files and predictions."""

    def list(self) -> AsyncIterator[ModelRead]:
        """List all models, sorted by name."""
        return self._transport.pages(ModelRead, "models")

    async def get(self, name: str) -> ModelRead:
        """Return one model."""
        return await self._transport.get(ModelRead, "models", name)

    def versions(self, name: str) -> AsyncIterator[VersionRead]:
        """List all versions of a model, newest first."""
        return self._transport.pages(VersionRead, "models", name, "versions")

    async def version(self, name: str, number: int) -> VersionRead:
        """Return one version."""
        return await self._transport.get(VersionRead, "models", name, "versions", number)

    async def delete_version(self, name: str, number: int) -> None:
        """Delete a version; raise VersionInUse if it serves or has an alias."""
        path = url_path("models", name, "versions", number)
        await self._transport.request("DELETE", path)

    async def delete(self, name: str) -> None:
        """Delete a model with all versions; raise VersionInUse while it has an alias."""
        await self._transport.request("DELETE", url_path("models", name))

    async def weights(self, name: str, number: int) -> WeightsRead:
        """Return the weights and biases of each layer."""
        return await self._transport.get(
            WeightsRead, "models", name, "versions", number, "weights"
        )

    async def report(self, name: str, number: int) -> ReportRead:
        """Return the report of the run that trained the version."""
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
        """Download `model.keras`, `model.onnx`, `weights.npz` or `signature.json`.

        The default version is the one that serves; the default path is the artifact's
        name.
        """
        if number is None:
            number = (await self.get(name)).serving_version
        path = url_path("models", name, "versions", number, "artifacts", artifact)
        return await self._transport.download(path, Path(to_path or Path(artifact).name))

    async def promote(
        self,
        name: str,
        version: int,
        alias: str | None = None,
        require: Mapping[str, str] | None = None,
        *,
        allow_new_contract: bool = False,
        reason: str | None = None,
    ) -> VersionRead:
        """Let a version serve, or point an alias at it.

        Args:
            name: name of the model.
            version: number of the version.
            alias: alias to move. Default: the serving version moves, which answers
                requests that name neither a version nor an alias.
            require: conditions on metrics; the version is promoted only if all are true.
            allow_new_contract: whether to promote a version that breaks callers of the
                present one, which is refused with ContractBroken otherwise.
            reason: reason for the history of the model.

        Example:
            >>> client.models.promote("wine", 3, require={"roc_auc": ">= current"})
            ... # doctest: +SKIP

        """
        place = ("serving",) if alias is None else ("aliases", alias)
        required = as_mapping("require", require or {}, '{"roc_auc": ">= current"}')
        body = {
            "version": version,
            **({"require": required} if required else {}),
            **({"allow_new_contract": True} if allow_new_contract else {}),
            **({"reason": reason} if reason else {}),
        }
        return await self._transport.read(
            VersionRead, "PUT", url_path("models", name, *place), json=body, again=True
        )

    async def rollback(
        self,
        name: str,
        alias: str | None = None,
        reason: str | None = None,
        change: int | None = None,
    ) -> ChangeRead:
        """Undo the last change of an alias or, without one, of the serving version.

        Each further call undoes the change before. With `change`, only the change of
        this number is undone, so a repeated call undoes no other. Raises NothingToUndo.
        """
        path = url_path("models", name, "changes", "undo")
        body = without_none({"alias": alias, "reason": reason, "change": change})
        return await self._transport.read(ChangeRead, "POST", path, json=body)

    def changes(self, name: str, alias: str | None = None) -> AsyncIterator[ChangeRead]:
        """List the changes of the aliases and of the serving version, newest first."""
        path = ("models", name, "changes")
        return self._transport.pages(ChangeRead, *path, alias=alias)

    async def update(self, name: str, promotion: str) -> ModelRead:
        """Set whether a finished run may change the serving version by itself.

        `promotion` is `automatic` or `explicit`.
        """
        path, body = url_path("models", name), {"promotion": promotion}
        return await self._transport.read(ModelRead, "PATCH", path, json=body, again=True)

    async def set_alias(
        self,
        name: str,
        alias: str,
        version: int,
        require: Mapping[str, str] | None = None,
    ) -> VersionRead:
        """Point an alias at a version, as `promote` does.

        Example:
            >>> client.models.set_alias(
            ...     "wine", "live", 3, {"roc_auc": ">= current"}
            ... )  # doctest: +SKIP

        """
        return await self.promote(name, version, alias, require)

    async def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias."""
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
        """Predict rows, by default with the serving version; keep the order of the rows.

        Args:
            name: name of the model.
            instances: rows as dicts or lists, one dict, an array `[rows, columns]`, or
                a DataFrame of pandas or polars. Many rows are sent in several requests,
                all to the same version.
            version: number of the version.
            alias: alias of the version, instead of its number.
            strict: whether to raise InvalidInstances if any row causes a warning; the
                exception names the row, the column and the warning.

        """
        refuse_no_model(name)
        refuse_no_rows(instances)
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
        """Predict the rows of a file, which the service reads like an upload.

        A large file is sent in parts, all to one version; for Parquet and Arrow that
        needs polars, for workbooks python-calamine, for zstd backports-zstd. `parsing`
        has the options of `datasets.upload`; `types` is for columns whose cells are
        written otherwise than in training. `parsing` of the answer has the options that
        were used. Lines without any cell are not rows. `version`, `alias` and `strict`
        are as in `predict`.
        """
        refuse_no_model(name, of_file=True)
        prediction = Prediction(self._transport, name, version, alias, strict=strict)
        return await predict_file(prediction, path, parsing)


class Models(Blocking):
    """Calls for models: their versions, aliases, files and predictions."""

    list = iterating(AsyncModels.list)
    get = returning(AsyncModels.get)
    versions = iterating(AsyncModels.versions)
    version = returning(AsyncModels.version)
    delete_version = returning(AsyncModels.delete_version)
    delete = returning(AsyncModels.delete)
    weights = returning(AsyncModels.weights)
    report = returning(AsyncModels.report)
    download = returning(AsyncModels.download)
    promote = returning(AsyncModels.promote)
    rollback = returning(AsyncModels.rollback)
    changes = iterating(AsyncModels.changes)
    update = returning(AsyncModels.update)
    set_alias = returning(AsyncModels.set_alias)
    delete_alias = returning(AsyncModels.delete_alias)
    predict = returning(AsyncModels.predict)
    predict_file = returning(AsyncModels.predict_file)
