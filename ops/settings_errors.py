"""Describe wrong settings by the names of their environment variables."""

import re

from pydantic import ValidationError
from pydantic_settings import SettingsError

WRONG_SETTINGS = (ValidationError, SettingsError)
"""The errors that reading the settings may raise."""
_FIELD = re.compile(r'field "(\w+)"')


def settings_sentences(error: ValidationError | SettingsError) -> list[str]:
    """Return a sentence for each wrong setting, without its value."""
    if isinstance(error, SettingsError):
        return [_not_json(str(error))]
    return [_sentence(line["loc"], line["msg"]) for line in error.errors()]


def _not_json(message: str) -> str:
    """Return the sentence for a variable of several values that is not JSON."""
    found = _FIELD.search(message)
    name = f"FITSERVE_{found[1].upper()}" if found else "A variable FITSERVE_…"
    return f'{name}: expected JSON, such as \'["a", "b"]\' for a list'


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    place = [part for part in loc if isinstance(part, str)]
    items = "".join(f"[{part}]" for part in loc if isinstance(part, int))
    name = "__".join(part.upper() for part in place)
    return f"FITSERVE_{name}{items}: {message}" if name else message
