"""Routes that are answered before FastAPI are declared to it all the same."""

import inspect

import pytest

from core.settings import Settings
from service.app import ROUTERS, create_app
from tests.problems import assert_problem

ROUTES = [route for router in ROUTERS if router.policy.is_fast for route in router.routes]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_an_endpoint_takes_its_path_and_the_request(route):
    """Anything else would be FastAPI's to give, which is not asked."""
    taken = set(inspect.signature(route.endpoint).parameters)
    assert taken == {"request", *route.param_convertors}


def test_the_page_shows_them_with_a_body_and_an_answer(tmp_path):
    """Every one, with schemas."""
    paths = create_app(Settings(home=tmp_path)).openapi()["paths"]
    for route in ROUTES:
        told = paths[route.path_format]["post"]
        assert told["requestBody"]["content"], route.path
        assert "$ref" in told["responses"]["200"]["content"]["application/json"]["schema"]


def test_a_body_may_be_packed(client):
    """And damage in it is told."""
    headers = {"Content-Encoding": "gzip"}
    answer = client.post("/v1/models/m/predict", content=b"no gzip", headers=headers)
    assert_problem(answer, 400, "bad-encoding")
    headers = {"Content-Encoding": "br"}
    answer = client.post("/v1/models/m/predict", content=b"x", headers=headers)
    assert_problem(answer, 400, "bad-encoding")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_fastapis(client, method):
    """405 with what is allowed."""
    assert_problem(client.request(method, "/v1/predict"), 405, "http-405")
