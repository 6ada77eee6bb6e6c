"""A parameter in the URL that a route does not have is refused, not ignored."""

import pytest

from service.app import ROUTERS
from service.router import PolicyRoute, query_names
from tests.problems import assert_problem

BODY = {"instances": [{"x": 1}]}


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/v1/models/m/predict?strickt=true", "did you mean `strict`?"),
        ("POST", "/v1/predict?modle=m", "did you mean `model`?"),
        ("POST", "/v1/datasets?delimeter=%3B", "did you mean `delimiter`?"),
        ("GET", "/v1/datasets?limt=3", "did you mean `limit`?"),
        ("GET", "/v1/models?Limit=3", "did you mean `limit`?"),
        (
            "GET",
            "/v1/runs?limit=3&colour=red",
            "known names: `cursor`, `dataset`, `limit`",
        ),
        ("POST", "/v1/runs?dry_run", "the route has none; leave it out"),
        ("GET", "/v1/runs/r?wait=1&wiat=2", "`wiat` is not a query parameter of GET "),
        ("DELETE", "/v1/datasets/table?force=1", "/v1/datasets/{ref}"),
    ],
)
def test_an_unknown_parameter_is_refused(client, method, path, said):
    """With the name that was probably meant."""
    answer = client.request(method, path, json=BODY if method == "POST" else None)
    assert said in assert_problem(answer, 400, "invalid-query")["detail"]


@pytest.mark.parametrize(
    ("path", "title", "said"),
    [
        ("/v1/runs?limit=x", "Invalid query", "got 'x'; expected a whole number"),
        ("/v1/runs?limit=0", "Invalid query", "got '0'; expected at least 1"),
        ("/v1/datasets?name=a%20b", "Invalid query", "expected letters, digits, dots"),
        ("/v1/models/m/versions/x", "Invalid path", "expected a whole number"),
        ("/v1/datasets/a%20b/rows?limit=0", "Invalid query", "expected at least 1"),
    ],
)
def test_a_bad_value_is_refused_in_plain_words(client, path, title, said):
    """The title names the part of the request."""
    problem = assert_problem(client.get(path), 422, "invalid-body")
    assert problem["title"] == title
    assert said in problem["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/health/live?t=1",
        "/metrics?name[]=a",
        "/v2/models/m?a=1",
        "/v1/models/m/metadata?a=1",
        "/ping?a=1",
        "/v1/files?a=1",
        "/?a=1",
        "/openapi.json?a=1",
    ],
)
def test_other_clients_may_send_what_they_like(client, path):
    """Probes, Prometheus, browsers, and the clients of other protocols."""
    assert client.get(path).status_code in (200, 404)


def test_the_parameters_are_those_of_the_document(client):
    """So that no documented parameter is refused."""
    paths = client.get("/openapi.json").json()["paths"]
    for router in ROUTERS:
        for route in router.routes:
            names = query_names(route)
            if names is None or not isinstance(route, PolicyRoute):
                continue
            (method,) = route.methods
            listed = paths[route.path_format][method.lower()].get("parameters", [])
            assert {p["name"] for p in listed if p["in"] == "query"} <= names
