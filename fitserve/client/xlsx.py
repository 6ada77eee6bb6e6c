"""Write rows of cells as a workbook with one sheet."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_SCHEMAS = "http://schemas.openxmlformats.org"
_MAIN = f"{_SCHEMAS}/spreadsheetml/2006/main"
_REL = f"{_SCHEMAS}/officeDocument/2006/relationships"
_PACKAGE = f"{_SCHEMAS}/package/2006"
_FORMATS = {dt.date: 14, dt.datetime: 22, dt.time: 21, dt.timedelta: 46}
"""The number in Excel's list of formats, for each type of cells."""
_STYLES = {kind: number for number, kind in enumerate(_FORMATS, start=1)}
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  cells have no zone
_DAY = dt.timedelta(days=1)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xlsx_of(sheet: str, rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a workbook whose only sheet has these rows; an empty text is no cell."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _around(sheet).items():
            archive.writestr(name, content)
        written = "".join(_row(number, cells) for number, cells in enumerate(rows, 1))
        data = f"<sheetData>{written}</sheetData>"
        archive.writestr("xl/sheet.xml", f'<worksheet xmlns="{_MAIN}">{data}</worksheet>')
    return file.getvalue()


def _around(sheet: str) -> dict[str, str]:
    """Return the files of a workbook besides its sheet."""
    formats = "".join(f'<xf numFmtId="{number}"/>' for number in (0, *_FORMATS.values()))
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": _relations({"officeDocument": "xl/workbook.xml"}),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>'
        f'<sheet name={quoteattr(sheet)} sheetId="1" r:id="worksheet"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            {"worksheet": "sheet.xml", "styles": "styles.xml"}
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs>{formats}</cellXfs>'
        "</styleSheet>",
    }


def _relations(targets: dict[str, str]) -> str:
    each = "".join(
        f'<Relationship Id="{kind}" Type="{_REL}/{kind}" Target="{target}"/>'
        for kind, target in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _row(number: int, cells: Sequence[Any]) -> str:
    written = "".join(
        _cell(f"{_letters(place)}{number}", cell)
        for place, cell in enumerate(cells)
        if cell != ""
    )
    return f'<row r="{number}">{written}</row>'


def _letters(place: int) -> str:
    """Return the letters of a column, from 0."""
    first, last = divmod(place, 26)
    return (_letters(first - 1) if first else "") + chr(ord("A") + last)


def _cell(at: str, cell: Any) -> str:
    if isinstance(cell, bool):
        return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, int | float):
        return f'<c r="{at}"><v>{cell!r}</v></c>'
    if (style := _STYLES.get(type(cell))) is not None:
        return f'<c r="{at}" s="{style}"><v>{_days(cell)!r}</v></c>'
    text = escape(_NOT_XML.sub("", str(cell)), {"\r": "&#13;"})
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _days(cell: Any) -> float:
    """Return a date, a time or a duration as Excel's number of days."""
    if isinstance(cell, dt.timedelta):
        return cell / _DAY
    if isinstance(cell, dt.time):
        return (dt.datetime.combine(_EPOCH, cell) - _EPOCH) / _DAY
    if not isinstance(cell, dt.datetime):
        cell = dt.datetime.combine(cell, dt.time())
    return float((cell - _EPOCH) / _DAY)
