"""Define the parts in which a large file is sent."""

from typing import Any, NamedTuple, Protocol


class PartSize(NamedTuple):
    """The size of a request; a service accepts 32 MiB and 100,000 rows by default."""

    num_bytes: int = 8 * 1024 * 1024
    num_lines: int = 50_000


class Part(NamedTuple):
    """A part of a file, the options for reading the part, and its position."""

    content: bytes
    options: dict[str, Any]
    lines_moved: int
    """Number to add to a line number of the part, to get the line of the file."""


class Parts(Protocol):
    """The parts of one file; `parsing` is the layout of the whole file."""

    parsing: dict[str, Any]

    def close(self) -> None:
        """Close the file."""

    def first(self) -> Part:
        """Return the first part of the file."""

    def next(self, parsing: dict[str, Any]) -> Part | None:
        """Return the next part that has a row, or None at the end of the file.

        `parsing` is the layout that the answer to the last part reports.
        """
