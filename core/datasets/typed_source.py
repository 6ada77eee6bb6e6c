"""Open a file whose columns have types: Parquet, Arrow IPC, JSON Lines, workbooks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from core.columns.cells import null_words
from core.datasets import arrow_schema, arrow_size, parquet_size
from core.datasets.header import column_names
from core.datasets.json_lines import scan_json_lines
from core.datasets.raw_table import CELL_BYTES
from core.datasets.recognise import NAMES, WORKBOOKS
from core.datasets.typed_columns import TypedColumn
from core.datasets.unpacked import most_unpacked
from core.datasets.workbook import Sheet, read_sheet
from core.errors import InvalidTable
from core.lazy import pl
from fitserve.file_formats import FileFormat
from fitserve.problems import FieldError
from fitserve.specs.parsing import ParsingSpec

_MOST_STREAMED = 256 * 1024**2
_SMALL_BYTES = 64 * 1024**2
_SHOWN = 5


@dataclass(frozen=True)
class TypedSource:
    """The rows of a file, and the datatypes of its columns.

    Args:
        frame: the rows, under the names that the table uses.
        columns: the columns, by name.
        nulls: the texts that mean "missing".
        num_bytes: how many bytes the file has.
        parsing: how the file was read, for the user.
        warnings: about the names of columns.
        num_rows: the number of rows, once they are counted.
        own_nulls: the texts that mean "missing" in columns that have their own.
        unpacked: how many bytes the file needs in memory, as it declares.

    """

    frame: pl.LazyFrame
    columns: dict[str, TypedColumn]
    nulls: list[str]
    num_bytes: int
    parsing: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    num_rows: int = 0
    own_nulls: Mapping[str, list[str]] = field(default_factory=dict)
    unpacked: int = _SMALL_BYTES + 1

    def texts(self, names: list[str]) -> pl.LazyFrame:
        """Return columns as trimmed text, null where missing."""
        return self.frame.select(
            [self.columns[name].text(self.nulls_of(name)) for name in names]
        )

    def as_written(self, names: list[str]) -> pl.LazyFrame:
        """Return columns as trimmed text, with the words that mean "missing"."""
        return self.frame.select([self.columns[name].text([""]) for name in names])

    def nulls_of(self, name: str) -> list[str]:
        """Return the texts that mean "missing" in a column."""
        return self.own_nulls.get(name, self.nulls)

    def only(self, names: Collection[str]) -> TypedSource:
        """Return the source without the columns that `names` leaves out."""
        columns = {name: c for name, c in self.columns.items() if name in names}
        return replace(self, frame=self.frame.select(list(columns)), columns=columns)

    def named(self, names: Sequence[str]) -> TypedSource:
        """Return the source with other names of its columns, in their order."""
        others = dict(zip(self.columns, names, strict=True))
        columns = {others[n]: replace(c, name=others[n]) for n, c in self.columns.items()}
        return replace(self, frame=self.frame.rename(others), columns=columns)

    def measured(self) -> TypedSource:
        """Return the source with what only the cells show.

        Raises InvalidTable if the file has no rows, if a cell is too long, or if a small
        file unpacks to a huge table.
        """
        self.refuse_unreadable()
        wanted = {
            f"{what} {i}": expr
            for i, column in enumerate(self.columns.values())
            for what, expr in column.measures().items()
        }
        exprs = [expr.alias(name) for name, expr in wanted.items()]
        row = self._computed([pl.len().alias("rows"), *exprs])
        if not row["rows"]:
            raise InvalidTable(
                f"The {self.label} has columns but no rows; add at least one row."
            )
        texts = sum(row[name] or 0 for name in wanted if name.startswith("bytes "))
        self.refuse_bomb(texts)
        self._refuse_long(row)
        columns = {
            name: replace(
                column,
                is_wide=bool(row.get(f"wide {i}")),
                has_fractions=bool(row.get(f"fractions {i}")),
            )
            for i, (name, column) in enumerate(self.columns.items())
        }
        return replace(self, columns=columns, num_rows=row["rows"])

    def _computed(self, exprs: list[pl.Expr]) -> dict[str, Any]:
        """Return the results of expressions over all rows, by name."""
        try:
            found = self.frame.select(exprs).collect(engine=self._engine)
        except _faults() as error:
            names = [name for name in self.columns if self._is_faulty(name)]
            if not names:
                raise
            raise InvalidTable(
                f"The {self.label} has columns that cannot be read: "
                f"{', '.join(map(repr, names[:_SHOWN]))}; they are damaged, or of a "
                "datatype that is not supported. Remove them, or write them as text."
            ) from error
        return found.row(0, named=True)

    @property
    def _engine(self) -> Literal["in-memory", "streaming"]:
        """Return the engine: streaming is slow for a wide table of few rows."""
        return "in-memory" if self.unpacked <= _SMALL_BYTES else "streaming"

    def _is_faulty(self, name: str) -> bool:
        try:
            self.frame.select(name).head(1).collect()
        except _faults():
            return True
        return False

    def refuse_unreadable(self) -> None:
        """Raise InvalidTable with the columns that a table cannot hold."""
        bad = [column for column in self.columns.values() if not column.is_readable]
        if not bad:
            return
        shown = ", ".join(f"{c.name[:100]!r} ({str(c.kind)[:60]})" for c in bad[:_SHOWN])
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        detail = (
            f"The {self.label} has columns that a table cannot hold: {shown}{more}; "
            "expected numbers, booleans, texts, dates and times"
        )
        hint = "remove the column, or write its cells as text"
        errors = [
            FieldError(
                pointer="",
                detail=f"the column holds {c.kind!s:.100}",
                hint=hint,
                column=c.name,
            )
            for c in bad
        ]
        raise InvalidTable(f"{detail}. {hint.capitalize()}.", errors)

    @property
    def label(self) -> str:
        """Return the name of the file's format, for messages."""
        return f"{NAMES[FileFormat(self.parsing['format'])]} file"

    def text_bytes(self) -> int:
        """Return how many bytes the texts hold. Raises InvalidTable."""
        self.refuse_unreadable()
        sizes = [
            expr.alias(name)
            for name, column in self.columns.items()
            if (expr := column.measures().get("bytes")) is not None
        ]
        found = self.frame.select(sizes).collect(engine="streaming")
        return sum(size or 0 for size in found.row(0)) if sizes else 0

    def refuse_bomb(self, unpacked: int) -> None:
        """Raise InvalidTable if the table is far larger than its file."""
        most = most_unpacked(self.num_bytes)
        if unpacked > most:
            raise InvalidTable(
                f"The {self.label} of {self.num_bytes:,} bytes unpacks to "
                f"{unpacked:,} bytes; a file of its size may unpack to {most:,}. Send "
                "the table as CSV."
            )

    def _refuse_long(self, row: dict[str, Any]) -> None:
        for i, name in enumerate(self.columns):
            if (row.get(f"longest {i}") or 0) <= CELL_BYTES:
                continue
            size = pl.col(name).cast(pl.String).str.len_bytes()
            long = self.frame.select((size > CELL_BYTES).arg_true().first())
            raise InvalidTable(
                f"Row {long.collect(engine='streaming').item() + 1}, column {name!r}: a "
                f"cell is longer than {CELL_BYTES:,} bytes. Shorten it, or remove the "
                "column."
            )


