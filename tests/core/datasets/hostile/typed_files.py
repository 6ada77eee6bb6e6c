"""Generate hostile Parquet, Arrow IPC and JSON Lines files, with their outcomes."""

import io
import json
import struct
from collections.abc import Iterator

import polars as pl

from tests.core.datasets.hostile.files import READ, Case
from tests.core.datasets.hostile.foreign import FOREIGN

DAMAGED = "damaged or incomplete"
UNREADABLE = "cannot be read"
FRAME = pl.DataFrame(
    {
        "x": range(40),
        "word": ["red", "green", None, "Größe"] * 10,
        "share": [i / 8 for i in range(40)],
    }
)


def parquet(frame: pl.DataFrame = FRAME, **options: object) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, **options)
    return file.getvalue()


def arrow(frame: pl.DataFrame = FRAME, **options: object) -> bytes:
    file = io.BytesIO()
    frame.write_ipc(file, **options)
    return file.getvalue()


def foreign() -> Iterator[Case]:
    """Yield files that other programs write."""
    for name, (content, expected) in FOREIGN.items():
        yield Case(name, content, expected)


def footers() -> Iterator[Case]:
    """Yield Parquet files whose footer is missing, elsewhere, or of a wrong size."""
    whole = parquet()
    size = int.from_bytes(whole[-8:-4], "little")
    for wrong in (0, 1, size - 1, size + 1, len(whole), 2**31, 2**32 - 1):
        content = whole[:-8] + struct.pack("<I", wrong) + b"PAR1"
        yield Case(f"a footer of {wrong} bytes", content, "")
    yield Case("no footer", whole[: -8 - size], DAMAGED)
    yield Case("a footer alone", b"PAR1" + whole[-8 - size :], "")
    yield Case("two files", whole + whole, "")
    yield Case("an encrypted footer", whole[:-4] + b"PARE", DAMAGED)
    yield Case("an encrypted file", b"PARE" + whole[4:], "an encrypted Parquet file")
    # a list of structures, each of one byte
    many = b"\x19\xfc" + b"\xff\xff\xff\x7f" + b"\0" * 3_000_000
    content = b"PAR1" + many + struct.pack("<I", len(many)) + b"PAR1"
    yield Case("a footer of structures", content, "groups of rows")
    nested = b"\x1c" * 500_000
    content = b"PAR1\0" + nested + struct.pack("<I", len(nested)) + b"PAR1"
    yield Case("a footer that is nested", content, DAMAGED)


