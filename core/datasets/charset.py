"""Find the charset of a CSV, and convert it to UTF-8."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidTable

_CHUNK = 1024 * 1024
_SAMPLE = 64 * 1024
_WESTERN_SHARE = 0.3
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
    """A Python codec, whether it was guessed, and whether lines end in CR alone."""

    codec: str
    is_guessed: bool
    has_bare_cr: bool

    @property
    def is_plain(self) -> bool:
        """Return whether the file can be read without conversion."""
        return self.codec == "utf-8" and not self.has_bare_cr

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
    codec = _utf8_or_legacy(source, whole=whole)
    return Charset(codec, is_guessed=codec != "utf-8", has_bare_cr=_bare_cr(source))


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
    """Return whether lines end in CR alone, as on old Macs."""
    with source.open("rb") as file:
        start = file.read(_CHUNK)
    return b"\r" in start and b"\n" not in start


def _utf8_or_legacy(source: Path, *, whole: bool) -> str:
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
                return _legacy(source, offset - kept + fault.start)
            offset += len(chunk)
            if not whole:
                break
    return "utf-8"


def _nul(offset: int) -> InvalidTable:
    return InvalidTable(
        f"Byte {offset:,} is NUL, so the file is not a CSV; save it as CSV UTF-8."
    )


def _legacy(source: Path, offset: int) -> str:
    """Return the likeliest single-byte or East Asian charset of the text at `offset`."""
    with source.open("rb") as file:
        file.seek(max(0, offset - 1024))
        sample = file.read(_SAMPLE)
    text = sample.decode("utf-8", errors="replace")
    good = sum(ord(char) > 127 and char != "\ufffd" for char in text)
    if good > 4 * text.count("\ufffd"):
        raise InvalidTable(
            f"Byte {offset:,} is not UTF-8, but the text around it is; correct that "
            "cell, or set the `encoding` of the file."
        )
    lines = b"\n".join(line for line in sample.splitlines() if not line.isascii())
    if _share_beyond_ascii(lines) < _WESTERN_SHARE:
        return _western(source)
    from charset_normalizer import from_bytes  # noqa: PLC0415  most tables are UTF-8

    best = from_bytes(lines, cp_isolation=_LEGACY).best()
    if best is None or "cp1252" in best.could_be_from_charset:
        return _western(source)
    return best.encoding


def _share_beyond_ascii(text: bytes) -> float:
    """Return the share of letters that are not ASCII; it is low in Western Europe."""
    beyond = sum(byte > 127 for byte in text)
    letters = sum(byte < 128 and chr(byte).isalpha() for byte in text)
    return beyond / max(1, beyond + letters)


def _western(source: Path) -> str:
    """Return Latin-1 if the file has bytes that Windows-1252 does not define."""
    undefined = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
    with source.open("rb") as file:
        start = file.read(_CHUNK)
    return "latin-1" if set(start) & set(undefined) else "cp1252"


def to_utf8(source: Path, target: Path, encoding: Charset) -> None:
    """Write the file in UTF-8 with LF; raise InvalidTable if it cannot be decoded."""
    try:
        with (
            source.open(encoding=encoding.codec) as text,
            target.open("w", encoding="utf-8", newline="\n") as plain,
        ):
            while chunk := text.read(_CHUNK):
                if "\0" in chunk:
                    raise _nul(chunk.index("\0"))
                plain.write(chunk)
    except UnicodeError as fault:
        where = f"byte {fault.start}: " if isinstance(fault, UnicodeDecodeError) else ""
        reason = getattr(fault, "reason", str(fault))
        raise InvalidTable(
            f"The file is not in {encoding.name} ({where}{reason}); "
            "set its `encoding`, or save it as CSV UTF-8."
        ) from fault