def open_typed(
    source: Path,
    folder: Path,
    found: FileFormat,
    given: ParsingSpec,
    max_columns: int,
    most_memory: int | None = None,
) -> TypedSource:
    """Open a file of this format; temporary files go to `folder`.

    `most_memory` limits the process that reads a workbook.

    Raises InvalidTable if the file is damaged, has too many columns, unpacks to far more
    than its size, or has columns that no table can hold.
    """
    if found in WORKBOOKS:
        sheet = read_sheet(source, folder, found, given, max_columns, most_memory)
        _refuse_nul(sheet.names)
        return _of_sheet(sheet, source, found, given)
    size = unpacked_bytes(source, found)
    if found in (FileFormat.ARROW, FileFormat.ARROW_STREAM):
        arrow_schema.refuse_unreadable(source, found)
    frame = _scan(source, folder, found, size, max_columns)
    schema = frame.collect_schema()
    _refuse_schema(schema, found, max_columns)
    warnings: list[str] = []
    names = column_names([list(schema)], warnings, header=True)
    nulls = ["", *(given.null_values or [])]
    parsing = {"format": found.value, "null_values": nulls}
    opened = TypedSource(
        _renamed(frame, names),
        {n: TypedColumn(n, k) for n, k in zip(names, schema.values(), strict=True)},
        nulls,
        source.stat().st_size,
        parsing,
        warnings,
        unpacked=size or source.stat().st_size,
    )
    opened.refuse_bomb(size)
    return opened


