"""Typed JSON columns: their text in the database, and the values read from it."""

import json

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from core.datasets.tables import Dataset
from core.runs.spec import RunPlan
from core.runs.tables import Run
from fitserve.problems import FieldError, Problem
from fitserve.schemas.datasets import ColumnFormat, ColumnRead, TopValue
from fitserve.schemas.runs import LayerPlan
from fitserve.specs.parsing import ParsingSpec
from tests.core.runs.rows import add_dataset, add_run, read_run

FORMAT = ColumnFormat(decimal=",", affixes=["€"])
FORMAT_JSON = json.dumps(FORMAT.model_dump(mode="json"))
COLUMNS = [
    ColumnRead(
        name="größe",
        type="numeric",
        format=FORMAT,
        missing=1,
        unique=2,
        min=1.0,
        max=2.5,
        mean=1.75,
        top=[TopValue(value="1", count=3)],
        left_out=None,
        warnings=["odd"],
    )
]
COLUMNS_JSON = (
    '[{"name": "gr\\u00f6\\u00dfe", "type": "numeric", "format": '
    + FORMAT_JSON
    + ', "missing": 1, "unique": 2, "min": 1.0, "max": 2.5, "mean": 1.75, '
    '"histogram": null, "top": [{"value": "1", "count": 3}], "left_out": null, "warnings": ["odd"], '
    '"null_words": null, "warning_kinds": []}]'
)
PLAN = RunPlan(
    layers=[LayerPlan(type="Dense", output_shape=[1], params=3)],
    features={"größe": "numeric", "a": "datetime"},
    excluded={"y": "the target"},
    classes=[],
    formats={"größe": FORMAT},
)
PLAN_JSON = (
    '{"layers": [{"type": "Dense", "output_shape": [1], "params": 3}], '
    '"features": {"gr\\u00f6\\u00dfe": "numeric", "a": "datetime"}, '
    '"excluded": {"y": "the target"}, "classes": [], '
    '"formats": {"gr\\u00f6\\u00dfe": ' + FORMAT_JSON + '}, "null_values": null}'
)
OPTIONS_JSON = (
    '{"delimiter": null, "header": null, "encoding": null, "decimal": null, '
    '"null_values": null, "sheet": null, "types": {"a": "text"}}'
)
PROBLEM = Problem(
    type="/problems/x",
    title="X",
    status=500,
    detail="why",
    errors=[FieldError(pointer="#/a", detail="b")],
)
PROBLEM_JSON = (
    '{"type": "/problems/x", "title": "X", "status": 500, "detail": "why", '
    '"instance": null, "request_id": null, "errors": [{"pointer": "#/a", '
    '"detail": "b", "hint": null, "row": null, "column": null}]}'
)


def stored(database, table, column):
    """Return the text in the database, byte for byte."""
    with database.read() as session:
        (found,) = session.scalars(text(f"SELECT CAST({column} AS TEXT) FROM {table}"))
    return found


def write(database, table, column, content):
    """Overwrite a column with text that an earlier release wrote."""
    value = "CAST(:content AS JSON)"
    if database.engine.dialect.name == "sqlite":
        value = ":content"
    with database.write() as session:
        update = text(f"UPDATE {table} SET {column} = {value}")
        session.execute(update, {"content": content})


def read_columns(database):
    with database.read() as session:
        return session.scalars(select(Dataset)).one().columns


def test_the_text_of_columns_is_unchanged(database):
    """The text has the same keys in the same order, and is read back as the same value."""
    dataset = add_dataset(database)
    with database.write() as session:
        session.merge(dataset).columns = COLUMNS
    assert stored(database, "datasets", "columns") == COLUMNS_JSON
    assert read_columns(database) == COLUMNS


def test_the_text_of_a_plan_is_unchanged(database):
    """The text of a problem is unchanged too; a run without a problem stores NULL."""
    run_id = add_run(database, plan=PLAN, error=PROBLEM)
    assert stored(database, "runs", "plan") == PLAN_JSON
    assert stored(database, "runs", "error") == PROBLEM_JSON
    run = read_run(database, run_id)
    assert (run.plan, run.error) == (PLAN, PROBLEM)
    assert list(run.plan.features) == ["größe", "a"]
    with database.write() as session:
        session.get_one(Run, run_id).error = None
    assert stored(database, "runs", "error") is None
    with database.read() as session:
        assert session.scalars(select(Run.id).where(Run.error.is_(None))).all()


