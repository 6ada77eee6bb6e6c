"""Arguments that callers mix up work, or the error says what is expected."""

import pytest

from fitserve import Client, ConnectionFailed
from fitserve.client.service_url import service_url
from fitserve.schemas.datasets import RowsRead
from fitserve.schemas.runs import RunRead
from fitserve.specs.parsing import ParsingSpec
from fitserve.specs.run import RunCreate
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, sse

RUN = RunRead.model_validate(bodies.run())


def test_a_run_may_be_given_instead_of_its_id(wire, client):
    wire.answers("GET /v1/runs/run_1", bodies.run())
    wire.answers("GET /v1/runs/run_1/events", sse(("status", bodies.run())))
    compared = {"runs": [], "epoch": [], "curves": {}, "differences": [], "warnings": []}
    wire.answers("GET /v1/runs/compare", compared)
    assert client.runs.wait(RUN).id == client.runs.get(RUN).id == "run_1"
    client.runs.compare(RUN, "run_2")
    client.runs.compare([RUN, "run_2"])
    assert [a.query["ids"] for a in wire.asked[-2:]] == ["run_1,run_2"] * 2


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda client: client.predict("wine", None), "got None as rows; expected dicts"),
        (lambda client: client.predict("wine", 3), "got int as rows; expected dicts"),
        (lambda client: client.predict("wine", "new.csv"), r"predict_file\(name, path\)"),
        (lambda client: client.predict([{"a": 1}], "wine"), "got list as the name of the"),
        (lambda client: client.predict_file({"a": 1}, "wine"), "got dict as the name of"),
        (lambda client: client.runs.wait(["run_1"]), "expected a run, or its id"),
        (lambda client: client.runs.compare(RUN, 2), "got 2; expected a run, or its id"),
        (lambda client: client.runs.create(target="a", tags=["red"]), "expected a dict"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused_before_a_request(wire, client, call, expected):
    """The sentence says what was received, and what the call takes."""
    with pytest.raises(TypeError, match=expected):
        call(client)
    assert wire.asked == []


def test_tags_are_given_with_a_new_run(wire, client):
    wire.answers("POST /v1/runs", Answer(bodies.run("queued"), 202))
    client.runs.create(target="quality", tags={"team": "red"})
    assert wire.asked[0].json == {"target": "quality", "tags": {"team": "red"}}


def test_notes_in_a_spec_are_refused_with_the_request_that_takes_them():
    with pytest.raises(ValueError, match="`notes` is not a key") as caught:
        RunCreate.model_validate({"target": "a", "notes": "wider"})
    assert "fitserve runs note" in caught.value.errors()[0]["ctx"]["hint"]
    with pytest.raises(ValueError, match="`notes` is not a key"):
        ParsingSpec.model_validate({"notes": "wider"})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://a.example/fitserve/v1/", "http://a.example/fitserve"),
        ("https://a.example/", "https://a.example"),
        (" localhost:8000 ", "http://localhost:8000"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_url_may_end_in_v1_and_a_local_one_needs_no_scheme(given, url):
    assert service_url(given) == url


@pytest.mark.parametrize("url", ["a.example:8000", "ftp://a.example", ""])
def test_another_host_needs_a_scheme(url):
    """A key must not be sent in the clear because of a guess."""
    with pytest.raises(ValueError, match="begins with http:// or https://, such as"):
        service_url(url)


def test_the_client_says_what_a_url_begins_with():
    with pytest.raises(ConnectionFailed, match=r"such as https://a\.example:8000"):
        Client("a.example:8000")


def test_the_rows_say_how_many_of_the_table_they_are(wire, client):
    """`limit=None` reads all of them, from one version."""
    pages = [
        {"columns": ["a"], "data": data, "offset": start, "total": 3}
        for start, data in ((0, [[1], [2]]), (2, [[3]]))
    ]
    wire.answers("GET /v1/datasets/wine", bodies.dataset())
    wire.answers("GET /v1/datasets/ds_1/rows", *pages)
    found = client.datasets.rows("wine", limit=None)
    assert found.data == [[1], [2], [3]]
    assert [asked.query.get("offset") for asked in wire.asked] == [None, "0", "2"]
    few = RowsRead.model_validate(pages[0])
    assert repr(few) == "RowsRead(rows=2, offset=0, total=3, columns=['a'])"