def _refuse_schema(schema: pl.Schema, found: FileFormat, max_columns: int) -> None:
    """Raise InvalidTable if there are no columns, too many columns, or invalid names."""
    if not schema:
        raise InvalidTable(f"The {NAMES[found]} file has no columns.")
    if len(schema) > max_columns:
        raise InvalidTable(
            f"The table has {len(schema):,} columns; this service accepts at most "
            f"{max_columns:,}."
        )
    _refuse_nul(list(schema))


def _refuse_nul(names: list[str]) -> None:
    """Raise InvalidTable if a name holds U+0000, which a database cannot store."""
    for i, name in enumerate(names, start=1):
        if "\0" in name:
            raise InvalidTable(
                f"The name of column {i}, {name[:60]!r}, contains the character U+0000; "
                "rename the column."
            )


def _of_sheet(
    sheet: Sheet, source: Path, found: FileFormat, given: ParsingSpec
) -> TypedSource:
    kinds = sheet.frame.collect_schema().values()
    columns = {
        name: TypedColumn(name, kind, is_mixed=name in sheet.mixed, in_sheet=True)
        for name, kind in zip(sheet.names, kinds, strict=True)
    }
    nulls = null_words(given.null_values)  # people type them, as in a CSV
    return TypedSource(
        _renamed(sheet.frame, sheet.names),
        columns,
        nulls,
        source.stat().st_size,
        {"format": found.value, **sheet.parsing, "null_values": nulls},
        sheet.warnings,
    )


def _renamed(frame: pl.LazyFrame, names: list[str]) -> pl.LazyFrame:
    if names == frame.collect_schema().names():
        return frame
    # by position, because polars reads some names as patterns
    return frame.select([pl.nth(i).alias(name) for i, name in enumerate(names)])


def unpacked_bytes(source: Path, found: FileFormat) -> int:
    """Return how many bytes the file declares to need in memory; 0 for text."""
    if found == FileFormat.PARQUET:
        return parquet_size.unpacked_bytes(source)
    if found in (FileFormat.ARROW, FileFormat.ARROW_STREAM):
        return arrow_size.unpacked_bytes(source, found)
    return 0


def _scan(
    source: Path, folder: Path, found: FileFormat, size: int, max_columns: int
) -> pl.LazyFrame:
    if found == FileFormat.PARQUET:
        return _scan_parquet(source)
    if found == FileFormat.ARROW:
        return pl.scan_ipc(source, glob=False)
    if found == FileFormat.JSON_LINES:
        return scan_json_lines(source, folder, max_columns)
    if size > _MOST_STREAMED:
        raise InvalidTable(
            f"The Arrow stream holds {size:,} bytes; a stream is read in memory, so at "
            f"most {_MOST_STREAMED:,} are accepted. Write a file of Arrow IPC (Feather)."
        )
    return pl.read_ipc_stream(source).lazy()


def _scan_parquet(source: Path) -> pl.LazyFrame:
    """Return the rows of a Parquet file, with moments in microseconds.

    INT96 can hold moments before 1677 and after 2262; nanoseconds in 64 bits cannot.
    """
    frame = pl.scan_parquet(source, glob=False, hive_partitioning=False)
    schema = frame.collect_schema()
    finest = [name for name, kind in schema.items() if _is_in_nanoseconds(kind)]
    if not finest:
        return frame
    for name in finest:
        schema[name] = pl.Datetime("us", getattr(schema[name], "time_zone", None))
    options = pl.ScanCastOptions(datetime_cast="nanosecond-downcast")
    return pl.scan_parquet(
        source, glob=False, hive_partitioning=False, schema=schema, cast_options=options
    )


def _is_in_nanoseconds(kind: pl.DataType) -> bool:
    return kind == pl.Datetime and getattr(kind, "time_unit", None) == "ns"


@contextmanager
def readable(found: FileFormat) -> Iterator[None]:
    """Raise InvalidTable if polars cannot read the file."""
    try:
        yield
    except pl.exceptions.PanicException as error:
        raise InvalidTable(
            f"The {NAMES[found]} file cannot be read: it is damaged, or has a feature "
            "that is not supported. Write it again, or send the table as CSV."
        ) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, and not of the file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        reason = "it is damaged" if "out-of-spec" in reason else reason
        raise InvalidTable(
            f"The {NAMES[found]} file cannot be read: {reason[:300]}"
        ) from error


def _faults() -> tuple[type[BaseException], ...]:
    """Return what polars raises for a file that it cannot read."""
    return pl.exceptions.PolarsError, pl.exceptions.PanicException
