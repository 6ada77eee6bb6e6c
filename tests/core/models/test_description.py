"""Schemas, examples and code generated from a signature."""

import ast
import itertools
import json
import math
import shlex

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from core.columns import time_formats
from core.columns.time_cells import parse_time
from core.models.description import Described, described_schema
from core.models.openapi import openapi_document
from core.models.signature import Feature, Signature
from core.models.snippets import python_snippet, shell_snippet
from core.models.typescript import typescript_snippet
from fitserve.schemas.datasets import ColumnFormat

NUMBER = {"type": "numeric", "center": 3, "scale": 1, "fill": 0}
RANGE = NUMBER | {"least": -0.5, "greatest": 10}
FLAG = NUMBER | {"least": 0, "greatest": 1}
KINDS = {"type": "one_hot", "vocabulary": ["", "NA", "b", "ü"]}
MANY = {"type": "embedding", "vocabulary": [f"k{i}" for i in range(51)], "dim": 2}
MOMENT = {
    "type": "datetime",
    "parts": [{"name": "elapsed", "center": 18_000.4, "scale": 1}],
}
ODD = "it's `$HOME` !x \"\\\n\t\u2028\u00a0\u202e\U000e0041\x7f 😀 */"


def feature(kind, encoder, name="a", **more):
    return Feature.model_validate(
        {"name": name, "type": kind, "encoder": encoder, "has_missing": False} | more
    )


def described(*features, task="regression", classes=None, **more):
    signature = Signature(
        model_name="m",
        task=task,
        target="y",
        classes=classes,
        features=list(features),
        ignored=[],
    )
    at = {"server": "http://localhost", "place": "", "wants_key": False, "most_rows": 9}
    return Described(signature, 3, **at | more)


def schema_of(kind, encoder, **more):
    schema = described_schema(described(feature(kind, encoder, **more)))
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid(schema["examples"][0])
    found = schema["properties"]["a"]
    assert "warning" in found["description"] or "refused" in found["description"]
    return {k: v for k, v in found.items() if k not in ("title", "description")}


@pytest.mark.parametrize(
    ("kind", "encoder", "expected"),
    [
        ("numeric", RANGE, {"type": "number", "minimum": -0.5, "maximum": 10}),
        ("numeric", NUMBER, {"type": "number"}),
        ("boolean", FLAG, {"type": "boolean"}),
        ("boolean", FLAG | {"least": 1}, {"type": "boolean", "enum": [True]}),
        ("categorical", KINDS, {"type": "string", "enum": ["b", "ü"]}),
        ("text", MANY, {"type": "string", "enum": MANY["vocabulary"]}),
        ("datetime", MOMENT, {"type": "string", "format": "date-time"}),
    ],
)
def test_a_column_is_described_by_its_encoder(kind, encoder, expected):
    """The schema has ranges and categories, without the words for missing and without null."""
    assert schema_of(kind, encoder) == expected


@pytest.mark.parametrize(
    ("pattern", "form"),
    [("%Y-%m-%d", "date"), ("%Y-%m-%dT%H:%M:%SZ", "date-time"), ("%d.%m.%y", None)],
)
def test_a_moment_has_a_format_if_json_schema_has_a_name_for_it(pattern, form):
    """Other patterns appear only in the description, because a wrong format refuses them."""
    column = feature("datetime", MOMENT, format={"datetime": pattern})
    found = described_schema(described(column))["properties"]["a"]
    assert found.get("format") == form
    assert f"`{pattern}`" in found["description"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (
            "%d.%m.%y",
            {
                "type": "string",
                "x-formats": ["%d.%m.%y"],
                "x-minimum": "14.04.19",
                "x-maximum": "15.04.19",
            },
        ),
        (
            None,
            {
                "type": "string",
                "format": "date-time",
                "x-minimum": "2019-04-14T00:00:00+00:00",
                "x-maximum": "2019-04-15T00:00:00+00:00",
            },
        ),
        (
            "epoch_seconds",
            {"type": "number", "minimum": 1_555_200_000, "maximum": 1_555_286_400},
        ),
    ],
)
def test_a_moment_has_the_range_of_the_training_rows(pattern, expected):
    """In the notation of the column; a page shows it, and validators ignore it."""
    seen = MOMENT | {"least": 1_555_200_000.0, "greatest": 1_555_286_400.0}
    assert schema_of("datetime", seen, format={"datetime": pattern}) == expected


def test_null_is_allowed_where_training_rows_had_it():
    """Null is among the types and, for categories, among the values."""
    found = schema_of("categorical", KINDS, has_missing=True)
    assert found == {"type": ["string", "null"], "enum": ["b", "ü", None]}
    only = KINDS | {"vocabulary": [""]}
    assert schema_of("text", only, has_missing=True)["enum"] == [None]


