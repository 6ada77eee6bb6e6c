"""Put day and month of the formats of dates in the order that the user gives."""

from __future__ import annotations

import re

_ORDERS = {
    True: (re.compile(r"%m([-/.])%d\1(?=%[Yy])"), r"%d\1%m\1"),
    False: (re.compile(r"%d([-/.])%m\1(?=%[Yy])"), r"%m\1%d\1"),
}


def in_order(pattern: str, *, day_first: bool) -> str:
    """Return a pattern of numbers with the day first, or with the month first."""
    look, target = _ORDERS[day_first]
    return look.sub(target, pattern)


def are_swapped(one: str | None, other: str | None) -> bool:
    """Return whether two patterns differ only in the order of day and month."""
    if one is None or other is None or one == other:
        return False
    return in_order(one, day_first=True) == in_order(other, day_first=True)
