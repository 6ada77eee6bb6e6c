"""The one way to a prediction; every route and protocol goes through it."""

from typing import Any

import numpy as np
from anyio import to_thread
from numpy.typing import NDArray

from core.database.sessions import Database
from core.errors import InvalidInstances, TooLarge
from core.models.signature import Signature
from core.settings import Settings
from core.storage import Storage
from fitserve.statuses import Task
from service.predictor.directory import Directory, Served, Wanted
from service.predictor.sessions import SessionCache
from service.predictor.values import Column

_INLINE_ROWS = 64
"""Batches up to this size are answered on the event loop: a thread would cost more."""


class Predictor:
    """Finds versions, keeps them loaded, runs them."""

    def __init__(self, database: Database, storage: Storage, settings: Settings) -> None:
        self.directory = Directory(database, settings.alias_refresh_seconds)
        self._sessions = SessionCache(storage, settings.predict_cache_bytes)
        self._max_rows = settings.limits.max_predict_rows

    async def predict(self, wanted: Wanted, body: dict[str, Any]) -> dict[str, Any]:
        """Answer `instances`, or `columns` and `data`, with a PredictResponse as a dict.

        Raises ModelNotFound and the like, InvalidInstances, TooLarge, ArtifactDamaged.
        """
        rows = _rows(body, self._max_rows)
        served = self.directory.peek(wanted)
        if served and len(rows) <= _INLINE_ROWS and self._is_loaded(served):
            return self._answer(served, body)
        return await to_thread.run_sync(self._look_up_and_answer, wanted, body)

    def run(self, served: Served, columns: dict[str, Column]) -> NDArray[np.float32]:
        """The network's output for raw columns: `[N, 1]` or `[N, classes]`."""
        session = self._sessions.peek(served.file.version_id)
        if session is None:
            session = self._sessions.get(served.file)
        output: NDArray[np.float32] = session.run(None, columns)[0]
        return output

    def _is_loaded(self, served: Served) -> bool:
        return self._sessions.peek(served.file.version_id) is not None

    def _look_up_and_answer(self, wanted: Wanted, body: dict[str, Any]) -> dict[str, Any]:
        return self._answer(self.directory.get(wanted), body)

    def _answer(self, served: Served, body: dict[str, Any]) -> dict[str, Any]:
        if "instances" in body:
            columns, warnings = served.columns.of_instances(body["instances"])
        else:
            columns, warnings = served.columns.of_table(body["columns"], body["data"])
        answer: dict[str, Any] = {
            "model_name": served.model_name,
            "model_version": served.number,
        }
        answer.update(_predictions(self.run(served, columns), served.signature))
        if warnings:
            answer["warnings"] = warnings
        return answer


def _rows(body: dict[str, Any], most: int) -> list[Any]:
    """The rows of a body that has the right form."""
    tabular = "columns" in body or "data" in body
    if ("instances" in body) == tabular:
        raise InvalidInstances(
            "Expected either `instances` (a list of rows), or `columns` and `data`."
        )
    rows = body.get("data" if tabular else "instances")
    if not isinstance(rows, list) or not rows:
        raise InvalidInstances("Expected a list of at least one row.")
    columns = body.get("columns", [])
    if tabular and not _are_names(columns):
        raise InvalidInstances("Expected `columns` to be a list of different names.")
    if len(rows) > most:
        raise TooLarge(f"{len(rows):,} rows came; {most:,} is the limit of a request.")
    return rows


def _are_names(columns: Any) -> bool:
    if not isinstance(columns, list) or not columns:
        return False
    texts = all(isinstance(name, str) for name in columns)
    return texts and len(set(columns)) == len(columns)


def _predictions(output: NDArray[np.float32], signature: Signature) -> dict[str, Any]:
    if signature.task == Task.REGRESSION:
        return {"predictions": np.ascontiguousarray(output[:, 0])}
    classes = signature.classes or []
    if signature.task == Task.BINARY:
        output = np.concatenate([1 - output, output], axis=1)
    labels = [classes[i] for i in output.argmax(axis=1).tolist()]
    names = [str(label) for label in classes]
    probabilities = [dict(zip(names, row, strict=True)) for row in output.tolist()]
    return {"predictions": labels, "probabilities": probabilities}
