"""Read datetimes without a time zone as those of the zone that the user gave."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.lazy import pl
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.time_pattern import has_zone


def column_in_utc(moment: pl.Expr, pattern: str, form: ColumnFormat) -> pl.Expr:
    """Return datetimes of a pattern in UTC, without a zone.

    When clocks are put back, an hour occurs twice; its first occurrence counts. A time
    that is skipped when clocks are put forward is null.
    """
    if form.timezone is None or has_zone(pattern):
        return moment
    local = moment.dt.replace_time_zone(
        form.timezone, ambiguous="earliest", non_existent="null"
    )
    return local.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def cell_in_utc(moment: datetime, form: ColumnFormat) -> datetime | None:
    """Return a datetime with its zone: its own, or else the column's.

    Returns None for a time that is skipped when clocks are put forward.
    """
    if moment.tzinfo is not None or form.timezone is None:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    found = moment.replace(tzinfo=_zone(form.timezone)).astimezone(UTC)
    return found if local_time(found, form) == moment else None


def local_time(moment: datetime, form: ColumnFormat) -> datetime:
    """Return a moment as the column's cells give it, without a zone."""
    zone = UTC if form.timezone is None else _zone(form.timezone)
    return moment.astimezone(zone).replace(tzinfo=None)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
