"""Find the charset of a CSV, and convert it to UTF-8."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidTable

_CHUNK = 1024 * 1024
_SAMPLE = 64 * 1024
_WESTERN_SHARE = 0.3
_WESTERN_SIGNS = bytes(
    [
        0x80,
        0x85,
        0x89,
        *range(0x91, 0x98),
        0x99,
        *range(0xA0, 0xC0),
        0xD7,
        0xD8,
        0xF7,
        0xF8,
    ]
)
"""Bytes that are signs in Windows-1252 (such as € £ °), and letters elsewhere."""
_UNDEFINED = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
"""Bytes that Windows-1252 does not define."""
_ODD = re.compile("[\udc80-\udcff]")
"""Bytes that are not UTF-8, as Python's `surrogateescape` decodes them."""
_WESTERN = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(128, 256)
}
_PAIR = re.compile(rb"[\x80-\xff]{2}")
_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_2", "koi8_r"),
    *("cp932", "gb18030", "big5", "euc_kr", "euc_jp"),
]
_PUBLIC = {"utf_8": "utf-8", "cp1252": "windows-1252", "utf-8-sig": "utf-8"}


@dataclass(frozen=True)
class Charset:
    """The charset of a file.

    Args:
        codec: the name of a Python codec.
        is_guessed: whether the codec was guessed.
        has_bare_cr: whether lines end in CR alone.
        has_odd_bytes: whether some bytes of a file in UTF-8 are not UTF-8.

    """

    codec: str
    is_guessed: bool
    has_bare_cr: bool
    has_odd_bytes: bool = False

    @property
    def is_plain(self) -> bool:
        """Return whether the file can be read without conversion."""
        return self.codec == "utf-8" and not (self.has_bare_cr or self.has_odd_bytes)

    @property
    def name(self) -> str:
        """Return the name that users see."""
        return _PUBLIC.get(self.codec, self.codec.replace("_", "-"))


def find_charset(source: Path, given: str | None, *, whole: bool) -> Charset:
    """Return the charset of the file; without `whole`, read only the beginning.

    Raises InvalidTable for an unknown name, broken UTF-8, or NUL bytes.
    """
    if given is not None:
        return Charset(_codec(given), is_guessed=False, has_bare_cr=_bare_cr(source))
    with source.open("rb") as file:
        start = file.read(_SAMPLE)
    codec = next((codec for bom, codec in _BOMS if start.startswith(bom)), None)
    codec = codec or _wide(start)
    if codec is not None:
        return Charset(codec, is_guessed=False, has_bare_cr=_bare_cr(source))
    offset = _first_odd_byte(source, whole=whole)
    codec = "utf-8" if offset is None else _legacy(source, offset)
    return Charset(
        codec,
        is_guessed=codec != "utf-8",
        has_bare_cr=_bare_cr(source),
        has_odd_bytes=codec == "utf-8" and offset is not None,
    )


def _codec(given: str) -> str:
    try:
        codec = codecs.lookup(given).name
        "".encode(codec)  # some codecs do not encode text
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidTable(
            f"There is no encoding {given[:40]!r}; expected a name such as utf-8, "
            "windows-1252 or utf-16."
        ) from error
    return "utf-8-sig" if codec == "utf-8" else codec


def _wide(start: bytes) -> str | None:
    """Return UTF-16 if every other byte is NUL, as in plain text without a BOM."""
    if len(start) < 4:
        return None
    if start[1::2].count(0) > 0.4 * len(start) / 2 and 0 not in start[::2]:
        return "utf-16-le"
    if start[::2].count(0) > 0.4 * len(start) / 2 and 0 not in start[1::2]:
        return "utf-16-be"
    return None


def _bare_cr(source: Path) -> bool:
    """Return whether lines end in CR alone, as on old Macs.

    Some lines may end in LF as well: the last one, or those of a second program.
    """
    with source.open("rb") as file:
        start = file.read(_CHUNK)
    # CR CR LF is one line end, as a second conversion to CR LF leaves it
    bare = start.count(b"\r") - start.count(b"\r\n") - start.count(b"\r\r\n")
    if not bare:
        return False
    return bare >= start.count(b"\n") or _are_even(start.splitlines())


def _are_even(lines: list[bytes]) -> bool:
    """Return whether a delimiter occurs in all lines, and equally often."""
    counts = (
        {line.count(mark.encode()) for line in lines if line} for mark in _DELIMITERS
    )
    return any(len(found) == 1 and found != {0} for found in counts)


