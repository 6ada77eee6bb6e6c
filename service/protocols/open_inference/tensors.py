"""Read and write the protocol's tensors as JSON and as bytes."""

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import InvalidInstances
from fitserve.names import did_you_mean
from service.predictor.values import Cells

BYTES = "BYTES"
_MOST_CELLS = 2**40
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    **{f"UINT{8 * k}": np.dtype(f"<u{k}") for k in (1, 2, 4, 8)},
    **{f"INT{8 * k}": np.dtype(f"<i{k}") for k in (1, 2, 4, 8)},
    **{f"FP{8 * k}": np.dtype(f"<f{k}") for k in (2, 4, 8)},
}
"""Datatypes of fixed size, which are all except BYTES."""


@dataclass(frozen=True)
class NamedTensor:
    """A tensor; `cells` holds its elements in row-major order."""

    name: str
    datatype: str
    shape: list[int]
    cells: Cells


def checked(name: str, datatype: Any, shape: Any, cells: Cells) -> NamedTensor:
    """Return the tensor; raises InvalidInstances if its datatype or shape is wrong."""
    shown = repr(name[:100])
    if not isinstance(datatype, str) or datatype not in (*DTYPES, BYTES):
        near = did_you_mean(datatype, [*DTYPES, BYTES])
        raise InvalidInstances(
            f"Input {shown} has the datatype {str(datatype)[:40]!r}; {near}"
        )
    is_list = isinstance(shape, list) and 1 <= len(shape) <= 2
    if not is_list or not all(type(n) is int and 0 <= n < _MOST_CELLS for n in shape):
        raise InvalidInstances(
            f"Input {shown} has the shape {str(shape)[:80]}; expected one or two sizes "
            "of 0 or more, such as [2, 1]."
        )
    if math.prod(shape) != len(cells):
        raise InvalidInstances(
            f"Input {shown} has {len(cells)} value(s); its shape {shape} needs "
            f"{math.prod(shape)}."
        )
    return NamedTensor(name, datatype, shape, cells)


def flattened(data: Any) -> list[Any]:
    """Return JSON `data`, flat or nested, in row-major order."""
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
    """Return the elements of a binary tensor (little-endian); raises InvalidInstances."""
    if datatype == BYTES:
        return _texts(name, raw)
    dtype = DTYPES.get(str(datatype))
    if dtype is None:
        return []  # `checked` refuses the datatype
    if len(raw) % dtype.itemsize:
        raise InvalidInstances(
            f"Input {name[:100]!r} has {len(raw)} bytes, which is not a whole number of "
            f"{datatype} values of {dtype.itemsize} bytes."
        )
    return np.frombuffer(raw, dtype)


def _texts(name: str, raw: bytes | memoryview) -> list[str]:
    """Return elements of BYTES: each a length of four bytes, then its UTF-8."""
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


def to_bytes(tensor: NamedTensor) -> bytes:
    """Return the elements in the protocol's binary form."""
    if tensor.datatype == BYTES:
        encoded = [str(cell).encode() for cell in tensor.cells]
        return b"".join(struct.pack("<I", len(text)) + text for text in encoded)
    return np.asarray(tensor.cells, DTYPES[tensor.datatype]).tobytes()
