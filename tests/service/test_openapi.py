"""The OpenAPI page is valid, and true of failures."""

import copy

import pytest
from openapi_spec_validator import validate

from core.settings import Settings
from service.app import create_app


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return create_app(Settings(home=tmp_path_factory.mktemp("page"))).openapi()


def test_the_page_is_a_valid_document(page):
    """By the OpenAPI 3.1 schema, but for streams, which FastAPI describes as 3.2 does."""
    sound = copy.deepcopy(page)
    stream = sound["paths"]["/v1/runs/{run_id}/events"]["get"]["responses"]["200"]
    assert stream["content"].pop("text/event-stream")
    validate(sound)


def test_native_failures_are_problems_and_others_are_not(page):
    """Each in the media type that is sent."""
    paths = page["paths"]
    native = paths["/v1/runs"]["get"]["responses"]["4XX"]["content"]
    assert list(native) == ["application/problem+json"]
    for path in ("/v2/models/{name}/infer", "/invocations", "/v1/models/{name}:predict"):
        assert list(paths[path]["post"]["responses"]["4XX"]["content"]) == [
            "application/json"
        ]


def test_operations_have_names_of_their_own(page):
    """Generated clients call them so."""
    names = [o["operationId"] for p in page["paths"].values() for o in p.values()]
    assert len(set(names)) == len(names)
