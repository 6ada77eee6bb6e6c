"""Routes that are answered before FastAPI are also declared to FastAPI."""

import inspect

import pytest

from core.settings import Settings
from service.app import ROUTERS, create_app
from tests.problems import assert_problem

ROUTES = [route for router in ROUTERS if router.policy.is_fast for route in router.routes]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_an_endpoint_takes_its_path_parameters_and_the_request(route):
    """FastAPI does not run for these routes and could not provide other parameters."""
    taken = set(inspect.signature(route.endpoint).parameters)
    assert taken == {"request", *route.param_convertors}


def test_the_document_has_their_body_and_answer(tmp_path):
    paths = create_app(Settings(home=tmp_path)).openapi()["paths"]
    for route in ROUTES:
        operation = paths[route.path_format]["post"]
        assert operation["requestBody"]["content"], route.path
        assert (
            "$ref"
            in operation["responses"]["200"]["content"]["application/json"]["schema"]
        )


def test_an_invalid_content_encoding_is_refused(client):
    """The body is not gzip, or the encoding is unknown."""
    headers = {"Content-Encoding": "gzip"}
    answer = client.post("/v1/models/m/predict", content=b"no gzip", headers=headers)
    assert_problem(answer, 400, "bad-encoding")
    headers = {"Content-Encoding": "br"}
    answer = client.post("/v1/models/m/predict", content=b"x", headers=headers)
    assert_problem(answer, 400, "bad-encoding")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_405(client, method):
    assert_problem(client.request(method, "/v1/predict"), 405, "http-405")
