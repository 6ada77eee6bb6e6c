"""Split files with types into parts: JSON Lines, Parquet and Arrow IPC."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fitserve.client.parts import Part, PartSize
from fitserve.client.plain_files import open_plain
from fitserve.file_formats import FileFormat
from fitserve.frames import library

_BOM = b"\xef\xbb\xbf"


class TypedParts:
    """The base of parts that do not depend on the answers to the parts before them."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.parsing: dict[str, Any] = {}
        self._given = given
        self._parts = self._cut()

    def close(self) -> None:
        """Close the file."""

    def first(self) -> Part:
        """Return the first part; raise StopIteration if the file has no rows."""
        return next(self._parts)

    def next(self, parsing: dict[str, Any]) -> Part | None:
        """Return the next part, or None at the end of the file."""
        self.parsing = self.parsing or parsing
        return next(self._parts, None)

    def _cut(self) -> Iterator[Part]:
        raise NotImplementedError


class JsonParts(TypedParts):
    """The parts of a file of JSON Lines, in whole lines.

    Every part has every key of the file: its first object gets the missing keys as nulls.
    """

    def __init__(self, path: Path, given: dict[str, Any], size: PartSize) -> None:
        self._size = size
        with open_plain(path) as file:
            self._keys = dict.fromkeys(key for line in file for key in _keys(line))
        self._file = open_plain(path)
        super().__init__(given)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _cut(self) -> Iterator[Part]:
        lines: list[bytes] = []
        num_bytes, moved = 0, 0
        for line in self._file:
            lines.append(line)
            num_bytes += len(line)
            if num_bytes >= self._size.num_bytes or len(lines) >= self._size.num_lines:
                yield from self._part(lines, moved)
                moved += len(lines)
                lines, num_bytes = [], 0
        yield from self._part(lines, moved)

    def _part(self, lines: list[bytes], moved: int) -> Iterator[Part]:
        """Yield the lines as a part if one of them has a value."""
        first = next((i for i, line in enumerate(lines) if line.strip()), None)
        if first is None:
            return
        known = {key for line in lines for key in _keys(line)}
        lacking = [key for key in self._keys if key not in known]
        lines[first] = _with_nulls(lines[first], lacking)
        yield Part(b"".join(lines), self._given, moved)


def _object(line: bytes) -> dict[str, Any]:
    """Return the object of a line; an empty one if the service will refuse the line."""
    try:
        value = json.loads(line.removeprefix(_BOM))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _keys(line: bytes) -> Iterator[str]:
    return iter(_object(line)) if line.strip() else iter(())


def _with_nulls(line: bytes, names: list[str]) -> bytes:
    line = line.removeprefix(_BOM)
    known = _object(line)
    start = line.rstrip()[:-1].rstrip()
    if not names or (not known and start != b"{"):  # the service refuses the line
        return line
    nulls = json.dumps(dict.fromkeys(names)).encode()[1:]
    return start + (b", " if known else b"") + nulls + b"\n"


class FrameParts(TypedParts):
    """The parts of a Parquet or an Arrow file, each a file of this format."""

    def __init__(
        self, path: Path, given: dict[str, Any], size: PartSize, found: FileFormat
    ) -> None:
        self._size = size
        self._format = found
        self._file = open_plain(path)
        super().__init__(given)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _cut(self) -> Iterator[Part]:
        for batch in self._scanned().collect_batches(chunk_size=self._size.num_lines):
            for frame in self._sized(batch):
                yield Part(self._written(frame), self._given, 0)

    def _scanned(self) -> Any:
        pl, file = library("polars"), self._file
        is_plain = isinstance(file, io.BufferedReader)
        source = file.name if is_plain else file.read()
        if self._format == FileFormat.PARQUET:
            return pl.scan_parquet(source, glob=False)
        if self._format == FileFormat.ARROW:
            return pl.scan_ipc(source, glob=False)
        return pl.read_ipc_stream(source).lazy()

    def _sized(self, batch: Any) -> Iterator[Any]:
        """Yield the rows of a batch in frames of about the size of a part."""
        pieces = 1 + batch.estimated_size() // self._size.num_bytes
        step = min(self._size.num_lines, max(1, batch.height // pieces))
        for start in range(0, batch.height, step):
            yield batch[start : start + step]

    def _written(self, frame: Any) -> bytes:
        file = io.BytesIO()
        if self._format == FileFormat.PARQUET:
            frame.write_parquet(file)
        elif self._format == FileFormat.ARROW:
            frame.write_ipc(file, compression="zstd")
        else:
            frame.write_ipc_stream(file, compression="zstd")
        return file.getvalue()
