"""Tensors of the protocol: named, typed, row-major, as JSON or as bytes."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInstances
from fitserve.names import did_you_mean

Cells = Sequence[Any] | NDArray[Any]
BYTES = "BYTES"
_MOST_CELLS = 2**40
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    **{f"UINT{8 * k}": np.dtype(f"<u{k}") for k in (1, 2, 4, 8)},
    **{f"INT{8 * k}": np.dtype(f"<i{k}") for k in (1, 2, 4, 8)},
    **{f"FP{8 * k}": np.dtype(f"<f{k}") for k in (2, 4, 8)},
}
"""Datatypes of fixed size; BYTES is the other one."""


@dataclass(frozen=True)
class Tensor:
    """`cells` holds the elements in row-major order, as many as `shape` says."""

    name: str
    datatype: str
    shape: list[int]
    cells: Cells


def checked(name: str, datatype: Any, shape: Any, cells: Cells) -> Tensor:
    """The tensor, if its datatype is known and its shape fits; InvalidInstances."""
    if not isinstance(datatype, str) or datatype not in (*DTYPES, BYTES):
        near = did_you_mean(datatype, [*DTYPES, BYTES])
        raise InvalidInstances(
            f"Input {name[:100]!r} has the datatype {str(datatype)[:40]!r}; {near}"
        )
    shown = repr(name[:100])
    if not isinstance(shape, list) or not 1 <= len(shape) <= 2:
        raise InvalidInstances(
            f"Input {shown} has the shape {str(shape)[:80]}; expected one or two sizes, "
            "such as [2, 1]."
        )
    if not all(type(size) is int and 0 <= size < _MOST_CELLS for size in shape):
        raise InvalidInstances(
            f"Input {shown} has the shape {str(shape)[:80]}; expected sizes of 0 or more."
        )
    if math.prod(shape) != len(cells):
        raise InvalidInstances(
            f"Input {shown} has {len(cells)} value(s); its shape {shape} wants "
            f"{math.prod(shape)}."
        )
    return Tensor(name, datatype, shape, cells)


def flattened(data: Any) -> list[Any]:
    """JSON `data`, flat or nested, in row-major order."""
    while isinstance(data, list) and data and isinstance(data[0], list):
        if not all(isinstance(row, list) for row in data):
            raise InvalidInstances("Expected `data` to be flat, or nested evenly.")
        data = [cell for row in data for cell in row]
    if not isinstance(data, list):
        raise InvalidInstances(
            f"Expected `data` to be a list of values, got {str(data)[:40]!r}."
        )
    return data


def from_bytes(name: str, datatype: Any, raw: bytes | memoryview) -> Cells:
    """The elements of a binary tensor (little-endian); InvalidInstances."""
    if datatype == BYTES:
        return _texts(name, raw)
    dtype = DTYPES.get(str(datatype))
    if dtype is None:
        return []  # the datatype is refused by its name
    if len(raw) % dtype.itemsize:
        raise InvalidInstances(
            f"Input {name[:100]!r} has {len(raw)} bytes, which is no whole number of "
            f"{datatype} values of {dtype.itemsize} bytes."
        )
    return np.frombuffer(raw, dtype)


def _texts(name: str, raw: bytes | memoryview) -> list[str]:
    """Elements of BYTES: a length of four bytes, then as many bytes of UTF-8."""
    texts, at, end = [], 0, len(raw)
    try:
        while at < end:
            (length,) = struct.unpack_from("<I", raw, at)
            at += 4 + length
            if at > end:
                raise InvalidInstances(f"Input {name[:100]!r} ends within an element.")
            texts.append(str(raw[at - length : at], "utf-8"))
    except struct.error as error:
        raise InvalidInstances(f"Input {name[:100]!r} ends within a length.") from error
    except UnicodeDecodeError as error:
        raise InvalidInstances(
            f"Input {name[:100]!r}, element {len(texts)}: its bytes are not UTF-8."
        ) from error
    return texts


def to_bytes(tensor: Tensor) -> bytes:
    """The elements in the protocol's binary form."""
    if tensor.datatype == BYTES:
        encoded = [str(cell).encode() for cell in tensor.cells]
        return b"".join(struct.pack("<I", len(text)) + text for text in encoded)
    return np.asarray(tensor.cells, DTYPES[tensor.datatype]).tobytes()
