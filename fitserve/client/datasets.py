"""`client.datasets`."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from fitserve.client.transport import Transport, url_path
from fitserve.names import to_name
from fitserve.schemas.datasets import DatasetRead, RowsRead

_CHUNK = 256 * 1024
OnProgress = Callable[[int, int], object]
"""Called with the bytes sent so far and all there are."""


class Datasets:
    """Uploaded tables."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(
        self,
        path: str | Path,
        name: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> DatasetRead:
        """Upload a CSV file, gzipped or not; its name without ending is the default.

        The bytes are streamed as they are, so a table larger than memory is no matter.
        """
        path = Path(path)
        stem = path.name.removesuffix(".gz").removesuffix(".csv")
        packed = {"Content-Encoding": "gzip"} if path.suffix == ".gz" else {}
        with path.open("rb") as file:
            return self._transport.read(
                DatasetRead,
                "POST",
                "/v1/datasets",
                params={"name": name or to_name(stem, "dataset"), "filename": path.name},
                headers={
                    "Content-Type": "text/csv",
                    "Idempotency-Key": secrets.token_hex(16),
                    **packed,
                },
                content=_chunks(file, path.stat().st_size, on_progress),
                timeout=None,
            )

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


def _chunks(file: BinaryIO, total: int, told: OnProgress | None) -> Iterator[bytes]:
    sent = 0
    while chunk := file.read(_CHUNK):
        yield chunk
        sent += len(chunk)
        if told is not None:
            told(sent, total)
