"""Lists of models, on both databases."""

import pytest
from sqlalchemy import event

from core.models.cause import Cause
from core.models.listing import ModelReads
from core.models.repository import ModelRepository
from core.models.tables import Version
from tests.core.runs.rows import add_run, small_signature

CAUSE = Cause("a test", "to test")


def add_version(database, name, *, is_whole=True, **figure):
    run_id = add_run(database, model_name=name)
    version = Version(
        model_name=name, run_id=run_id, signature=small_signature(), metrics={},
        layers=[], is_whole=is_whole, **figure,
    )  # fmt: skip
    with database.write() as session:
        ModelRepository(session, "default").add_version(version)


@pytest.fixture
def models(database):
    """Add three models; return a function that lists them."""
    figure = {"figure_value": 0.5, "figure_side": "test", "figure_rows": 9}
    add_version(database, "cars", figure_metric="r2", **figure)
    add_version(database, "cars")
    add_version(database, "cars", is_whole=False)
    add_version(database, "stopped", is_whole=False)
    add_version(database, "stopped", is_whole=False)
    add_version(database, "trees")
    with database.write() as session:
        repository = ModelRepository(session, "default")
        repository.point("cars", "live", 1, CAUSE)
        repository.point("cars", "best", 3, CAUSE)
        repository.point("cars", None, 1, CAUSE)

    def listed(names=("cars", "stopped", "trees")):
        with database.read() as session:
            repository = ModelRepository(session, "default")
            found = [repository.get(name) for name in names]
            return ModelReads(session, "default").read(found)

    return listed


def test_models_have_their_versions_and_aliases(models):
    """A version of a cancelled run is the latest one only without another."""
    cars, stopped, trees = models()
    assert cars.versions == [3, 2, 1]
    assert (cars.serving_version, cars.latest_version) == (1, 2)
    assert list(cars.aliases.items()) == [("best", 3), ("live", 1)]
    assert (cars.main_figure.metric, cars.main_figure.value) == ("r2", 0.5)
    assert (stopped.versions, stopped.latest_version) == ([2, 1], 2)
    assert (trees.versions, trees.aliases, trees.main_figure) == ([1], {}, None)


def test_the_number_of_queries_is_that_of_one_model(database, models):
    """And no query reads a signature."""
    statements = []

    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    counts = []
    for names in (("cars",), ("cars", "stopped", "trees")):
        statements.clear()
        models(names)
        counts.append(len([s for s in statements if "SELECT" in s]) - len(names))
    event.remove(database.engine, "before_cursor_execute", note)
    assert counts == [4, 4]
    assert not any("signature" in statement for statement in statements)


def test_a_version_of_meanwhile_does_not_contradict_the_numbers(database, models):
    """`versions` has `latest_version`, though each query sees another state."""
    is_adding = False

    def add(_connection, _cursor, statement, *_):
        nonlocal is_adding
        if not is_adding and "FROM versions" in statement:
            is_adding = True
            add_version(database, "cars")
            is_adding = False

    event.listen(database.engine, "after_cursor_execute", add)
    (cars,) = models(("cars",))
    event.remove(database.engine, "after_cursor_execute", add)
    assert cars.latest_version in cars.versions


def test_no_models_need_no_rows(models):
    assert models(()) == []
