"""Generate hostile CSVs, each with its expected outcome."""

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

READ = "read"
Rows = list[list[str]]


class Case(NamedTuple):
    """A file; `expected` is READ, a part of the error message, or "" for either outcome."""

    name: str
    content: bytes
    expected: str = ""


def table(num_columns: int, num_rows: int) -> Rows:
    """Return a header, then rows of a number, a word, a share, and so on."""
    kinds: list[Callable[[int], str]] = [
        str,
        lambda i: "ab"[i % 2] + "c",
        lambda i: str(i / 8),
    ]
    rows = [[kinds[c % 3](i) for c in range(num_columns)] for i in range(num_rows)]
    return [[f"name{c}" for c in range(num_columns)], *rows]


def written(rows: Rows, end: str = "\n", delimiter: str = ",") -> bytes:
    return "".join(delimiter.join(row) + end for row in rows).encode()


def with_cell(rows: Rows, row: int, column: int, cell: str) -> Rows:
    changed = [list(cells) for cells in rows]
    changed[row][column] = cell
    return changed


def ragged(rows: Rows, end: str) -> Iterator[Case]:
    """Yield files with longer or shorter lines: first, in the middle, last."""
    for row in (1, len(rows) // 2, len(rows) - 1):
        long = [*rows[:row], [*rows[row], "x"], *rows[row + 1 :]]
        yield Case(f"long line {row}", written(long, end), f"Line {row + 1} has")
        short = [*rows[:row], rows[row][:-1], *rows[row + 1 :]]
        yield Case(f"short line {row}", written(short, end), f"Line {row + 1} has")
        filled = [*rows[:row], [*rows[row], "", " "], *rows[row + 1 :]]
        yield Case(f"empty cells beyond {row}", written(filled, end), READ)
        blank = [*rows[:row], [""], [""], *rows[row:]]
        yield Case(f"blank lines {row}", written(blank, end), READ)


def quotes(rows: Rows, end: str) -> Iterator[Case]:
    """Yield files with quotes that are open, inside a cell, doubled, or around other signs."""
    last = len(rows) - 1
    for row in (1, last):
        yield Case(
            f"unclosed quote {row}",
            written(with_cell(rows, row, 1, '"abc'), end),
            "cannot be read as CSV",
        )
        for cell in (
            '"a, b"',
            '"a\nb"',
            '"say ""x"""',
            '"""',
            '""',
            '"a"b',
            'a"b',
            "'a",
            '"a" ',
        ):
            yield Case(
                f"quotes {cell!r} {row}", written(with_cell(rows, row, 1, cell), end)
            )
    yield Case("an unclosed name", written(with_cell(rows, 0, 1, '"name1'), end))
    yield Case("a quote at the end", written(rows, end) + b'"')


def encoded(rows: Rows, end: str) -> Iterator[Case]:
    """Yield files with invalid UTF-8, NUL, or other encodings."""
    valid = written(with_cell(rows, 2, 1, "Größe"), end)
    middle = valid.index(b"name1")
    for name, bad in (
        ("lone", b"\xff"),
        ("overlong", b"\xc0\xaf"),
        ("surrogate", b"\xed\xa0\x80"),
        ("beyond", b"\xf4\x90\x80\x80"),
        ("cut", b"\xe2\x82"),
    ):
        yield Case(
            f"UTF-8 {name} inside", valid.replace(b"name1", b"na" + bad + b"me"), ""
        )
        yield Case(f"UTF-8 {name} at the end", valid + bad)
    for place in (0, middle, len(valid)):
        yield Case(f"NUL at {place}", valid[:place] + b"\0" + valid[place:], "is NUL")
    for codec in ("utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "cp1252"):
        yield Case(codec, valid.decode().encode(codec), READ)
    yield Case("half of UTF-16", valid.decode().encode("utf-16")[:-1])
    yield Case("UTF-7", b"a,b\n+AD0-1,2\n+AD0-2,3\n", READ)


HEADERS = {
    "a name twice": (0, "name1", READ),
    "an empty name": (0, "", READ),
    "a blank name": (0, "   ", READ),
    "a name of another script": (0, "\u540d\u524d", READ),
    "a name that is a formula": (0, "=1+1", READ),
    "a name that climbs": (0, "../../etc/passwd", READ),
    "a name for a prototype": (0, "__proto__", READ),
    "a name like a regular expression": (0, "^.*$", READ),
    "a name from right to left": (0, "\u202egnp.exe", READ),
    "a name of 10,000 letters": (0, "n" * 10_000, ""),
    "a name with a line end": (0, '"a\nb"', ""),
}


def headers(rows: Rows, end: str) -> Iterator[Case]:
    """Yield files with missing or unusual column names."""
    for name, (column, cell, expected) in HEADERS.items():
        yield Case(name, written(with_cell(rows, 0, column, cell), end), expected)
    yield Case("names only", written(rows[:1], end), "no values")
    yield Case("no name at all", written([[""] * len(rows[0]), *rows[1:]], end))
    yield Case("all of one name", written([["a"] * len(rows[0]), *rows[1:]], end), READ)
    yield Case(
        "every cell missing",
        written([rows[0], *[["NA"] * len(rows[0])] * 9], end),
        "no values",
    )


NUMBERS = ["1e400", "-1e400", "inf", "-Infinity", "nan", "NaN", "1_000", "\u0661\u0662", "\uff11\uff12", "0x1F", "1e5000", "--1", "+-1", "1.2.3", "1,5e", "9" * 400, "9" * 5_000, "1e-400", "\u2212" + "5", "1 000", "=1+1", "@x", "-2+3", "\u202e12", "1\u00a0000", "true", "2024-02-30", "0001-01-01", "9999-12-31T23:59:60Z", "12:61"]  # fmt: skip


def numbers(rows: Rows, end: str) -> Iterator[Case]:
    """Yield files with invalid or too large numbers in a column of numbers."""
    for cell in NUMBERS:
        quoted = f'"{cell}"' if "," in cell else cell
        yield Case(
            f"a number {cell[:20]!r}", written(with_cell(rows, 3, 0, quoted), end), READ
        )
        every = [rows[0], *([quoted, *row[1:]] for row in rows[1:])]
        yield Case(f"numbers {cell[:20]!r}", written(every, end))


def small() -> Iterator[Case]:
    """Yield every hazard in tables of two shapes and with all line ends."""
    for columns, num_rows in ((3, 12), (6, 40)):
        for end in ("\n", "\r\n", "\r"):
            rows = table(columns, num_rows)
            parts = [ragged, quotes, encoded, headers] + [numbers] * (end == "\n")
            for part in parts:
                for case in part(rows, end):
                    if end == "\r" and "unclosed" in case.name:
                        continue  # CR ends a line only outside quotes
                    yield case._replace(name=f"{columns}x{num_rows} {end!r} {case.name}")


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", content)
    return file.getvalue()


def odd() -> Iterator[Case]:
    """Yield files that are not tables, and tables that change late."""
    plain = written(table(3, 20))
    yield Case("nothing", b"", "empty")
    yield Case("blanks", b" \n \n\t\n", "empty")
    yield Case("a BOM", b"\xef\xbb\xbf", "empty")
    yield Case("delimiters", b",,,\n,,,\n", "no values")
    yield Case("a zip", zipped(plain), "")
    yield Case("a gzip within", gzip.compress(plain))
    yield Case("HTML", b"<html><body>" + b"<p>a, b</p>\n" * 50)
    yield Case("JSON", b'{"a": [1, 2], "b": "c, d"}\n' * 50)
    yield Case("a key", b"-----BEGIN PRIVATE KEY-----\n" + b"MIIE" * 16 + b"\n")
    yield Case(
        "separators of lines",
        "a,b\n1,x\u2028y\n2,x\u0085y\n3,x\x0by\x0cz\n".encode(),
        READ,
    )
    yield Case("CR CR LF", plain.replace(b"\n", b"\r\r\n"))
    yield Case("mixed line ends", b"a,b\r\n1,2\n3,4\r\n5,6\n", READ)
    yield Case("no line end", b"a,b", "no values")
    yield Case("one cell", b"a", "no values")
    yield Case("a late word", b"a,b\n" + b"1,2\n" * 50_000 + b"x,y\n", READ)
    yield Case("late words", b"a,b\n" + b"1,2\n" * 50_000 + b"x,y\n" * 50_000, READ)


def large() -> Iterator[Case]:
    """Yield files that need much time or memory when read carelessly."""
    wide = ",".join(f"c{i}" for i in range(2_001))
    yield Case("2,001 columns", f"{wide}\n{'1,' * 2_000}1\n".encode(), "2,001 columns")
    most = ",".join(f"c{i}" for i in range(2_000))
    yield Case(
        "2,000 columns", f"{most}\n{'1,' * 1_999}1\n{'2,' * 1_999}2\n".encode(), READ
    )
    yield Case(
        "100,000 columns", b"a," * 99_999 + b"a\n" + b"1," * 99_999 + b"1\n", "columns"
    )
    yield Case("a cell of 64 KiB", b"a,b\n1," + b"x" * 65_536 + b"\n2,y\n", READ)
    yield Case(
        "a cell beyond 64 KiB",
        b"a,b\n1," + b"x" * 65_537 + b"\n2,y\n",
        "Line 2: a cell is longer",
    )
    yield Case("a line of 5 MB", b"x" * 5_000_000, "Line 1 is longer")
    yield Case(
        "a line of 5 MB in cells", b"a,b\n" + b"x y," * 1_250_000, "Line 2 is longer"
    )
    yield Case("a name of 5 MB", b"a" * 5_000_000 + b",b\n1,2\n3,4\n", "Line 1 is longer")
    yield Case("a million quotes", b'a,b\n"' + b'""' * 500_000 + b'",1\n', "")
    yield Case("a million open quotes", b"a,b\n" + b'"\n' * 500_000)
    yield Case(
        "a million blank lines", b"a,b\n1,2\n" + b"\n" * 1_000_000 + b"3,4\n", READ
    )
    yield Case("a million delimiters", b"," * 1_000_000 + b"\n")
    yield Case("a million CRs", b"a,b\n1,2\n" + b"\r" * 1_000_000)
    yield Case("a million semicolons and commas", b"a;b,c\n" + b"1;2,3\n" * 170_000)
    yield Case("quotes and delimiters by turns", b'",' * 300_000)
    yield Case("apostrophes", b"a,b\n" + b"'x',it's\n" * 100_000)
    yield Case("backslashes", b"a,b\n" + b'1,"x\\"\n' * 100_000)
    yield Case("all delimiters", b",;\t| :\n" * 100_000)
    yield Case("signs of money", b"a,b\n" + ("1," + "$€%" * 300 + "\n").encode() * 500)
    yield Case(
        "nearly numbers", b"a,b\n" + b"1," + (b"1" * 3_000 + b"x\n1,") * 300 + b"2\n"
    )
    yield Case("nearly groups", b"a;b\n" + (b"1;" + b"1,111" * 2_000 + b"x\n") * 100)
    yield Case("nearly dates", b"a,b\n" + (b"1,2024-01-01T" + b"0" * 3_000 + b"\n") * 300)
    yield Case("nearly UTF-8", "a,é\n1,ü\n".encode() * 200_000 + b"1,\xff\n", READ)
    yield Case("comments", b"# x\n" * 300_000)
    yield Case("a million rows of one cell", b"a\n" + b"1\n" * 1_000_000, READ)
    yield Case(
        "categories without end",
        b"a,b\n" + b"".join(b"%d,w%d\n" % (i, i) for i in range(300_000)),
        READ,
    )


def cases() -> list[Case]:
    """Return the whole corpus."""
    return [*odd(), *large(), *small()]
