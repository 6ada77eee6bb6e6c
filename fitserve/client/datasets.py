"""`client.datasets`."""

import io
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO

from fitserve.client.blocking import Blocking, iterating, returning
from fitserve.client.files import as_query, given_options, path_of
from fitserve.client.frames import csv_of, is_frame, types_of
from fitserve.client.plain_files import media_type_of
from fitserve.client.problem_errors import error_from_problem
from fitserve.client.transport import Resource, url_path
from fitserve.enums import DatasetStatus
from fitserve.file_formats import GZIP, ZSTD, FileFormat, format_of, stem_of
from fitserve.names import to_name
from fitserve.schemas.datasets import DatasetPreview, DatasetRead, RowsRead

_WAIT_SECONDS = 1
_MOST_ROWS = 1_000  # the service returns no more rows in one answer
_PREVIEW_BYTES = 1024 * 1024 + 1
"""One more than the service reads, so that it knows of further rows."""
OnProgress = Callable[[int, int], object]
"""Called with the number of bytes sent so far, and the total number."""

OnReading = Callable[[float], object]
"""Called about once a second with the share of the table that has been read."""


class AsyncDatasets(Resource):
    """Calls for datasets: upload, append to, list, read, rename and delete tables."""

    async def upload(
        self,
        /,
        source: Any,
        name: str | None = None,
        on_progress: OnProgress | None = None,
        on_reading: OnReading | None = None,
        **parsing: Any,
    ) -> DatasetRead:
        """Upload a file of rows, or a DataFrame of pandas or polars.

        The service recognises CSV, JSON Lines, Parquet, Arrow IPC and workbooks (xlsx,
        ods) by their content, and unpacks gzip and zstd.

        `name` is the dataset's name: by default the file's name without extension, and
        required for a frame. In a frame, only empty cells are missing, and columns of
        categories and of text keep their type. A file is streamed, so it may be larger
        than memory. `parsing` replaces what the service would detect: delimiter, header,
        encoding, decimal, null_values, types, and the `sheet` of a workbook. Returns when
        the service has read the table; raises InvalidTable if the service cannot read
        the table.
        """
        options = given_options("upload", parsing)
        if is_frame(source):
            options = _options_of_frame(source, options)
            file: BinaryIO = io.BytesIO(csv_of(source))
            path = Path(f"{_name_of_frame(name)}.csv")
        else:
            path = path_of(source, "upload", _OR_FRAME, _HINT)
            file = await self._transport.connection.outside(path.open, "rb")
        with file:
            label = name or to_name(stem_of(path.name), "dataset")
            named = {"name": label, "filename": path.name}
            dataset = await self._send(
                file, path, "/v1/datasets", named, on_progress, options
            )
        return await self._until_read(dataset, on_reading)

    async def append(
        self,
        /,
        name: str,
        source: Any,
        on_progress: OnProgress | None = None,
        on_reading: OnReading | None = None,
        **parsing: Any,
    ) -> DatasetRead:
        """Append a file of rows, or a DataFrame, to a dataset; return its new version.

        Takes the sources and the options of `upload`. The columns keep their types, also
        in a frame; `warnings` of the version say what differs. Earlier versions stay:
        `houses@2` refers to one. Raises InvalidTable if a cell does not fit its column,
        and DatasetNotReady while the newest version is being read; then nothing is
        stored.
        """
        options = given_options("append", parsing)
        if is_frame(source):
            options = {**_FRAME_WORDS, **options, **_FRAME_LAYOUT}
            file: BinaryIO = io.BytesIO(csv_of(source))
            path = Path(f"{name}.csv")
        else:
            path = path_of(source, "append", ", or a DataFrame", _HINT)
            file = await self._transport.connection.outside(path.open, "rb")
        with file:
            to = url_path("datasets", name, "rows")
            named = {"filename": path.name}
            dataset = await self._send(file, path, to, named, on_progress, options)
        return await self._until_read(dataset, on_reading)

    async def preview(self, /, source: Any, **parsing: Any) -> DatasetPreview:
        """Show how a file or a DataFrame would be read; the service stores nothing.

        Takes the sources and the options of `upload`, and sends the first MiB of a CSV
        or of JSON Lines.
        `.to_pandas()` and `.to_polars()` convert the first rows to a frame. Raises
        InvalidTable if the service cannot read the table.
        """
        options = given_options("preview", parsing)
        if is_frame(source):
            options = _options_of_frame(source, options)
            content = csv_of(source)[:_PREVIEW_BYTES]
        else:
            path = path_of(source, "preview", _OR_FRAME, _HINT)
            content = await self._transport.connection.outside(_beginning, path)
        return await self._transport.read(
            DatasetPreview,
            "POST",
            "/v1/datasets/preview",
            again=True,
            content=lambda: _once(content),
            headers={"Content-Type": "text/csv"},
            params=as_query(options),
        )

    async def _send(
        self,
        file: BinaryIO,
        path: Path,
        to: str,
        named: dict[str, str],
        on_progress: OnProgress | None,
        options: dict[str, Any],
    ) -> DatasetRead:
        packed = {"Content-Encoding": "gzip"} if path.suffix == ".gz" else {}
        kind = await self._transport.connection.outside(media_type_of, file)
        return await self._transport.create(
            DatasetRead,
            to,
            lambda: self._chunks(file, on_progress),
            {"Content-Type": kind, **packed},
            params={**named, **as_query(options)},
            timeout=None,
        )

    async def _chunks(
        self, file: BinaryIO, on_progress: OnProgress | None
    ) -> AsyncIterator[bytes]:
        total, sent = file.seek(0, os.SEEK_END), 0
        async for chunk in self._transport.connection.chunks(file):
            yield chunk
            sent += len(chunk)
            if on_progress is not None:
                on_progress(sent, total)

    async def _until_read(
        self, dataset: DatasetRead, on_reading: OnReading | None
    ) -> DatasetRead:
        wait = {"wait": _WAIT_SECONDS}
        while dataset.status == DatasetStatus.PROCESSING:
            if on_reading is not None:
                on_reading(dataset.progress)
            dataset = await self._transport.get(
                DatasetRead, "datasets", dataset.id, params=wait
            )
        if dataset.error is not None:
            raise error_from_problem(dataset.error)
        return dataset

    def list(self, name: str | None = None) -> AsyncIterator[DatasetRead]:
        """List all datasets, newest first; each page is requested when needed."""
        return self._transport.pages(DatasetRead, "datasets", name=name)

    async def get(self, ref: str) -> DatasetRead:
        """Return one dataset by id or name, or a version such as `houses@2`."""
        return await self._transport.get(DatasetRead, "datasets", ref)

    async def rows(self, ref: str, offset: int = 0, limit: int | None = 20) -> RowsRead:
        """Return a slice of the table as the service read it, by default 20 rows.

        `limit=None` returns all rows from `offset` on, which takes several requests for
        more than 1,000 rows; `total` is the number of rows of the table. `.to_pandas()`
        and `.to_polars()` convert the slice to a frame. A column of type boolean has
        True and False; the words of its cells, such as yes and no, which predictions of
        the column have too, are `format.labels` of the column in `datasets.get(ref)`.
        """
        if limit is not None:
            return await self._slice(ref, offset, limit)
        one = (await self.get(ref)).id  # a name may get another version meanwhile
        found = await self._slice(one, offset, _MOST_ROWS)
        while (end := offset + len(found.data)) < found.total:
            found.data += (await self._slice(one, end, _MOST_ROWS)).data
        return found

    async def _slice(self, ref: str, offset: int, limit: int) -> RowsRead:
        params = {"offset": offset, "limit": limit}
        return await self._transport.get(RowsRead, "datasets", ref, "rows", params=params)

    async def content(self, ref: str, to_path: str | Path) -> Path:
        """Save the file as it was uploaded; a gzip or a zstd is saved unpacked."""
        path = url_path("datasets", ref, "content")
        return await self._transport.download(path, Path(to_path))

    async def rename(self, ref: str, name: str) -> DatasetRead:
        """Rename a dataset with all its versions.

        Raises DatasetInUse if a run was created on a version, because its spec names the
        dataset, and DatasetNameTaken if another dataset has or had the name.
        """
        path, body = url_path("datasets", ref), {"name": name}
        return await self._transport.read(DatasetRead, "PATCH", path, json=body)

    async def delete(self, ref: str) -> None:
        """Delete a dataset; raise DatasetInUse while a run needs the dataset."""
        await self._transport.request("DELETE", url_path("datasets", ref))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a file of lines, or all bytes of another file."""
    with path.open("rb") as file:
        content = file.read(_PREVIEW_BYTES)
        has_lines = format_of(content) in (FileFormat.CSV, FileFormat.JSON_LINES)
        is_packed = content.startswith((GZIP, ZSTD))
        return content if has_lines and not is_packed else content + file.read()


class Datasets(Blocking):
    """Calls for datasets: upload, append to, list, read, rename and delete tables."""

    upload = returning(AsyncDatasets.upload)
    append = returning(AsyncDatasets.append)
    preview = returning(AsyncDatasets.preview)
    list = iterating(AsyncDatasets.list)
    get = returning(AsyncDatasets.get)
    rows = returning(AsyncDatasets.rows)
    content = returning(AsyncDatasets.content)
    rename = returning(AsyncDatasets.rename)
    delete = returning(AsyncDatasets.delete)


_OR_FRAME = ", or a DataFrame of pandas or polars with a name"
_HINT = (
    "Convert a dict of columns with `pandas.DataFrame(columns)`; write a text to a file "
    "first"
)


_FRAME_LAYOUT = {"delimiter": ",", "header": True, "encoding": "utf-8"}
_FRAME_WORDS = {"null_values": [""]}


def _options_of_frame(frame: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options for the CSV of a frame.

    Only an empty cell means "missing": `NA` in a column of text is an ordinary word.
    """
    types = types_of(frame) | given.pop("types", {})
    named = {"types": types} if types else {}
    return {**_FRAME_WORDS, **given, **_FRAME_LAYOUT, **named}


def _name_of_frame(name: str | None) -> str:
    if name is None:
        raise TypeError("a DataFrame needs a name, such as upload(frame, 'wine')")
    return name
