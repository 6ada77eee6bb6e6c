"""Describe wrong settings by the names of their environment variables."""

from pydantic import ValidationError


def settings_sentences(error: ValidationError) -> list[str]:
    """Return a sentence for each wrong setting, without its value."""
    return [_sentence(line["loc"], line["msg"]) for line in error.errors()]


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    name = "__".join(str(part).upper() for part in loc)
    return f"FITSERVE_{name}: {message}" if name else message
