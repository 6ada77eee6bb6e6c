"""Hostile RunCreates: a valid one with a bad value in every place, and raw bytes."""

import copy
import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.fitserve.specs.exploits import MODELS, TEXTS
from tests.service.hostile.sound import KERAS, SOUND, SOUND_KERAS, SPEC

Path = tuple[str | int, ...]

VALUES: dict[str, object] = {
    "null": None,
    "true": True,
    "minus one": -1,
    "zero": 0,
    "a billion": 10**9,
    "beyond 64 bits": 10**25,
    "huge": 1e308,
    "tiny below zero": -1e-308,
    "an empty text": "",
    "climbing": "..",
    "a path": "../../etc/passwd",
    "a URL": "http://127.0.0.1:9/x",
    "a number in text": "1",
    "a formula": "=1+1",
    "SQL": "'; DROP TABLE runs; --",
    "a long text": "a" * 50_000,
    "a right-to-left mark": "\u202ecsv.exe",
    "an empty list": [],
    "an empty object": {},
    "a list of nulls": [None] * 100,
    "ten thousand numbers": list(range(10_001)),
    "a reference": {"$ref": "#/components"},
    "a Keras class": {"type": "Lambda", "class_name": "Lambda", "module": "keras.layers"},
    "nested": json.loads("[" * 500 + "]" * 500),
}


class Case(NamedTuple):
    """A body, its name, and whether it is valid all the same."""

    name: str
    body: bytes
    is_sound: bool = False


def written(value: object) -> bytes:
    """Return the value as JSON, however deeply it is nested."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    try:
        return json.dumps(value).encode()
    finally:
        sys.setrecursionlimit(limit)


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the path to every value, including containers."""
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, held in inner:
        yield from places(held, (*path, key))


def way(path: Path) -> str:
    return "/".join(map(str, path))


def changed(whole: object, path: Path, value: object) -> object:
    """Return a copy with another value in one place."""
    if not path:
        return value
    result: Any = copy.deepcopy(whole)
    at = result
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return result


def mutants() -> Iterator[Case]:
    for path in places(SPEC):
        for name, value in VALUES.items():
            body = json.dumps(changed(SPEC, path, value)).encode()
            is_sound = (way(path), name) in SOUND
            yield Case(f"{way(path)}: {name}", body, is_sound)


def unknown_keys() -> Iterator[Case]:
    for path in places(SPEC):
        found: Any = SPEC
        for key in path:
            found = found[key]
        is_free = path[:1] == ("tags",) or path in {
            ("features", "types"),
            ("fit", "class_weight"),
        }
        if isinstance(found, dict) and not is_free:
            for key in ("__proto__", "class_name", "", "\u202e", "a" * 10_000):
                body = changed(SPEC, (*path, key), 1)
                yield Case(f"{way(path)}: key {key[:20]!r}", json.dumps(body).encode())


def keras_models() -> Iterator[Case]:
    """Yield the attacks, and a valid Keras model with a bad value in every place."""
    for name, model in (*MODELS.items(), *TEXTS.items()):
        yield Case(name, written({**SPEC, "model": {"keras": model}}))
    for path in places(KERAS):
        for name, value in VALUES.items():
            model = changed(KERAS, path, value)
            body = written({**SPEC, "model": {"keras": model}})
            is_sound = (way(path), name) in SOUND_KERAS
            yield Case(f"Keras {way(path)}: {name}", body, is_sound)


WHOLE = json.dumps(SPEC).encode()
BYTES: dict[str, bytes] = {
    "100,000 lists": b"[" * 10**5 + b"]" * 10**5,
    "100,000 objects": b'{"a":' * 10**5,
    "100,000 objects in the spec": WHOLE[:-1] + b', "tags": ' + b'{"a":' * 10**5,
    "1,000 lists in a place": WHOLE.replace(b'"hostile"', b"[" * 1_000 + b"]" * 1_000),
    "NaN": WHOLE.replace(b"0.125", b"NaN"),
    "Infinity": WHOLE.replace(b"0.125", b"-Infinity"),
    "1e999": WHOLE.replace(b"0.125", b"1e999"),
    "5,000 digits": WHOLE.replace(b"0.125", b"9" * 5_000),
    "300 digits": WHOLE.replace(b'"units": 8', b'"units": ' + b"9" * 300),
    "half a pair": WHOLE.replace(b"red", b"\\ud800"),
    "the other half": WHOLE.replace(b"red", b"\\udc00"),
    "NUL written": WHOLE.replace(b"red", b"\\u0000"),
    "NUL": WHOLE.replace(b"red", b"\0"),
    "invalid UTF-8": WHOLE.replace(b"red", b"\xff\xfe"),
    "UTF-16": json.dumps(SPEC).encode("utf-16"),
    "a BOM": b"\xef\xbb\xbf" + WHOLE,
    "a comment": b"/* */" + WHOLE,
    "a comma too many": WHOLE[:-1] + b",}",
    "two bodies": WHOLE + WHOLE,
    "half": WHOLE[: len(WHOLE) // 2],
    "a key twice": WHOLE[:-1] + b', "target": "x"}',
    "a key twice, deep": WHOLE.replace(b'"units": 8', b'"units": 8, "units": 9'),
    "a key twice by escape": WHOLE[:-1] + b', "t\\u0061rget": "x"}',
    "nothing": b"",
    "blanks": b" " * 100_000,
    "a pickle": b"\x80\x04K\x01.",
    "a form": b"dataset=table&target=c",
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    "YAML": b"!!python/object/apply:os.system ['touch owned']",
    "a number": b"1",
    "a boolean": b"true",
}  # fmt: skip


def cases() -> list[Case]:
    """Return the whole corpus."""
    raw = [Case(name, body) for name, body in BYTES.items()]
    return [*raw, *mutants(), *unknown_keys(), *keras_models()]
