"""One table in twenty layouts of CSV."""

from typing import Any

TEXT = ("a remark of several words", "another one", "3", "2024-01-05", "yes")


def rows_of(num_rows: int = 60) -> list[dict[str, str]]:
    """Return rows in which every column has its own notation."""
    return [
        {
            "n": str(i % 7),
            "code": ("01", "6", "06", "1", "12", "006")[i % 6],
            "share": f"{i % 9}%",
            "float": ("1.0", "2.50", "2.0", "1.00", "0.1234567890123456789")[i % 5],
            "day": f"2024-01-{i % 28 + 1:02}",
            "german": f"{i % 28 + 1}.{i % 12 + 1}.2024",
            "yn": "YN"[i % 2],
            "bit": "01"[i % 2],
            "cash": f"${i % 900 + 1},234.50",
            "word": ("red", "größe", "gro\u0308ße", " green ")[i % 4],
            "note": TEXT[i % 5],
            "gaps": ("", "4", "NA", "x", "?")[i % 5],
            "none": "",
        }
        for i in range(num_rows)
    ]


def written(
    rows: list[dict[str, str]],
    delimiter: str = ",",
    end: str = "\n",
    *,
    header: bool = True,
) -> str:
    """Return rows as a CSV; quote cells that contain a delimiter or a line end."""
    lines = [list(rows[0])] if header else []
    lines += [list(row.values()) for row in rows]
    return "".join(
        delimiter.join(_quoted(cell, delimiter) for cell in line) + end for line in lines
    )


def _quoted(cell: str, delimiter: str) -> str:
    needs = delimiter in cell or "\n" in cell or '"' in cell
    return '"' + cell.replace('"', '""') + '"' if needs else cell


def with_lines(lines: dict[int, str], rows: list[dict[str, str]]) -> str:
    """Return a CSV with further lines inserted at some places."""
    table = written(rows).split("\n")
    for place in sorted(lines, reverse=True):
        table.insert(place, lines[place])
    return "\n".join(table)


def _commas() -> str:
    """Return a table with semicolons between cells, and commas as decimal marks."""
    rows = rows_of()
    for i, row in enumerate(rows):
        row["float"] = row["float"].replace(".", ",")
        row["cash"] = f"{i + 1}.234,50 €"
    return written(rows, ";")


def _broken_lines() -> str:
    rows = rows_of()
    for row in rows[::3]:
        row["note"] = 'two\nlines, and "quotes"'
    return written(rows)


def _own_nulls() -> str:
    rows = rows_of()
    for row in rows[::4]:
        row |= {"code": "99", "yn": "nope", "day": "nope"}
    return written(rows)


def _decomposed() -> str:
    return written([{**row, "gro\u0308ße": row["code"]} for row in rows_of()])


NAS = ",".join(["NA"] * len(rows_of()[0]))
MIXED_NAS = ",".join(["NA", "", "?", "n/a"] * 3 + [""])
QUOTED = ",".join(['""'] * len(rows_of()[0]))
FILES: dict[str, tuple[str | bytes, dict[str, Any]]] = {
    "plain": (written(rows_of()), {}),
    "tabs": (written(rows_of(), "\t"), {}),
    "semicolons": (_commas(), {}),
    "semicolons, given": (_commas(), {"decimal": ",", "delimiter": ";"}),
    "CR LF": (written(rows_of(), end="\r\n"), {}),
    "CR": (written(rows_of(), end="\r"), {}),
    "windows-1252": (written([{**r, "word": "größe"} for r in rows_of()]).encode("cp1252"), {}),
    "latin-1, given": (written([{**r, "word": "größe"} for r in rows_of()]).encode("latin-1"), {"encoding": "latin-1"}),
    "UTF-16": (written(rows_of()).encode("utf-16"), {}),
    "UTF-8 with a mark": (written(rows_of()).encode("utf-8-sig"), {}),
    "line breaks in cells": (_broken_lines(), {}),
    "empty cells beyond the last column": (with_lines({5: written(rows_of(1)).split("\n")[1] + ",, "}, rows_of()), {}),
    "titles above the table": ("A title\n\n" + written(rows_of()), {}),
    "blank lines": (with_lines({3: "", 9: "", 20: ""}, rows_of()), {}),
    "lines of NA": (with_lines({3: NAS, 9: MIXED_NAS, 20: NAS, 61: NAS}, rows_of()), {}),
    "lines of quotes": (with_lines({3: QUOTED, 30: QUOTED}, rows_of()), {}),
    "late lines of NA": (with_lines({5_500: NAS, 5_600: MIXED_NAS}, rows_of(6_000)), {}),
    "no header": (written(rows_of(), header=False), {"header": False}),
    "a decomposed name": (_decomposed(), {}),
    "own words for missing": (_own_nulls(), {"null_values": ["nope", "99"]}),
}  # fmt: skip
