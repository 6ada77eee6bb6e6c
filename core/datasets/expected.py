"""The columns that the file of an append is expected to have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.columns.cells import plain_name
from core.columns.facts import Wanted, given_types
from core.errors import InvalidTable
from fitserve.enums import ColumnType
from fitserve.names import version_ref
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnFormat, ColumnRead
from fitserve.specs.columns import ColumnOptions
from fitserve.specs.parsing import ParsingSpec

if TYPE_CHECKING:
    from core.datasets.tables import Dataset

_SHOWN = 10
_PERCENT = "%"


@dataclass(frozen=True)
class Expected:
    """The columns of the version that an append extends.

    Args:
        ref: the version, such as `houses@2`, for messages.
        columns: its columns, by name, in their order.
        options: the options of its upload.

    """

    ref: str
    columns: Mapping[str, ColumnRead]
    options: ParsingSpec

    @staticmethod
    def of(version: Dataset) -> Expected:
        """Return the columns of a version."""
        return Expected(
            ref=version_ref(version.name, version.version),
            columns={column.name: column for column in version.columns},
            options=version.options,
        )

    def options_of(self, given: ParsingSpec) -> ParsingSpec:
        """Return the options of a file; by default, with the version's `null_values`."""
        if given.null_values is not None or self.options.null_values is None:
            return given
        return given.model_copy(update={"null_values": self.options.null_values})

    def wanted(self, given: ParsingSpec) -> dict[str, Wanted]:
        """Return the types of the version's columns, in the notation of the file."""
        before = {
            name: _as_before(column, given)
            for name, column in self.columns.items()
            if self.is_decided(column)
        }
        new = given_types(given.types)
        for name in new.keys() & before.keys():
            earlier = self.columns[name].format
            new[name] = replace(new[name], is_fixed=True, earlier=earlier)
        return before | new

    def is_decided(self, column: ColumnRead) -> bool:
        """Return whether a cell, or the upload, has decided the type of a column."""
        return column.unique > 0 or column.name in self.options.types

    def spelled(self, names: Iterable[str]) -> list[str]:
        """Return the names of a file in the spelling of the version.

        Names are composed (NFC) now; an earlier release stored them as the file had them.
        """
        names = list(names)
        own = {plain_name(name): name for name in self.columns}
        found = [n if n in self.columns else own.get(plain_name(n), n) for n in names]
        return found if len(set(found)) == len(found) else names

    def has_any(self, names: Iterable[str]) -> bool:
        """Return whether some of the names are columns of the version."""
        return any(name in self.columns for name in names)

    def check(self, names: Collection[str], given: ParsingSpec, most: int) -> None:
        """Raise InvalidTable if a file with these columns cannot be appended.

        `most` is the number of columns that a dataset may have.
        """
        if not self.has_any(names):
            raise InvalidTable(self._no_common(names))
        self._refuse_other_types(given)
        number = len(set(names) | set(self.columns))
        if number > most:
            raise InvalidTable(
                f"With the new columns, {self.ref!r} would have {number:,} columns; this "
                f"service accepts at most {most:,}. Remove columns from the file."
            )

    def _no_common(self, names: Collection[str]) -> str:
        return (
            f"The file has no column of {self.ref!r}: it has {_list(names)}; expected "
            f"{_list(self.columns)}. Name its columns like those of the dataset (for a "
            "CSV without a line of names, set `header` to false and keep the order), or "
            "upload the file as another dataset."
        )

    def _refuse_other_types(self, given: ParsingSpec) -> None:
        """Raise InvalidTable if an option gives a column another type."""
        errors = [
            FieldError(
                pointer=pointer("types", name),
                detail=f"`types` gives the column {name!r} the type {want.type}; in "
                f"{self.ref!r} it is {self.columns[name].type}",
                hint="leave it out, and give the other type in `features.types` of a run",
                column=name,
            )
            for name, want in given_types(given.types).items()
            if name in self.columns
            and self.is_decided(self.columns[name])
            and want.type != self.columns[name].type
        ]
        if errors:
            first = errors[0]
            raise InvalidTable(f"{first.detail}; {first.hint}.", errors)


def _list(names: Collection[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in list(names)[:_SHOWN])
    return f"{shown}, …" if len(names) > _SHOWN else shown


def _as_before(column: ColumnRead, given: ParsingSpec) -> Wanted:
    """Return the type and the format of a column, with the decimal mark of the file."""
    form, mark = column.format, given.decimal
    if column.type != ColumnType.NUMERIC or mark in (None, form.decimal):
        return Wanted(column.type, form, is_fixed=True)
    options = _with_mark(form, given)
    return Wanted(column.type, options=options, is_fixed=True, earlier=form)


def _with_mark(form: ColumnFormat, given: ParsingSpec) -> ColumnOptions:
    has_percent = _PERCENT in form.affixes
    return ColumnOptions(
        type=ColumnType.NUMERIC,
        decimal=given.decimal,
        unit=form.unit or None,
        percent=form.percent if has_percent else None,
        null_values=form.null_values,
    )
