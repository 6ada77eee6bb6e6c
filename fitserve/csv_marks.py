"""The characters around the cells of a CSV; the service and the client split by them."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Marks:
    """The characters around cells.

    Args:
        delimiter: the character between cells.
        quote: the character around a cell that holds a delimiter.
        escape: the character before a quote that belongs to a cell; None: quotes are
            doubled, as in every valid CSV.
        skip_blanks: whether blanks between a delimiter and a quote are left out.

    """

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    skip_blanks: bool = False

    @classmethod
    def of(cls, parsing: Mapping[str, Any]) -> "Marks":
        """Return the marks of a file by its `parsing`; earlier releases lack two keys."""
        return cls(
            parsing["delimiter"],
            parsing["quote"],
            parsing.get("escape"),
            parsing.get("skip_blanks", False),
        )

    def reader(self, lines: Iterable[str], **options: Any) -> Any:
        """Return a csv.reader of the lines, with further options of csv.reader."""
        csv.field_size_limit(2**31 - 1)
        if self.escape:
            lines = self._keep_backslashes(lines)
        if self.skip_blanks:
            lines = self._without_blanks_after_quotes(lines)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            skipinitialspace=self.skip_blanks,
            **options,
        )

    def _keep_backslashes(self, lines: Iterable[str]) -> Iterator[str]:
        """Double each backslash that escapes nothing: csv.reader would drop it."""
        escaped = re.escape(self.quote + self.delimiter)
        mark = re.compile(rf"\\([\\{escaped}])|\\")
        for line in lines:
            yield mark.sub(lambda m: m[0] if m[1] else r"\\", line)

    def _without_blanks_after_quotes(self, lines: Iterable[str]) -> Iterator[str]:
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        blanks = re.compile(rf"(?<!{quote}){quote} +(?={delimiter}|\r?\n?$)")
        for line in lines:
            yield blanks.sub(self.quote, line)
