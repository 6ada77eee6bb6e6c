"""`client.datasets`."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from fitserve.client.errors import ApiError
from fitserve.client.transport import Transport, url_path
from fitserve.names import did_you_mean, to_name
from fitserve.schemas.datasets import DatasetRead, RowsRead
from fitserve.specs.parsing import ParsingSpec
from fitserve.statuses import DatasetStatus

_CHUNK = 64 * 1024  # larger ones take longer
_WAIT_SECONDS = 1
OnProgress = Callable[[int, int], object]
"""Called with the bytes sent so far and all there are."""

OnReading = Callable[[float], object]
"""Called about once a second with the share of the table that has been read."""


class Datasets:
    """Uploaded tables."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(
        self,
        path: str | Path,
        name: str | None = None,
        on_progress: OnProgress | None = None,
        on_reading: OnReading | None = None,
        **parsing: Any,
    ) -> DatasetRead:
        """Upload a CSV file, gzipped or not; its name without ending is the default.

        The bytes are streamed as they are, so a table larger than memory is no matter.
        `parsing` may overrule what the service would find out by itself: delimiter,
        header, encoding, decimal, null_values, types. Returns when the table has been
        read; raises InvalidTable where it cannot be.
        """
        if unknown := set(parsing).difference(ParsingSpec.model_fields):
            hint = did_you_mean(min(unknown), ParsingSpec.model_fields)
            raise TypeError(f"upload() knows no option {min(unknown)!r}; {hint}")
        path = Path(path)
        stem = path.name.removesuffix(".gz").removesuffix(".csv")
        packed = {"Content-Encoding": "gzip"} if path.suffix == ".gz" else {}
        with path.open("rb") as file:
            dataset = self._transport.create(
                DatasetRead,
                "/v1/datasets",
                partial(_chunks, file, on_progress),
                {"Content-Type": "text/csv", **packed},
                params={
                    "name": name or to_name(stem, "dataset"),
                    "filename": path.name,
                    **_params(parsing),
                },
                timeout=None,
            )
        return self._until_read(dataset, on_reading)

    def _until_read(
        self, dataset: DatasetRead, on_reading: OnReading | None
    ) -> DatasetRead:
        while dataset.status == DatasetStatus.PROCESSING:
            if on_reading is not None:
                on_reading(dataset.progress)
            path = url_path("datasets", dataset.id)
            dataset = self._transport.read(
                DatasetRead, "GET", path, params={"wait": _WAIT_SECONDS}
            )
        if dataset.error is not None:
            raise ApiError.of(dataset.error)
        return dataset

    def list(self, name: str | None = None) -> Iterator[DatasetRead]:
        """Every dataset, newest first."""
        params = {"name": name} if name else {}
        return self._transport.pages(DatasetRead, "/v1/datasets", params)

    def get(self, ref: str) -> DatasetRead:
        """One dataset, by id or name."""
        return self._transport.read(DatasetRead, "GET", url_path("datasets", ref))

    def rows(self, ref: str, offset: int = 0, limit: int = 20) -> RowsRead:
        """A slice of the table as the service understood it."""
        params = {"offset": offset, "limit": limit}
        return self._transport.read(
            RowsRead, "GET", url_path("datasets", ref, "rows"), params=params
        )

    def content(self, ref: str, to_path: str | Path) -> Path:
        """Save the CSV as it was uploaded."""
        return self._transport.download(
            url_path("datasets", ref, "content"), Path(to_path)
        )

    def delete(self, ref: str) -> None:
        """Delete a dataset; Conflict while a run needs it."""
        self._transport.request("DELETE", url_path("datasets", ref))


def _params(parsing: dict[str, Any]) -> dict[str, Any]:
    """The options given, as a query; the service checks their values."""
    given = {key: value for key, value in parsing.items() if value is not None}
    if "types" in given:
        given["types"] = json.dumps(given["types"])
    return given


def _chunks(file: BinaryIO, told: OnProgress | None) -> Iterator[bytes]:
    """The file from its start, where it is sent again too."""
    total, sent = file.seek(0, os.SEEK_END), file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
        sent += len(chunk)
        if told is not None:
            told(sent, total)
