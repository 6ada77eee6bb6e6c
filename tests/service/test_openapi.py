"""The OpenAPI document is valid, and describes failures correctly."""

import copy
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest
from openapi_spec_validator import validate

from core.settings import Settings
from service.app import create_app
from service.openapi import gather_definitions
from tests.conftest import bench_in
from tests.live import live


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return create_app(Settings(home=tmp_path_factory.mktemp("page"))).openapi()


def test_the_page_is_a_valid_document(page):
    """It is valid OpenAPI 3.1 except for streams, which FastAPI describes as in 3.2."""
    valid = copy.deepcopy(page)
    stream = valid["paths"]["/v1/runs/{run_id}/events"]["get"]["responses"]["200"]
    assert stream["content"].pop("text/event-stream")
    validate(valid)


def test_native_failures_are_problems_and_others_are_not(page):
    """Each failure has the media type that is sent."""
    paths = page["paths"]
    native = paths["/v1/runs"]["get"]["responses"]["4XX"]["content"]
    assert list(native) == ["application/problem+json"]
    for path, method in {
        "/v2/models/{name}/infer": "post",
        "/invocations": "post",
        "/v1/models/{name}:predict": "post",
        "/version": "get",
    }.items():
        failures = paths[path][method]["responses"]["4XX"]["content"]
        assert list(failures) == ["application/json"]
    assert list(paths["/version"]["get"]["responses"]["200"]["content"]) == ["text/plain"]


def test_operations_have_unique_names(page):
    """Generated clients use these names."""
    names = [o["operationId"] for p in page["paths"].values() for o in p.values()]
    assert len(set(names)) == len(names)


def test_every_operation_says_what_it_does(page):
    """The summary is the docstring's first sentence, which the description does not repeat."""
    for operation in (o for path in page["paths"].values() for o in path.values()):
        summary = operation["summary"]
        assert re.match(r"[A-Z][a-z]+ (?!.*\.$)", summary), summary
        assert not operation.get("description", "").startswith(summary)
    assert page["paths"]["/v1/runs"]["post"]["summary"] == "Create a run"


def test_every_reference_has_a_target(page):
    """References start at the document's root, and no schema keeps `$defs`."""
    schemas = page["components"]["schemas"]
    for node in objects(page):
        assert "$defs" not in node
        for value in node.values():
            if isinstance(value, str) and value.startswith("#/"):
                assert value.removeprefix("#/components/schemas/") in schemas


def objects(tree):
    if isinstance(tree, dict):
        yield tree
    if isinstance(tree, dict | list):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from objects(part)


def test_two_definitions_of_one_name_are_refused():
    schema = {"$defs": {"A": {"type": "string"}}, "$ref": "#/$defs/A"}
    page = {"paths": {"/a": schema}, "components": {"schemas": {"A": {}}}}
    with pytest.raises(ValueError, match="'A'"):
        gather_definitions(page)


def test_a_405_names_the_methods_that_the_page_names(client):
    """The methods of all routes of a path are named."""
    for path, operations in client.app.openapi()["paths"].items():
        filled = re.sub(r"\{(?:version|number)\}", "1", path)
        other = "PATCH" if "put" in operations else "PUT"
        answer = client.request(other, re.sub(r"\{\w+\}", "some", filled))
        methods = ", ".join(sorted(operation.upper() for operation in operations))
        assert answer.headers["allow"] == methods, path
        assert methods in answer.text
        assert answer.status_code in (400, 405)  # the status depends on the protocol


def test_a_key_is_needed_where_the_document_says_so(tmp_path, broker_url):
    """Without a key every operation but the open ones answers 401."""
    with bench_in(
        tmp_path / "home", broker_url, api_key="k" * 4 + "ey-of-a-test"
    ) as bench:
        page = bench.client.app.openapi()
        assert page["security"] == [{"key": []}]
        for path, operations in page["paths"].items():
            for method, operation in operations.items():
                answer = bench.client.request(
                    method, path.replace("{", "").replace("}", "")
                )
                is_open = operation.get("security") == []
                assert (answer.status_code != 401) == is_open, (method, path)


def test_requests_are_answered_while_the_document_is_built(settings):
    """Building the document takes most of a second, and the dashboard requests it first."""
    app = create_app(settings)
    make, is_building, may_go_on = app.openapi, Event(), Event()

    def slowly():
        is_building.set()
        may_go_on.wait(60)
        return make()

    app.openapi = slowly
    with live(app) as url, ThreadPoolExecutor() as pool:
        page = pool.submit(httpx.get, f"{url}/openapi.json", timeout=60)
        try:
            assert is_building.wait(60)
            assert httpx.get(f"{url}/health/live", timeout=30).status_code == 200
        finally:
            may_go_on.set()
        assert page.result().json() == make()
