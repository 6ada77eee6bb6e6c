"""Write the page of settings from their classes."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.settings import Settings
from docs.generating.tables import table

INTRO = """\
# Settings

Generated from `core/settings.py` by `python -m docs.generate`. Every setting is an
environment variable; lists are written as JSON. Sizes are in bytes, times in seconds.

"""


def page() -> str:
    """Return docs/settings.md."""
    return INTRO + table(("variable", "default", "meaning"), _rows(Settings, ""))


def _rows(model: type[BaseModel], prefix: str) -> Iterable[tuple[str, str, str]]:
    groups = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            groups.append((kind, f"{prefix}{name.upper()}__"))
        else:
            said = " ".join((field.description or "").split()).rstrip(".")
            yield f"`FITSERVE_{prefix}{name.upper()}`", _default(field), said
    for kind, below in groups:
        yield from _rows(kind, below)


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True)
    if value is None:
        return ""
    return f"`{value}`" if isinstance(value, str | Path) else f"`{json.dumps(value)}`"
