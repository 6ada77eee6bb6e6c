"""The environment variables that a deployment may set."""

import re

from docs.generating.settings import page

SETTINGS = frozenset(re.findall(r"^\| `(FITSERVE_\w+)`", page(), re.MULTILINE))
_OTHERS = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "FORWARDED_ALLOW_IPS",  # uvicorn's
    }
)


def unknown(names: set[str]) -> set[str]:
    """Return the names that no process of fitserve reads."""
    return names - SETTINGS - _OTHERS
