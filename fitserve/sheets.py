"""Choose the sheet of a workbook, and write its cells as text."""

import datetime as dt
from typing import Any

LARGEST_EXACT = 2**53


def sheet_with_rows(book: Any) -> Any | None:
    """Return the first visible sheet with cells of a workbook that calamine opened."""
    visible = [
        one.name
        for one in book.sheets_metadata
        if str(one.visible).rpartition(".")[2] == "Visible"
    ]
    for name in visible or book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height:
            return sheet
    return None


def text_of(cell: Any) -> str:
    """Return a cell as text: a whole number without a point, a time in ISO 8601."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= LARGEST_EXACT:
        return str(int(cell))
    if isinstance(cell, dt.timedelta):
        return str(cell.total_seconds())
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
