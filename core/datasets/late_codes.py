"""Look for codes with leading zeros far down in a CSV.

Such a code would be read as a plain number, without its zeros. Types are planned from the
first rows, and a file that is sorted may have its codes further down.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from core.datasets.dialect import Layout

_PLACES = 8
_BYTES = 64 * 1024
_CODE = re.compile(r"\s*0[0-9]+\s*")


def late_codes(source: Path, layout: Layout, numbers: set[str]) -> set[str]:
    """Return the columns of `numbers` with a code, by rows at some places of the file."""
    places = [i for i, name in enumerate(layout.names) if name in numbers]
    found: set[int] = set()
    for cells in _rows(source, layout) if places else ():
        if len(cells) == len(layout.names):
            found.update(i for i in places if _CODE.fullmatch(cells[i]))
    return {layout.names[i] for i in found}


def _rows(source: Path, layout: Layout) -> Iterator[list[str]]:
    size = source.stat().st_size
    is_small = size <= _BYTES * _PLACES
    with source.open("rb") as file:
        for k in [0] if is_small else range(1, _PLACES + 1):
            file.seek(max(0, size - _BYTES) * k // _PLACES)
            content = file.read(size if is_small else _BYTES)
            lines = content.decode(errors="replace").splitlines()[1:]
            is_cut = not is_small and k < _PLACES
            yield from csv.reader(
                lines[:-1] if is_cut else lines,
                delimiter=layout.delimiter,
                quotechar=layout.quote,
            )
