"""Check the name of a time zone."""

from functools import lru_cache
from zoneinfo import available_timezones

from fitserve.names import did_you_mean


def zone_fault(name: str) -> str | None:
    """Return what is wrong with the name of a time zone; None if it is known."""
    if name in _known():
        return None
    said = f"got {name!r}, which is not a time zone such as `Europe/Berlin`"
    hint = did_you_mean(name, sorted(_known()))
    return f"{said}; {hint}" if "did you mean" in hint else said


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """Return the zones of this machine that are not aliases of its own clock."""
    return frozenset(available_timezones()) - {"localtime", "Factory"}
