"""Cells of text that a spreadsheet would run as a formula (CSV injection).

After OWASP's list of characters, with their full-width twins.
"""

import re

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(
    r"[+-]?(?:[0-9][0-9.,' \u00a0\u202f]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s?%?", re.ASCII
)
_DASHES = ("-", "--")


def harmless(cell: object) -> object:
    """The cell with a quote in front if it is text that begins as a formula does.

    Numbers stay as they are, also where they are text: a minus is no formula. So do the
    dashes that mean "missing".
    """
    if not isinstance(cell, str) or not cell.startswith(_STARTS):
        return cell
    if cell in _DASHES or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