def test_the_text_of_options_is_unchanged(database):
    dataset = add_dataset(database)
    with database.write() as session:
        session.merge(dataset).options = ParsingSpec(types={"a": "text"})
    assert stored(database, "datasets", "options") == OPTIONS_JSON


def test_sql_can_select_by_a_key_of_the_json(database):
    run_id = add_run(database, error=PROBLEM)
    is_it = Run.error["type"].as_string() == "/problems/x"
    with database.read() as session:
        assert session.scalars(select(Run.id).where(is_it)).all() == [run_id]


def test_a_value_of_another_type_is_not_written(database):
    with pytest.raises(StatementError):
        add_run(database, plan={"layers": []})


FIRST = {"name": "a", "type": "numeric", "missing": 0, "unique": 3, "min": 1.0, "max": 3.0, "mean": 2.0, "top": [], "warnings": []}  # fmt: skip
SECOND_FORMAT = {"decimal": ",", "thousands": ".", "affixes": ["€"], "datetime": None, "strays": ["?"]}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "decimal"),
    [
        ({}, "."),
        ({"format": SECOND_FORMAT, "left_out": "an id"}, ","),
        ({"format": {**SECOND_FORMAT, "labels": ["no", "yes"]}, "left_out": None}, ","),
        ({"format": {**SECOND_FORMAT, "later": 1}, "left_out": None, "later": [1]}, ","),
    ],
    ids=["the first release", "formats", "labels", "a later release"],
)
def test_columns_of_other_releases_are_read(database, more, decimal):
    """Missing keys get their defaults; unknown keys are ignored."""
    add_dataset(database)
    write(database, "datasets", "columns", json.dumps([FIRST | more]))
    (column,) = read_columns(database)
    assert (column.name, column.type, column.unique) == ("a", "numeric", 3)
    assert column.left_out == more.get("left_out")
    assert column.format.decimal == decimal
    assert column.format.labels == more.get("format", {}).get("labels", [])


FIRST_PLAN = {
    "layers": [{"type": "Dense", "output_shape": [1], "params": 2}],
    "features": {"b": "text", "a": "numeric"},
    "excluded": {},
    "classes": ["x", "y"],
}


@pytest.mark.parametrize(
    "more",
    [{}, {"formats": {"a": SECOND_FORMAT}}, {"null_values": ["-"], "formats": {}}],
)
def test_plans_of_earlier_releases_are_read(database, more):
    run_id = add_run(database)
    write(database, "runs", "plan", json.dumps(FIRST_PLAN | more))
    plan = read_run(database, run_id).plan
    assert list(plan.features.items()) == [("b", "text"), ("a", "numeric")]
    assert (plan.num_params, plan.classes) == (2, ["x", "y"])
    assert plan.null_values == more.get("null_values")
    formats = {"a": ColumnFormat(decimal=",")} if more.get("formats") else {}
    assert {n: f.decimal for n, f in plan.formats.items()} == {
        n: f.decimal for n, f in formats.items()
    }


@pytest.mark.parametrize(
    "classes",
    [[0, 1], [0.0, 1.0], [False, True], ["0", "1"], [0.5, 1.0], ["False", "true"]],
    ids=repr,
)
def test_classes_keep_their_types(database, classes):
    """1, 1.0, True and "1" are still different classes when read from the database."""
    run_id = add_run(database, plan=RunPlan(layers=[], classes=classes))
    assert f'"classes": {json.dumps(classes)}' in stored(database, "runs", "plan")
    read = read_run(database, run_id).plan.classes
    assert list(map(repr, read)) == list(map(repr, classes))


@pytest.mark.parametrize(
    ("options", "null_values"),
    [
        ({}, None),
        ({"delimiter": "a", "null_values": ["-"]}, ["-"]),
        ({"delimiter": ";", "null_values": ["\0"], "types": {"a": "text"}}, None),
    ],
)
def test_options_of_earlier_releases_are_read(database, options, null_values):
    """Values that are no longer valid are left out; the others are kept."""
    add_dataset(database)
    write(database, "datasets", "options", json.dumps(options))
    with database.read() as session:
        read = session.scalars(select(Dataset)).one().options
    assert read.null_values == null_values
    assert read.types == options.get("types", {})
