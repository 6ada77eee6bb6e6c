"""`client.datasets`."""

import io
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO

from fitserve.client.blocking import Blocking, iterating, returning
from fitserve.client.frames import csv_of, is_frame, parsing_of
from fitserve.client.problem_errors import error_from_problem
from fitserve.client.transport import Transport, url_path
from fitserve.enums import DatasetStatus
from fitserve.names import did_you_mean, to_name
from fitserve.schemas.datasets import DatasetRead, RowsRead
from fitserve.specs.parsing import ParsingSpec

_CHUNK = 64 * 1024  # larger ones take longer
_WAIT_SECONDS = 1
OnProgress = Callable[[int, int], object]
"""Called with the bytes sent so far and all there are."""

OnReading = Callable[[float], object]
"""Called about once a second with the share of the table that has been read."""


class AsyncDatasets:
    """Uploaded tables."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def upload(
        self,
        /,
        source: Any,
        name: str | None = None,
        on_progress: OnProgress | None = None,
        on_reading: OnReading | None = None,
        **parsing: Any,
    ) -> DatasetRead:
        """Upload a CSV file, gzipped or not, or a DataFrame of pandas or polars.

        A file's name without ending is the dataset's unless told; a frame wants one,
        and tells its own layout, categories and texts: only its empty cells are missing.
        A file's bytes are streamed as they are, so a table larger than memory is no
        matter. `parsing` may overrule what the service would find out by itself:
        delimiter, header, encoding, decimal, null_values, types. Returns when the table
        has been read; raises InvalidTable where it cannot be.
        """
        _refuse_unknown(parsing)
        if is_frame(source):
            parsing = _with_known(source, parsing)
            file: BinaryIO = io.BytesIO(csv_of(source))
            path = Path(f"{_name_of_frame(name)}.csv")
        else:
            path = _path(source)
            file = await self._transport.connection.outside(path.open, "rb")
        with file:
            dataset = await self._send(file, path, name, on_progress, parsing)
        return await self._until_read(dataset, on_reading)

    async def _send(
        self,
        file: BinaryIO,
        path: Path,
        name: str | None,
        told: OnProgress | None,
        parsing: dict[str, Any],
    ) -> DatasetRead:
        stem = path.name.removesuffix(".gz").removesuffix(".csv")
        packed = {"Content-Encoding": "gzip"} if path.suffix == ".gz" else {}
        return await self._transport.create(
            DatasetRead,
            "/v1/datasets",
            lambda: self._chunks(file, told),
            {"Content-Type": "text/csv", **packed},
            params={
                "name": name or to_name(stem, "dataset"),
                "filename": path.name,
                **_params(parsing),
            },
            timeout=None,
        )

    async def _chunks(
        self, file: BinaryIO, told: OnProgress | None
    ) -> AsyncIterator[bytes]:
        """The file from its start, where it is sent again too."""
        total, sent = file.seek(0, os.SEEK_END), file.seek(0)
        while chunk := await self._transport.connection.outside(file.read, _CHUNK):
            yield chunk
            sent += len(chunk)
            if told is not None:
                told(sent, total)

    async def _until_read(
        self, dataset: DatasetRead, on_reading: OnReading | None
    ) -> DatasetRead:
        while dataset.status == DatasetStatus.PROCESSING:
            if on_reading is not None:
                on_reading(dataset.progress)
            path = url_path("datasets", dataset.id)
            dataset = await self._transport.read(
                DatasetRead, "GET", path, params={"wait": _WAIT_SECONDS}
            )
        if dataset.error is not None:
            raise error_from_problem(dataset.error)
        return dataset

    def list(self, name: str | None = None) -> AsyncIterator[DatasetRead]:
        """Every dataset, newest first, page by page as they are wanted."""
        params = {"name": name} if name else {}
        return self._transport.pages(DatasetRead, "/v1/datasets", params)

    async def get(self, ref: str) -> DatasetRead:
        """One dataset, by id or name."""
        return await self._transport.read(DatasetRead, "GET", url_path("datasets", ref))

    async def rows(self, ref: str, offset: int = 0, limit: int = 20) -> RowsRead:
        """A slice of the table as the service understood it.

        `.to_pandas()` and `.to_polars()` make a frame of it.
        """
        params = {"offset": offset, "limit": limit}
        return await self._transport.read(
            RowsRead, "GET", url_path("datasets", ref, "rows"), params=params
        )

    async def content(self, ref: str, to_path: str | Path) -> Path:
        """Save the CSV as it was uploaded."""
        path = url_path("datasets", ref, "content")
        return await self._transport.download(path, Path(to_path))

    async def delete(self, ref: str) -> None:
        """Delete a dataset; DatasetInUse while a run needs it."""
        await self._transport.request("DELETE", url_path("datasets", ref))


class Datasets(Blocking):
    """Uploaded tables."""

    upload = returning(AsyncDatasets.upload)
    list = iterating(AsyncDatasets.list)
    get = returning(AsyncDatasets.get)
    rows = returning(AsyncDatasets.rows)
    content = returning(AsyncDatasets.content)
    delete = returning(AsyncDatasets.delete)


def _path(source: Any) -> Path:
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            "upload() takes the path of a CSV, or a DataFrame of pandas or polars with a "
            f"name; got {type(source).__name__}. A dict of columns becomes one by "
            "`pandas.DataFrame(columns)`, text by writing it to a file"
        )
    return Path(source)


def _refuse_unknown(parsing: dict[str, Any]) -> None:
    if unknown := set(parsing).difference(ParsingSpec.model_fields):
        hint = did_you_mean(min(unknown), ParsingSpec.model_fields)
        raise TypeError(f"upload() knows no option {min(unknown)!r}; {hint}")


def _with_known(frame: Any, parsing: dict[str, Any]) -> dict[str, Any]:
    """Return the options with what the frame tells; words and types may be overruled."""
    known, given = parsing_of(frame), _without_none(parsing)
    types = (known["types"] or {}) | given.pop("types", {})
    layout = {key: known[key] for key in ("delimiter", "header", "encoding")}
    return {**known, **given, **layout, "types": types or None}


def _name_of_frame(name: str | None) -> str:
    if name is None:
        raise TypeError("a frame has no name of its own; give one: upload(frame, 'wine')")
    return name


def _params(parsing: dict[str, Any]) -> dict[str, Any]:
    """The options given, as a query; the service checks their values."""
    given = _without_none(parsing)
    if "types" in given:
        given["types"] = json.dumps(given["types"])
    return given


def _without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}
