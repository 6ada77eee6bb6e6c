"""Give a `model.onnx` one input for all its numbers, for faster calls.

ONNX Runtime takes about a microsecond for each input of a call, so a call with a row of
eleven numbers takes a quarter less time if they are one array. The file that users
download keeps an input for each column; this module changes a copy when it is loaded.

The package `onnx` would take 13 MB of each API process, so this module edits the encoded
protobuf messages of `onnx.proto`: it replaces the inputs of numbers and one node, and
copies all other bytes.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_MODEL_GRAPH, _MODEL_OPSET = 7, 8
_GRAPH_NODE, _GRAPH_INPUT = 1, 11
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP, _NODE_ATTRIBUTE = 1, 2, 4, 5
"""The numbers of fields in the messages of a model, a graph and a node."""
_DOUBLE, _INT = 11, 2
"""The element type float64 (TensorProto), and the type of an integer (AttributeProto)."""
_VARINT, _BYTES, _FIXED64 = 0, 2, 1
"""The wire types of protobuf; any other one is a field of 4 bytes."""
_OPSETS = frozenset({18, 19, 20})
"""The known versions of ONNX's operators; from 18, `Split` has `num_outputs`."""
_NUMBERS = "numbers"


class Packed(NamedTuple):
    """A model, and the name of its input of all numbers, float64 `[N, F]`."""

    model: bytes
    numbers: str


class _Field(NamedTuple):
    """A field of a message.

    Args:
        number: the number of the field in its message.
        encoded: all bytes of the field, with its tag.
        content: the bytes of a text or of a nested message; empty for a number.
        value: the value of an integer; 0 for other fields.

    """

    number: int
    encoded: memoryview
    content: memoryview
    value: int


def pack_numbers(model: bytes) -> Packed | None:
    """Return the model with one input for its numbers.

    Its other inputs, its outputs and its results stay the same. Returns None if the model
    has no inputs of numbers, or another version of ONNX's operators.
    """
    parts = list(_fields(memoryview(model)))
    opsets = {_opset(part) for part in parts if part.number == _MODEL_OPSET}
    if opsets.isdisjoint(_OPSETS):
        return None
    fields = [f for p in parts if p.number == _MODEL_GRAPH for f in _fields(p.content)]
    numbers = [_text(i, 1) for i in fields if i.number == _GRAPH_INPUT and _is_double(i)]
    if not numbers:
        return None
    name = _unused_name(fields)
    packed = _graph(fields, numbers, name)
    size = sum(map(len, packed))
    rest = [part.encoded for part in parts if part.number != _MODEL_GRAPH]
    return Packed(b"".join([*rest, _header(_MODEL_GRAPH, size), *packed]), name)


def _graph(
    fields: Sequence[_Field], numbers: list[str], name: str
) -> list[bytes | memoryview]:
    """Return the fields of the graph with the input `name` for `numbers`."""
    joined = (f for f in fields if f.number == _GRAPH_NODE and _joins(f, numbers))
    concat = next(joined, None)
    kept = [
        f
        for f in fields
        if f is not concat and not (f.number == _GRAPH_INPUT and _is_double(f))
    ]
    used = {text for f in kept if f.number == _GRAPH_NODE for text in _texts(f, 1)}
    nodes = []
    if concat:
        nodes.append(_node("Identity", name, _texts(concat, _NODE_OUTPUT)))
    if not used.isdisjoint(numbers):  # such as dates, which have nodes of their own
        axis, parts = _attribute("axis", 1), _attribute("num_outputs", len(numbers))
        nodes.append(_node("Split", name, numbers, axis, parts))
    return [_input(name, len(numbers)), *nodes, *(field.encoded for field in kept)]


def _joins(node: _Field, numbers: list[str]) -> bool:
    """Return whether a node joins exactly these columns, in their order."""
    return _text(node, _NODE_OP) == "Concat" and _texts(node, _NODE_INPUT) == numbers


def _unused_name(fields: Sequence[_Field]) -> str:
    """Return a name that no input and no value of a node has."""
    taken = {_text(f, 1) for f in fields if f.number == _GRAPH_INPUT}
    for field in fields:
        if field.number == _GRAPH_NODE:
            taken.update(_texts(field, _NODE_INPUT), _texts(field, _NODE_OUTPUT))
    name = _NUMBERS
    while name in taken:
        name += "_"
    return name


def _fields(message: memoryview) -> Iterator[_Field]:
    """Yield the fields of an encoded message, in their order."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        content, value = message[at:at], 0
        wire_type = tag & 7
        if wire_type == _VARINT:
            value, at = _varint(message, at)
        elif wire_type == _BYTES:
            size, at = _varint(message, at)
            content, at = message[at : at + size], at + size
        else:
            at += 8 if wire_type == _FIXED64 else 4
        yield _Field(tag >> 3, message[start:at], content, value)


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the integer at a position, and the position after it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _texts(message: _Field, number: int) -> list[str]:
    found = _fields(message.content)
    return [str(field.content, "utf-8") for field in found if field.number == number]


def _text(message: _Field, number: int) -> str:
    return next(iter(_texts(message, number)), "")


def _nested(message: memoryview, *path: int) -> _Field | None:
    """Return the field at a path of field numbers; None if it is absent.

    If a message has a field several times, the last one counts.
    """
    found = None
    for number in path:
        found = None
        for field in _fields(message):
            found = field if field.number == number else found
        if found is None:
            return None
        message = found.content
    return found


def _is_double(given: _Field) -> bool:
    """Return whether an input is a tensor of float64."""
    kind = _nested(given.content, 2, 1, 1)  # type, tensor_type, elem_type
    return kind is not None and kind.value == _DOUBLE


def _opset(part: _Field) -> int:
    """Return the version of ONNX's own operators; 0 for operators of another domain."""
    version = _nested(part.content, 2)
    return 0 if _text(part, 1) or version is None else version.value


def _encoded_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _header(number: int, size: int) -> bytes:
    """Return the bytes before the content of a text or a nested message."""
    return _encoded_varint(number << 3 | _BYTES) + _encoded_varint(size)


def _message(number: int, *content: bytes) -> bytes:
    """Return an encoded field: a text, or a message of encoded fields."""
    joined = b"".join(content)
    return _header(number, len(joined)) + joined


def _integer(number: int, value: int) -> bytes:
    return _encoded_varint(number << 3 | _VARINT) + _encoded_varint(value)


def _node(op: str, given: str, outputs: Sequence[str], *attributes: bytes) -> bytes:
    """Return an encoded node with one input."""
    made = [_message(_NODE_OUTPUT, output.encode()) for output in outputs]
    names = [_message(_NODE_INPUT, given.encode()), *made]
    return _message(_GRAPH_NODE, *names, _message(_NODE_OP, op.encode()), *attributes)


def _attribute(name: str, value: int) -> bytes:
    """Return an encoded attribute with its name, its value `i`, and its type."""
    parts = _message(1, name.encode()), _integer(3, value), _integer(20, _INT)
    return _message(_NODE_ATTRIBUTE, *parts)


def _input(name: str, width: int) -> bytes:
    """Return an encoded input, float64 `[N, width]`."""
    rows, columns = _message(1, _message(2, b"N")), _message(1, _integer(1, width))
    kind = _message(1, _integer(1, _DOUBLE), _message(2, rows, columns))
    return _message(_GRAPH_INPUT, _message(1, name.encode()), _message(2, kind))