def pages() -> Iterator[Case]:
    """Yield Parquet files whose pages, sizes or values are damaged."""
    whole = parquet(compression="uncompressed", statistics=False)
    for at in range(4, len(whole) - 8, 7):
        damaged = bytes([*whole[:at], whole[at] ^ 0xFF, *whole[at + 1 :]])
        yield Case(f"Parquet, byte {at}", damaged)
    for end in range(20, len(whole), len(whole) // 12):
        yield Case(f"Parquet, {end} bytes", whole[:end], DAMAGED)
    zeros = pl.select(pl.repeat(0, 200_000_000, dtype=pl.Int64).alias("n"))
    yield Case("Parquet, one value without end", parquet(zeros), "unpacks to")


def columns() -> Iterator[Case]:
    """Yield typed files of many, no, nested or special columns."""
    many = pl.DataFrame({f"c{i}": [1, 2] for i in range(10_000)})
    most = pl.DataFrame({f"c{i}": [i, 2] for i in range(2_000)})
    nested = pl.DataFrame({"x": [1]}).with_columns(a=pl.struct(b=pl.struct(c=[[1]])))
    long = pl.DataFrame({"x": [1, 2], "t": ["a" * 70_000, "b"]})
    names = ["../../etc/passwd", "^.*$", "*", "a\0b", "__proto__", " ", "=1+1"]
    odd = pl.DataFrame({name: [1, 2] for name in names})
    for write in (parquet, arrow):
        kind = write.__name__
        yield Case(f"{kind}, 10,000 columns", write(many), "at most 2,000")
        yield Case(f"{kind}, 2,000 columns", write(most), READ)
        yield Case(f"{kind}, nested", write(nested), "'a' (Struct")
        yield Case(f"{kind}, a long cell", write(long), "Row 1, column 't'")
        yield Case(f"{kind}, no columns", write(pl.DataFrame()), "")
        yield Case(f"{kind}, no rows", write(FRAME.clear()), "no rows")
        yield Case(f"{kind}, odd names", write(odd), "rename the column")
        yield Case(f"{kind}, NUL", write(pl.DataFrame({"t": ["a", "b\0"]})), "U+0000")


def messages() -> Iterator[Case]:
    """Yield Arrow files and streams whose messages are damaged or repeated."""
    whole = arrow()
    stream = io.BytesIO()
    FRAME.write_ipc_stream(stream)
    for name, content in (("Arrow", whole), ("stream", stream.getvalue())):
        for at in range(8, len(content), 9):
            damaged = bytes([*content[:at], content[at] ^ 0xFF, *content[at + 1 :]])
            yield Case(f"{name}, byte {at}", damaged)
    for end in range(12, len(whole), len(whole) // 12):
        yield Case(f"Arrow, {end} bytes", whole[:end], DAMAGED)
    yield from _backwards(stream.getvalue())
    bomb = arrow(pl.DataFrame({"t": ["x" * 60_000] * 40_000}), compression="zstd")
    yield Case("Arrow, a bomb", bomb, "unpacks to")


def _backwards(stream: bytes) -> Iterator[Case]:
    """Yield streams in which the body of a message ends where the message begins."""
    size = 8 + struct.unpack_from("<i", stream, 4)[0]
    body = stream.index(struct.pack("<i", -1), size)
    length = struct.unpack_from("<i", stream, body + 4)[0]
    for at in range(body + 8, body + length, 8):
        for step in (-length - 8, -(2**62)):
            damaged = stream[:at] + struct.pack("<q", step) + stream[at + 8 :]
            yield Case(f"stream, {step} at {at}", damaged)


LINES = {
    "nested deeply": (b'{"a": ' * 3_000 + b"1" + b"}" * 3_000, "Line 1"),
    "lists nested deeply": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "Line 1"),
    "NaN": (b'{"a": 1}\n{"a": NaN}\n', READ),
    "Infinity": (b'{"a": 1}\n{"a": -Infinity}\n', READ),
    "NaN and too many digits": (
        b'{"a": NaN, "b": ' + b"9" * 400 + b'}\n{"a": 1, "b": 1}\n',
        READ,
    ),
    "NaN and half of a surrogate": (b'{"a": NaN, "b": "\\udc00"}\n', "not JSON"),
    "1e400": (b'{"a": 1}\n{"a": 1e400}\n', ""),
    "an integer of 400 digits": (b'{"a": 1}\n{"a": ' + b"9" * 400 + b"}\n", ""),
    "an integer of 5,000 digits": (b'{"a": 1}\n{"a": ' + b"9" * 5_000 + b"}\n", ""),
    "a key twice": (b'{"a": 1, "a": 2}\n{"a": 3, "a": 4}\n', "twice"),
    "types by turns": (b'{"a": 1}\n{"a": "x"}\n{"a": true}\n{"a": null}\n' * 50, READ),
    "a BOM": (b'\xef\xbb\xbf{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', READ),
    "a late BOM": (b'{"a": 1}\n\xef\xbb\xbf{"a": 2}\n', "Line 2"),
    "not UTF-8": (b'{"a": "x"}\n{"a": "\xff\xfe"}\n', "Line 2 is not JSON"),
    "half of a surrogate": (b'{"a": "x"}\n{"a": "\\ud800"}\n', "Line 2 is not JSON"),
    "NUL": (b'{"a": "x\\u0000"}\n{"a": "y"}\n', "U+0000"),
    "NUL in a key": (b'{"a\\u0000b": 1}\n{"a\\u0000b": 2}\n', "rename the column"),
    "CR LF": (b'{"a": 1}\r\n{"a": 2}\r\n', READ),
    "CR": (b'{"a": 1}\r{"a": 2}\r{"a": 3}\r', ""),
    "an empty key": (b'{"": 1, "b": 2}\n{"": 3, "b": 4}\n', READ),
    "no key": (b"{}\n{}\n", ""),
    "blank lines": (b'{"a": 1}\n' + b"\n" * 100_000 + b'{"a": 2}\n', READ),
    "a line of 3 MB": (b'{"a": "' + b"x" * 3_000_000 + b'"}\n', "Row 1, column 'a'"),
    "100,000 keys": (
        json.dumps({f"k{i}": 1 for i in range(100_000)}).encode() + b"\n{}\n",
        "at most 2,000",
    ),
    "a key of 1 MB": (b'{"' + b"k" * 1_000_000 + b'": 1}\n' * 2, ""),
    "an array within": (b'{"a": [1, 2]}\n{"a": [3]}\n', "'a'"),
    "lines of two kinds": (b'{"a": 1}\n[1]\n', "Line 2 is '[1]'"),
    "a CSV after JSON": (b'{"a": 1}\na,b\n1,2\n', "Line 2 is 'a,b'"),
    "cut": (b'{"a": 1}\n{"a": 2}\n{"a"', "Line 3 is not JSON"),
    "dates and times": (b'{"d": "2024-01-31T24:00:00Z"}\n{"d": "x"}\n', READ),
}


def json_lines() -> Iterator[Case]:
    """Yield JSON Lines with faults, limits and odd values."""
    for name, (content, expected) in LINES.items():
        yield Case(f"JSON Lines, {name}", content, expected)
    text = '{"a": 1, "b": "Größe"}\n' * 40
    for codec in ("utf-16", "utf-16-le", "utf-32"):
        yield Case(f"JSON Lines, {codec}", text.encode(codec), "UTF-8")


def typed_cases() -> list[Case]:
    """Return the whole corpus."""
    parts = (foreign, footers, pages, columns, messages, json_lines)
    return [case for part in parts for case in part()]
