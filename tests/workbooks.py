"""Small workbooks, written by hand: the tests need no library that writes them."""

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><cellXfs count="4"><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="46"/></cellXfs></styleSheet>'
)
_EPOCH = dt.date(1899, 12, 30)
Rows = Sequence[Sequence[Any]]


class Raw(str):
    """A cell of a sheet that is written as it is."""

    __slots__ = ()


def xlsx(sheets: dict[str, Rows | Raw], dimension: str = "") -> bytes:
    """Return a workbook; a sheet is its rows, or the XML of its `sheetData`."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": _relations({"r1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": _workbook(list(sheets)),
        "xl/_rels/workbook.xml.rels": _relations(
            {f"s{i}": ("worksheet", f"worksheets/s{i}.xml") for i in range(len(sheets))}
            | {"style": ("styles", "styles.xml")}
        ),
        "xl/styles.xml": _STYLES,
    }
    for i, rows in enumerate(sheets.values()):
        data = (
            rows
            if isinstance(rows, Raw)
            else "".join(_row(n, r) for n, r in enumerate(rows, 1))
        )
        parts[f"xl/worksheets/s{i}.xml"] = (
            f'<worksheet xmlns="{_MAIN}">{dimension}<sheetData>{data}</sheetData></worksheet>'
        )
    return zipped(parts)


def zipped(parts: dict[str, str]) -> bytes:
    """Return a ZIP archive of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _workbook(names: list[str]) -> str:
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{i + 1}" r:id="s{i}"/>'
        for i, name in enumerate(names)
    )
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>{sheets}</sheets></workbook>'
    )


def _relations(found: dict[str, tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="{key}" Type="{_REL}/{kind}" Target="{target}"/>'
        for key, (kind, target) in found.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _row(number: int, cells: Sequence[Any]) -> str:
    written = "".join(_cell(f"{column(i)}{number}", c) for i, c in enumerate(cells))
    return f'<row r="{number}">{written}</row>'


def column(place: int) -> str:
    """Return the letters of a column, from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _cell(at: str, cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Raw):
        return cell.replace("@", at)
    if isinstance(cell, bool):
        return f'<c r="{at}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, int | float):
        return f'<c r="{at}"><v>{cell}</v></c>'
    if isinstance(cell, dt.datetime):
        return f'<c r="{at}" s="2"><v>{_days(cell)}</v></c>'
    if isinstance(cell, dt.date):
        return f'<c r="{at}" s="1"><v>{(cell - _EPOCH).days}</v></c>'
    if isinstance(cell, dt.timedelta):
        return f'<c r="{at}" s="3"><v>{cell / dt.timedelta(1)}</v></c>'
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(str(cell))}</t></is></c>'


def _days(moment: dt.datetime) -> float:
    part = dt.timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)
    return (moment.date() - _EPOCH).days + part / dt.timedelta(1)


def error(word: str) -> Raw:
    """Return a cell that holds an error, such as `#N/A`."""
    return Raw(f'<c r="@" t="e"><v>{word}</v></c>')


def ods(sheets: dict[str, Rows | Raw]) -> bytes:
    """Return an OpenDocument workbook; a sheet is its rows, or the XML of its table."""
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>"
        + (rows if isinstance(rows, Raw) else "".join(map(_ods_row, rows)))
        + "</table:table>"
        for name, rows in sheets.items()
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:'
        'manifest:1.0"></manifest:manifest>'
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped(
        {"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest}
    )


def _ods_row(cells: Sequence[Any]) -> str:
    return f"<table:table-row>{''.join(map(_ods_cell, cells))}</table:table-row>"


def _ods_cell(cell: Any) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bool):
        value = f'"boolean" office:boolean-value="{str(cell).lower()}"'
    elif isinstance(cell, int | float):
        value = f'"float" office:value="{cell}"'
    elif isinstance(cell, dt.date):
        value = f'"date" office:date-value="{cell.isoformat()}"'
    else:
        value = '"string"'
    text = f"<text:p>{escape(str(cell))}</text:p>"
    return f"<table:table-cell office:value-type={value}>{text}</table:table-cell>"
