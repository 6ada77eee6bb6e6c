"""The filters of `GET /v1/runs`, and the tags and notes of a run; on both databases."""

import pytest
from sqlalchemy import text, update
from starlette.testclient import TestClient

from core.datasets.tables import Dataset
from core.runs.repository import RunRepository
from core.runs.search import RunFilter
from core.runs.tables import Run
from fitserve.specs.run_update import RunUpdate
from service.app import create_app
from tests.core.runs.rows import add_run
from tests.problems import assert_problem


@pytest.fixture
def runs(database):
    """Add four runs; return their ids by name."""
    return {
        "plain": add_run(database, model_name="houses", target="price"),
        "tagged": add_run(
            database, model_name="cars", tags={"team": "Red 100%", "größe": "Groß"}
        ),
        "noted": add_run(database, model_name="cars", notes="the wider_one of 5 %"),
        "ended": add_run(database, model_name="cars", status="succeeded"),
    }


@pytest.fixture
def found(database, runs):
    """Return a function that returns the names of the runs that match a filter."""
    names = {run_id: name for name, run_id in runs.items()}

    def found(text="", **given):
        with database.read() as session:
            chosen = RunFilter(**given, words=tuple(text.split()))
            listed = RunRepository(session, "default").page(None, 10, chosen)
            return [names[run.id] for run in listed]

    return found


def test_a_run_matches_every_filter(found):
    """The newest come first."""
    assert found() == ["ended", "noted", "tagged", "plain"]
    assert found(model="cars", status="queued") == ["noted", "tagged"]
    assert found(target="price", model="cars") == []
    assert found(tags={"team": "Red 100%"}) == ["tagged"]
    assert found("cars", status="succeeded") == ["ended"]


def test_the_runs_of_a_dataset_are_listed(client, upload):
    """All versions of the name count, and the validation dataset too."""
    csv = "a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(60))
    for name in ("first", "second"):
        upload(csv, name)
    spec = {"dataset": "first", "target": "b", "fit": {"validation_dataset": "second"}}
    run_id = client.post("/v1/runs", json=spec).json()["id"]
    upload(csv + "1,2\n", "first")
    for name, ids in (("first", [run_id]), ("second", [run_id]), ("third", [])):
        items = client.get(f"/v1/runs?dataset={name}").json()["items"]
        assert [run["id"] for run in items] == ids


def test_a_dataset_may_have_any_number_of_versions(database, runs):
    """The condition has one parameter for all ids."""
    with database.write() as session:
        first = session.get_one(Run, runs["tagged"]).dataset
        columns = [column.name for column in Dataset.__table__.columns]
        own = {"id": "'v' || i", "name": "'many'", "version": "i"}
        values = (own.get(name, name) for name in columns)
        session.execute(
            text(
                "WITH RECURSIVE numbers(i) AS "
                "(SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 40000) "
                f"INSERT INTO datasets ({', '.join(columns)}) "
                f"SELECT {', '.join(values)} FROM datasets, numbers WHERE id = :first"
            ),
            {"first": first.id},
        )
        changed = update(Run).where(Run.id == runs["tagged"])
        session.execute(changed.values(validation_dataset_id="v40000"))
        found = RunRepository(session, "default").page(None, 9, RunFilter(dataset="many"))
    assert [run.id for run in found] == [runs["tagged"]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("PRICE", ["plain"]),
        ("hous", ["plain"]),
        ("table cars", ["ended", "noted", "tagged"]),  # the dataset, then the model
        ("team", ["tagged"]),
        ("red", ["tagged"]),
        ("größe Groß", ["tagged"]),
        ("wider", ["noted"]),
        ("wider houses", []),
        ("%", ["noted", "tagged"]),
        ("100% red", ["tagged"]),
        ("r_o", ["noted"]),
        ("w_der", []),
        ("/", []),
        ('"', []),  # the JSON of the tags is not searched
        (r"\u00f6", []),
        ("'; DROP TABLE runs; --", []),
    ],
)
def test_words_are_plain_text(found, text, names):
    """Each word occurs in some text of the run; `%` and `_` stand for themselves."""
    assert found(text) == names