@pytest.mark.parametrize(
    ("kind", "encoder", "cell"),
    [
        ("numeric", RANGE, 4.75),
        ("numeric", NUMBER, 3),
        ("boolean", FLAG, True),
        ("categorical", KINDS, "b"),
        ("datetime", MOMENT, "2019-04-14T00:00:00+00:00"),
    ],
)
def test_versions_without_an_example_get_a_likely_one(kind, encoder, cell):
    """The example is the middle of the range or the first category."""
    assert described(feature(kind, encoder)).example == {"a": cell}


def test_a_kept_cell_is_shown_even_if_it_is_null():
    """A stored null is still shown as null."""
    kept = feature("numeric", RANGE, has_missing=True, example=None)
    stored = json.loads(kept.model_dump_json())
    assert described(Feature.model_validate(stored)).example == {"a": None}


PATTERNS = [
    *(time_formats._DATES | time_formats._MONTHS),
    *(
        f"{date}{mark}{time}{zone}"
        for date, mark, time, zone in itertools.product(
            time_formats._DATES, " T", time_formats._TIMES, time_formats._ZONES
        )
    ),
]


@pytest.mark.parametrize("seconds", [0.0, 1_709_251_199.0, -86_400.0, 951_782_400.5])
def test_moments_are_written_so_that_they_are_read_back(seconds):
    """An example uses the column's pattern, or ISO 8601 if the pattern would lose precision."""
    for pattern in PATTERNS:
        column = feature("datetime", MOMENT, format={"datetime": pattern})
        text = column.kind.example(seconds, column.format)
        assert parse_time(text, ColumnFormat(datetime=pattern)) == seconds, (
            pattern,
            text,
        )


@pytest.mark.parametrize(
    ("task", "classes", "valid", "invalid"),
    [
        ("regression", None, [1, -2.5], ["1", None]),
        ("binary", [0, 1], [0, 1], ["0", 2, True]),
        ("multiclass", ["a", "b", ODD], ["a", ODD], ["c", 0]),
    ],
)
def test_predictions_are_described_too(task, classes, valid, invalid):
    """The schema of a prediction is a number or one of the labels."""
    schema = described_schema(
        described(feature("numeric", RANGE), task=task, classes=classes)
    )
    prediction = Draft202012Validator(schema["$defs"]["prediction"])
    assert all(prediction.is_valid(value) for value in valid)
    assert not any(prediction.is_valid(value) for value in invalid)
    assert ("probabilities" in schema["$defs"]) == (classes is not None)


@pytest.mark.parametrize("wants_key", [False, True])
def test_the_document_is_openapi(wants_key):
    """The specification's validator accepts it; a key is optional if the service needs none."""
    it = described(feature("text", MANY, ODD), wants_key=wants_key, place="/versions/3")
    document = openapi_document(it)
    OpenAPIV31SpecValidator(document).validate()
    assert ({} in document["security"]) != wants_key
    samples = document["paths"][it.path]["post"]["x-codeSamples"]
    assert [sample["label"] for sample in samples] == ["curl", "Python", "TypeScript"]


def test_code_keeps_odd_names():
    """The code has no unprintable character, and a shell finds nothing to expand."""
    it = described(
        feature("categorical", KINDS, ODD), feature("text", KINDS, "__proto__")
    )
    for write in (shell_snippet, python_snippet, typescript_snippet):
        assert all(c.isprintable() or c == "\n" for c in write(it))
    body = shlex.split(shell_snippet(it))[-1]
    assert "!" not in body
    assert json.loads(body) == {"instances": [it.example]}
    instance = ast.parse(python_snippet(it)).body[3].value
    assert ast.literal_eval(instance) == it.example


def test_typescript_names_the_categories_up_to_fifty():
    """More than fifty categories are `string`."""
    it = described(
        feature("categorical", KINDS, "few", has_missing=True),
        feature("text", MANY, "many"),
        task="multiclass",
        classes=["a'b", 'c"d'],
    )
    code = typescript_snippet(it)
    assert '"few": "b" | "ü" | null;' in code
    assert '"many": string;' in code
    assert 'predictions: Array<"a\'b" | "c\\"d">;' in code
    labels = described(feature("text", MANY), task="multiclass", classes=[*range(51)])
    assert "predictions: Array<string | number | boolean>;" in typescript_snippet(labels)


def test_numbers_keep_their_value():
    """Whole numbers are written without a decimal point only if no digit is lost."""
    column = feature("numeric", RANGE)
    for value in (1e300, 2.0**60, -0.1, 3.0, math.pi):
        assert column.kind.example(value, column.format) == value
    assert json.dumps(column.kind.example(3.0, column.format)) == "3"
