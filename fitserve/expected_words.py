"""Describe in words which value a field expects, instead of pydantic's message."""

from pydantic_core import ErrorDetails

from fitserve.text_patterns import IN_WORDS

_WORDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number, not NaN or infinity",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "string_too_short": "a text of at least {min_length} characters",
    "string_too_long": "a text of at most {max_length} characters",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}
"""The words for each error type of pydantic; `{ge}` is a value of the error's context."""
_ONE = {"string_too_short": "a text that is not empty", "too_short": "at least 1 item"}
"""The words if the bound is 1."""


def expected(line: ErrorDetails) -> str:
    """Return in words which value the field of an error expects."""
    kind, ctx = line["type"], line.get("ctx", {})
    if kind == "string_pattern_mismatch":
        pattern = ctx["pattern"]
        return IN_WORDS.get(pattern, f"a text that matches {pattern}")
    if ctx.get("min_length") == 1 and kind in _ONE:
        return _ONE[kind]
    if kind in _WORDS:
        return _WORDS[kind].format_map(ctx)
    return line["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
