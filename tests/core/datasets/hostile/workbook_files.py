"""Generate hostile workbooks, each with its expected outcome."""

import io
import zipfile
from collections.abc import Iterator

from tests.core.datasets.hostile.files import READ, Case
from tests.workbooks import Raw, error, ods, xlsx, zipped

ROWS = [["n", "word"], *[[i, "ab"[i % 2]] for i in range(12)]]
BAD_ZIP = "cannot be read"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_NUMBER = '<c r="{at}"><v>{value}</v></c>'


def _row(cells: str, number: str = "1") -> str:
    return f'<row r="{number}">{cells}</row>'


def _head() -> str:
    return _row('<c r="A1" t="inlineStr"><is><t>n</t></is></c>')


def _below(cells: str) -> Raw:
    return Raw(_head() + _row(cells, "2") + _row(_NUMBER.format(at="A3", value="2"), "3"))


def parts_of(book: bytes) -> dict[str, str]:
    """Return the parts of a workbook, to be changed."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _with(book: bytes, **changed: str | None) -> bytes:
    """Return a workbook whose parts are replaced; keys end the names of parts."""
    parts = parts_of(book)
    for key, text in changed.items():
        name = next(n for n in parts if key in n)
        if text is None:
            parts.pop(name)
        else:
            parts[name] = text
    return zipped(parts)


def entities() -> Iterator[Case]:
    """Yield workbooks with XML entities, which are never expanded."""
    for name, start, word in (("laughs", LAUGHS, "j"), ("a file", OUTSIDE, "a")):
        cell = f'<c r="A2" t="inlineStr"><is><t>&{word};</t></is></c>'
        sheet = parts_of(xlsx({"s": _below(cell)}))["xl/worksheets/s0.xml"]
        yield Case(f"xlsx, {name}", _with(xlsx({"s": ROWS}), s0=start + sheet), "")
        text = parts_of(ods({"s": [["n"], [f"@{word};"], [2]]}))["content.xml"]
        content = start + text.replace(f"@{word};", f"&{word};")
        yield Case(f"ods, {name}", _with(ods({"s": ROWS}), content=content), "")


CELLS = {
    "a shared text beyond the table": ('<c r="A2" t="s"><v>99</v></c>', ""),
    "a negative shared text": ('<c r="A2" t="s"><v>-1</v></c>', ""),
    "a number that is none": ('<c r="A2"><v>1.2.3</v></c>', ""),
    "1e400": ('<c r="A2"><v>1e400</v></c>', ""),
    "NaN": ('<c r="A2"><v>NaN</v></c>', ""),
    "a style beyond the table": ('<c r="A2" s="9999"><v>1</v></c>', READ),
    "an unknown type": ('<c r="A2" t="zzz"><v>1</v></c>', ""),
    "a formula without a result": ('<c r="A2"><f>1+1</f></c>', READ),
    "a formula that is an error": ('<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', READ),
    "an unknown error": ('<c r="A2" t="e"><v>#WHAT!</v></c>', ""),
    "a date far away": ('<c r="A2" s="1"><v>1e15</v></c>', ""),
    "a negative date": ('<c r="A2" s="1"><v>-5</v></c>', ""),
    "an ISO date": ('<c r="A2" t="d"><v>2024-13-45</v></c>', ""),
    "a boolean that is none": ('<c r="A2" t="b"><v>maybe</v></c>', ""),
    "a reference without a row": ('<c r="A"><v>1</v></c>', ""),
    "a reference beyond the sheet": ('<c r="ZZZZZZ2"><v>1</v></c>', ""),
    "a reference of 10,000 letters": (f'<c r="{"A" * 10_000}2"><v>1</v></c>', ""),
    "no reference": ("<c><v>1</v></c>", READ),
    "a tag that is not closed": ('<c r="A2"><v>1', "cannot be read"),
    "U+0000": ('<c r="A2" t="inlineStr"><is><t>&#0;</t></is></c>', ""),
    "_x0000_": ('<c r="A2" t="inlineStr"><is><t>a_x0000_</t></is></c>', ""),
}


def cells() -> Iterator[Case]:
    """Yield workbooks with one odd cell."""
    for name, (cell, expected) in CELLS.items():
        yield Case(f"xlsx, {name}", xlsx({"s": _below(cell)}), expected)
    for number in ("0", "-1", "4294967296", "1048577", "x"):
        rows = Raw(_head() + _row(_NUMBER.format(at=f"A{number}", value=1), number))
        yield Case(f"xlsx, row {number}", xlsx({"s": rows}), "")
    errors = [[error(word)] for word in ("#N/A", "#REF!", "#NAME?", "#NULL!", "#NUM!")]
    yield Case("xlsx, errors", xlsx({"s": [["n"], *errors, [1], [2]]}), READ)


def dimensions() -> Iterator[Case]:
    """Yield sheets that declare more than they hold, or hold cells far away."""
    for ref in ("A1:XFD1048576", "XFD1048576:A1", "A1:ZZZZ99999999", "", "x"):
        book = xlsx({"s": ROWS}, dimension=f'<dimension ref="{ref}"/>')
        yield Case(f"xlsx, dimension {ref!r}", book, "")
    far = _row(_NUMBER.format(at="XFD1048576", value=1), "1048576")
    yield Case("xlsx, a far cell", xlsx({"s": Raw(_head() + far)}), "")
    wide = [[f"c{i}" for i in range(2_001)], list(range(2_001))]
    yield Case("xlsx, 2,001 columns", xlsx({"s": wide}), "at most 2,000")
    for rows, columns in ((2**20, 1), (2**20, 2**14), (2**31, 1), (-1, -1), (0, 0)):
        cell = (
            f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell '
            f'table:number-columns-repeated="{columns}" office:value-type="float" '
            'office:value="1"/></table:table-row>'
        )
        yield Case(f"ods, {rows} x {columns}", ods({"s": Raw(cell)}), "")


def archives() -> Iterator[Case]:
    """Yield archives that are cut, locked, or lack parts."""
    for write in (xlsx, ods):
        kind, whole = write.__name__, write({"s": ROWS})
        for end in range(4, len(whole), len(whole) // 8):
            yield Case(f"{kind}, {end} bytes", whole[:end], BAD_ZIP)
        for at in range(30, len(whole), len(whole) // 40):
            damaged = bytes([*whole[:at], whole[at] ^ 0xFF, *whole[at + 1 :]])
            yield Case(f"{kind}, byte {at}", damaged)
        locked = bytearray(whole)
        for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = locked.find(start)
            while at >= 0:
                locked[at + flags] |= 1
                at = locked.find(start, at + 4)
        yield Case(f"{kind}, a password on the archive", bytes(locked), "password")
    for part in ("s0", "workbook.xml.rels", "styles", "xl/workbook.xml"):
        yield Case(f"xlsx without {part}", _with(xlsx({"s": ROWS}), **{part: None}), "")
    yield Case("ods without content", _with(ods({"s": ROWS}), content=None), "")
    locked_ods = _with(
        ods({"s": ROWS}),
        manifest='<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:'
        'xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml">'
        "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>",
    )
    yield Case("ods with a password", locked_ods, "password")
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4_000
    yield Case("xlsx with a password", compound, "encrypted")
    climbing = parts_of(xlsx({"s": ROWS})) | {"../../../tmp/climbed": "x"}
    yield Case("a name that climbs", zipped(climbing), READ)
    yield Case("an empty archive", b"PK\x05\x06" + b"\0" * 18, "")
    yield Case("a slide show", zipped({"ppt/presentation.xml": "<a/>"}), "ZIP archive")


def bombs() -> Iterator[Case]:
    """Yield archives that unpack to gigabytes, as they say or although they do not."""
    yield Case("a bomb", _bomb(1_200), "unpacks to")
    lying = bytearray(_bomb(400))
    size = (400 * 2**20).to_bytes(4, "little")
    for start, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = lying.find(start)
        while at >= 0:
            if lying[at + place : at + place + 4] == size:
                lying[at + place : at + place + 4] = (1_000).to_bytes(4, "little")
            at = lying.find(start, at + 4)
    yield Case("a bomb that lies", bytes(lying), "")
    texts = Raw("".join(_row(f'<c t="inlineStr"><is><t>{"x" * 30_000}</t></is></c>') for _ in range(3_000)))  # fmt: skip
    yield Case("90 MB of texts", xlsx({"s": texts}), "")


def _bomb(megabytes: int) -> bytes:
    file = io.BytesIO(xlsx({"s": ROWS}))
    with (
        zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/sharedStrings.xml", "w") as part,
    ):
        for _ in range(megabytes):
            part.write(b"\0" * 2**20)
    return file.getvalue()


def workbook_cases() -> list[Case]:
    """Return the whole corpus."""
    parts = (entities, cells, dimensions, archives, bombs)
    return [case for part in parts for case in part()]
