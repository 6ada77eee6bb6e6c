"""Quote text that a spreadsheet would run as a formula (CSV injection).

The first characters are those of OWASP's list, and their full-width forms.
"""

import re

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9][0-9.,' \u00a0\u202f]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s?%?", re.ASCII
)
_DASHES = ("-", "--")


def harmless(cell: object) -> object:
    """Return the cell, with a quote in front if it is text that begins like a formula.

    Numbers as text, and the dashes that mean "missing", are not formulas.
    """
    if not isinstance(cell, str) or not cell.startswith(_STARTS):
        return cell
    if cell in _DASHES or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
