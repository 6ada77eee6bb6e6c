"""Types that an upload or a spec gives to columns, and how their cells are written."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeGuard

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from fitserve.enums import ColumnType
from fitserve.specs.closed import Closed, name_or_object
from fitserve.specs.time_pattern import has_zone, pattern_fault
from fitserve.specs.time_zone import zone_fault
from fitserve.text_patterns import NO_NUL, UNIT

Token = Annotated[str, Field(max_length=100, pattern=NO_NUL)]
# a member of the enum is written as a string
LaxColumnType = Annotated[ColumnType, Field(strict=False)]
_ONLY_FOR = {
    "format": ColumnType.DATETIME,
    "dayfirst": ColumnType.DATETIME,
    "timezone": ColumnType.DATETIME,
    "decimal": ColumnType.NUMERIC,
    "percent": ColumnType.NUMERIC,
    "unit": ColumnType.NUMERIC,
}


class ColumnOptions(Closed):
    """How to read a column: instead of a type, `types` may have this object."""

    type: LaxColumnType
    """Type of the column. `text` keeps every cell as written: only empty cells are
    missing, unless `null_values` says otherwise."""
    format: str | None = Field(default=None, max_length=100, pattern=NO_NUL)
    """Format of datetimes: a pattern of Python's `strptime` such as `%d.%m.%Y` or
    `%Y%m%d` (`%q` is the quarter), or what numbers count: `epoch_seconds`,
    `epoch_milliseconds`, `epoch_microseconds`, `epoch_nanoseconds` (since 1970, UTC) or
    `excel_days`."""
    dayfirst: bool | None = None
    """Whether `1/2/2024` is 1 February. Default: what the column proves."""
    timezone: str | None = Field(default=None, max_length=100)
    """Time zone of datetimes without one, such as `Europe/Berlin`. Default: UTC."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark of the numbers. Default: detected."""
    percent: Literal["number", "fraction"] | None = None
    """The value of `12.5%`: 12.5 (`number`, the default) or 0.125 (`fraction`). Numbers
    without the sign stay unchanged."""
    unit: str | None = Field(default=None, min_length=1, max_length=40, pattern=UNIT)
    """Unit after numbers, such as `kg`, that is ignored. Cells with another unit count as
    missing."""
    null_values: list[Token] | None = Field(default=None, max_length=100)
    """Cells that mean "missing" in this column, instead of those of the table. Empty
    cells always do."""

    @field_validator(*_ONLY_FOR)
    @classmethod
    def _fits_type(cls, value: object, info: ValidationInfo) -> object:
        name, given = info.field_name or "", info.data.get("type")
        if value is None or given in (None, _ONLY_FOR[name]):
            return value
        raise ValueError(
            f"a column of type {given} has no `{name}`; leave it out, or give the type "
            f"{_ONLY_FOR[name]}"
        )

    @field_validator("format")
    @classmethod
    def _is_a_format(cls, value: str | None) -> str | None:
        return _without(pattern_fault, value)

    @field_validator("dayfirst")
    @classmethod
    def _is_not_in_format(cls, value: bool | None, info: ValidationInfo) -> bool | None:
        if value is not None and info.data.get("format") is not None:
            raise ValueError(
                "the `format` says whether the day comes first; leave out one of the two"
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str | None, info: ValidationInfo) -> str | None:
        form = info.data.get("format")
        if value is not None and form is not None and has_zone(form):
            raise ValueError(
                f"datetimes in the format {form!r} have a zone; leave it out"
            )
        return _without(zone_fault, value)


def _without(fault_of: Callable[[str], str | None], value: str | None) -> str | None:
    """Return the value; raise ValueError if it has a fault."""
    if value is not None and (fault := fault_of(value)):
        raise ValueError(fault)
    return value


GivenType = Annotated[
    Annotated[LaxColumnType, Tag("name")] | Annotated[ColumnOptions, Tag("object")],
    Discriminator(name_or_object),
]
"""A type, or an object with a type and how its cells are written."""


def type_of(given: ColumnType | ColumnOptions) -> ColumnType:
    """Return the type in a value of `types`."""
    return given.type if isinstance(given, ColumnOptions) else given


def has_options(given: ColumnType | ColumnOptions) -> TypeGuard[ColumnOptions]:
    """Return whether a value of `types` says more than the type."""
    if not isinstance(given, ColumnOptions):
        return False
    return given != ColumnOptions(type=given.type)
