"""Hash the values of a column to 64 bits, equally in every release and on every machine.

Stored hashes decide which rows are held out, so no constant of this module may change.
The mixing function is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.lazy import pl

Hashes = NDArray[np.uint64]

_BITS = 2**64 - 1
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_STEP = 0x9E3779B97F4A7C15
_MISSING = 0x7FF8000000000000
"""The bits of NaN: a missing cell, in a column of any type."""
_WORD = 8
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(_WORD)] + [_BITS], np.uint64)


def mix(values: Hashes) -> Hashes:
    """Mix the bits of each value in place, and return the array."""
    values ^= values >> np.uint64(30)
    values *= np.uint64(_FIRST)
    values ^= values >> np.uint64(27)
    values *= np.uint64(_SECOND)
    values ^= values >> np.uint64(31)
    return values


def mix_one(value: int) -> int:
    """Return a whole number with its bits mixed, as `mix` does for arrays."""
    value &= _BITS
    value = (value ^ value >> 30) * _FIRST & _BITS
    value = (value ^ value >> 27) * _SECOND & _BITS
    return value ^ value >> 31


def column_salt(name: str) -> int:
    """Return the number by which equal values of different columns get other hashes."""
    found = text_hashes(pl.Series([name], dtype=pl.String))
    return mix_one(int(found[0]) + _STEP)


def cell_hashes(column: pl.Series, salt: int) -> Hashes:
    """Return the hash of each cell; `salt` is the salt of the column."""
    found = value_bits(column)
    found += np.uint64(salt)
    return mix(found)


def missing_hash(salt: int) -> int:
    """Return the hash of a missing cell in the column with this salt."""
    return mix_one(_MISSING + salt)


def value_bits(column: pl.Series) -> Hashes:
    """Return 64 bits for each cell: equal values have equal bits.

    Numbers, booleans and moments are compared as float64, so that 1, 1.0 and true are
    equal. NaN is a missing cell.
    """
    kind = column.dtype
    if kind == pl.Boolean or kind.is_numeric():
        return _numbers(column)
    if kind in (pl.Datetime, pl.Date):
        return _numbers(column.dt.epoch("us"))
    return text_hashes(column.cast(pl.String))


def _numbers(column: pl.Series) -> Hashes:
    numbers: Any = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    numbers = numbers + 0.0  # a copy, in which -0.0 is 0.0
    found: Hashes = numbers.view(np.uint64)
    found[np.isnan(numbers)] = _MISSING
    return found


def text_hashes(column: pl.Series) -> Hashes:
    """Return a hash of the UTF-8 bytes of each text."""
    lengths = column.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
    joined = (column.str.join("").item() or "").encode()
    found = _byte_hashes(np.frombuffer(joined + bytes(_WORD), np.uint8), lengths)
    if column.null_count():
        found[column.is_null().to_numpy()] = _MISSING
    return found


def _byte_hashes(data: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Hashes:
    """Hash texts that follow one another in `data`, eight bytes at a time.

    Eight further bytes must follow the last text.
    """
    words = np.ndarray((len(data) - _WORD + 1,), "<u8", data, 0, (1,))
    starts = np.cumsum(lengths) - lengths
    found = mix(lengths.astype(np.uint64) + np.uint64(_STEP))
    open_, offset = np.flatnonzero(lengths > 0), 0
    while len(open_):
        left = lengths[open_] - offset
        word = words[starts[open_] + offset] & _MASKS[np.minimum(left, _WORD)]
        word += found[open_] * np.uint64(_STEP)
        found[open_] = mix(word)
        offset += _WORD
        open_ = open_[left > _WORD]
    return found