def test_the_end_of_an_id_finds_the_run(found, runs):
    assert found(runs["noted"][-6:]) == ["noted"]


def test_a_change_keeps_the_other_tags(database, runs):
    """A null removes a tag; an empty text removes the notes."""

    def change(**given):
        update = RunUpdate.model_validate(given)
        with database.write() as session:
            run = RunRepository(session, "default").update(runs["tagged"], update)
            return run.tags, run.notes

    change(tags={"size": "small"}, notes="first")
    assert change(tags={"team": None}) == ({"größe": "Groß", "size": "small"}, "first")
    assert change(notes="")[1] is None


@pytest.fixture
def client(bench):
    with TestClient(create_app(bench.settings), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def run(bench):
    return add_run(bench.database, tags={"team": "red"})


def test_tags_and_notes_are_changed_over_http(client, run):
    """The list finds the run by them; the spec of the run does not change."""
    body = {"tags": {"size": "wide"}, "notes": "better than before"}
    answer = client.patch(f"/v1/runs/{run}", json=body).json()
    assert (answer["tags"], answer["notes"]) == (
        {"team": "red", "size": "wide"},
        "better than before",
    )
    for query in ({"text": "better WIDE"}, {"tag": "size:wide"}):
        items = client.get("/v1/runs", params=query).json()["items"]
        assert [one["id"] for one in items] == [run]
    assert client.get("/v1/runs?text=worse").json()["items"] == []
    assert client.patch(f"/v1/runs/{run}", json={}).json() == answer


@pytest.mark.parametrize(
    ("body", "slug", "pointer", "said"),
    [
        ({"tag": {}}, "invalid-body", "#/tag", "did you mean `tags`?"),
        ({"tags": {"a b": "c"}}, "invalid-body", "#/tags/a b", "'a b'"),
        ({"tags": {"a": 1}}, "invalid-body", "#/tags/a", "got 1"),
        ({"tags": None}, "invalid-body", "#/tags", "got None"),
        ({"notes": "x" * 10_001}, "invalid-body", "#/notes", "10000"),
        (
            {"tags": {f"t{i}": "" for i in range(50)}},
            "invalid-spec",
            "#/tags",
            "51 tags, expected at most 50",
        ),
    ],
)
def test_a_bad_change_is_refused(client, run, body, slug, pointer, said):
    """The error says what to change, and the run stays as it was."""
    answer = client.patch(f"/v1/runs/{run}", json=body)
    (error,) = assert_problem(answer, 422, slug)["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"] + (error.get("hint") or "")
    assert client.get(f"/v1/runs/{run}").json()["tags"] == {"team": "red"}


def test_a_run_of_nobody_is_not_changed(client):
    assert_problem(client.patch("/v1/runs/nope", json={}), 404, "run-not-found")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=done", "queued"),
        ("tag=team", "expected a tag as name:value"),
        ("text=" + "x" * 201, "200"),
        ("text=" + "+".join("abcdefghijk"), "expected at most 10 words"),
    ],
)
def test_a_bad_filter_is_refused(client, query, said):
    """The error names the parameter, what was received and what was expected."""
    problem = assert_problem(client.get(f"/v1/runs?{query}"), 422, "invalid-body")
    (error,) = problem["errors"]
    assert error["pointer"] == f"#/query/{query.partition('=')[0]}"
    assert said in problem["detail"]


def test_pages_keep_the_filter(client, bench, run):
    """A page has its number of matching runs, however many others lie between."""
    wanted = [run]
    for _ in range(4):
        add_run(bench.database)
        wanted.append(add_run(bench.database, tags={"team": "red"}))
    seen, cursor = [], None
    while len(seen) < len(wanted):
        page = client.get(
            "/v1/runs",
            params={"tag": "team:red", "text": "red", "limit": 2}
            | ({"cursor": cursor} if cursor else {}),
        ).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (wanted[::-1], None)