def _first_odd_byte(source: Path, *, whole: bool) -> int | None:
    """Return the place of the first byte that is not UTF-8; raise for a NUL byte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if 0 in chunk:
                raise _nul(offset + chunk.index(0))
            kept = len(decoder.getstate()[0])  # bytes of a character that ends here
            try:
                decoder.decode(chunk, final=len(chunk) < _CHUNK)
            except UnicodeDecodeError as fault:
                return offset - kept + fault.start
            offset += len(chunk)
            if not whole:
                break
    return None


def _nul(offset: int) -> InvalidTable:
    return InvalidTable(
        f"Byte {offset:,} is NUL, so the file is not a CSV; save it as CSV UTF-8."
    )


def _legacy(source: Path, offset: int) -> str:
    """Return the likeliest charset of the text at `offset`, which is not UTF-8.

    It is UTF-8 nevertheless if most of the text is: text in another charset hardly ever
    has valid UTF-8 in it.
    """
    with source.open("rb") as file:
        file.seek(max(0, offset - 1024))
        sample = file.read(_SAMPLE)
    if _is_mostly_utf8(sample):
        return "utf-8"
    lines = b"\n".join(line for line in sample.splitlines() if _has_letters(line))
    pairs = any(map(_has_letters, _PAIR.findall(lines)))
    if not pairs or _share_beyond_ascii(lines) < _WESTERN_SHARE:
        return _western(source)
    from charset_normalizer import from_bytes  # noqa: PLC0415  most tables are UTF-8

    best = from_bytes(lines, cp_isolation=_LEGACY).best()
    if best is None or "cp1252" in best.could_be_from_charset:
        return _western(source)
    return best.encoding


def _is_mostly_utf8(sample: bytes) -> bool:
    """Return whether most of the characters beyond ASCII are valid UTF-8."""
    text = sample.decode("utf-8", errors="surrogateescape")
    odd = len(_ODD.findall(text))
    valid = sum(ord(char) > 127 for char in text) - odd
    return valid >= odd


def _has_letters(line: bytes) -> bool:
    """Return whether a line has bytes beyond ASCII that are no signs in Windows-1252."""
    return any(byte > 127 for byte in line.translate(None, _WESTERN_SIGNS))


def _share_beyond_ascii(text: bytes) -> float:
    """Return the share of letters that are not ASCII; it is low in Western Europe."""
    beyond = sum(byte > 127 for byte in text)
    letters = sum(byte < 128 and chr(byte).isalpha() for byte in text)
    return beyond / max(1, beyond + letters)


def _western(source: Path) -> str:
    """Return Latin-1 if the file has bytes that Windows-1252 does not define."""
    with source.open("rb") as file:
        start = file.read(_CHUNK)
    return "latin-1" if set(start) & set(_UNDEFINED) else "cp1252"


def to_utf8(source: Path, target: Path, charset: Charset) -> list[str]:
    """Write the file in UTF-8 with LF; return warnings about bytes that are not UTF-8.

    Raises InvalidTable if the file cannot be decoded.
    """
    is_utf8 = charset.codec in ("utf-8", "utf-8-sig")
    odd = _OddBytes()
    try:
        with (
            source.open(
                encoding=charset.codec,
                errors="surrogateescape" if is_utf8 else "strict",
            ) as text,
            target.open("w", encoding="utf-8", newline="\n") as plain,
        ):
            while chunk := text.read(_CHUNK):
                if "\0" in chunk:
                    raise _nul(chunk.index("\0"))
                plain.write(odd.read(chunk) if is_utf8 else chunk)
    except UnicodeError as fault:
        where = f"byte {fault.start}: " if isinstance(fault, UnicodeDecodeError) else ""
        reason = getattr(fault, "reason", str(fault))
        raise _not_in(charset, f"{where}{reason}") from fault
    if odd.count and not charset.has_odd_bytes and not odd.are_few:
        raise _not_in(charset, f"line {odd.line}: {odd.shown!r}")
    return odd.warnings()


def _not_in(charset: Charset, where: str) -> InvalidTable:
    return InvalidTable(
        f"The file is not in {charset.name} ({where}); "
        "set its `encoding`, or save it as CSV UTF-8."
    )


@dataclass
class _OddBytes:
    """The bytes of a text in UTF-8 that are not UTF-8; they are read as Windows-1252."""

    count: int = 0
    valid: int = 0
    """The number of characters beyond ASCII that are valid UTF-8."""
    line: int = 1
    shown: str = ""
    """The text around the first odd byte, which is in `line`."""

    @property
    def are_few(self) -> bool:
        """Return whether most of the characters beyond ASCII are valid UTF-8."""
        return self.valid >= self.count

    def read(self, chunk: str) -> str:
        """Return the next part of the text, with a letter for each odd byte."""
        if chunk.isascii():
            self.line += 0 if self.count else chunk.count("\n")
            return chunk
        places = [found.start() for found in _ODD.finditer(chunk)]
        self.valid += sum(char > "\x7f" for char in chunk) - len(places)
        whole = chunk.translate(_WESTERN) if places else chunk
        if not self.count:
            first = places[0] if places else len(chunk)
            self.line += chunk.count("\n", 0, first)
            self.shown = _around(whole, first)
        self.count += len(places)
        return whole

    def warnings(self) -> list[str]:
        """Return a warning if there were odd bytes."""
        if not self.count:
            return []
        warning = (
            f"{self.count:,} byte(s) are not UTF-8, the first one in line {self.line} "
            f"({self.shown!r}), and are read as windows-1252; correct the cells, or set "
            "the `encoding` of the file"
        )
        return [warning]


def _around(text: str, place: int) -> str:
    """Return the text around a place, in its line."""
    before = text[max(0, place - 20) : place].rpartition("\n")[2]
    return before + text[place : place + 20].partition("\n")[0]
