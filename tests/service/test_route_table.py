"""The route table has every route, its declarations, and FastAPI's choice."""

import re

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from starlette.routing import Match
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from core.settings import Limits, Settings
from fitserve.scopes import Scope
from service.app import create_app
from service.auth.scopes import RUNS, Access
from service.protocols.failures import mlflow, native, openai
from service.route_table import RouteTable
from service.router import BodyLimit, Router, declare

LIMITS = Limits(max_body_bytes=1, max_predict_body_bytes=2, max_upload_bytes=3)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("table"), limits=LIMITS)


@pytest.fixture(scope="module")
def app(settings):
    return create_app(settings)


def endpoint():
    return "x"


def with_route(kind):
    app, router = FastAPI(openapi_url=None), APIRouter()
    if kind == "router":
        router.add_api_route("/v1/things", endpoint)
        return router.routes
    if kind == "included":  # but not one of ROUTERS
        app.include_router(router)
    elif kind == "app":
        app.add_api_route("/v1/things", endpoint)
    else:
        app.mount("/v1/things", StaticFiles(directory="/"))
    return app.routes


@pytest.mark.parametrize("kind", ["router", "included", "app", "folder"])
def test_a_route_that_declares_nothing_is_refused_at_the_start(settings, kind):
    """The message names the route and says where to declare a scope."""
    with pytest.raises(
        RuntimeError, match=r"(/v1/things|_IncludedRouter).* declares no scope.*Router"
    ):
        RouteTable(with_route(kind), settings)


def test_a_router_needs_a_scope():
    with pytest.raises(TypeError, match="scope"):
        Router(prefix="/v1/things")


def test_a_route_that_another_hides_is_refused_at_the_start(settings):
    """FastAPI would never choose it, so that its declarations would have no effect."""
    router = Router(prefix="/things", scope=RUNS)
    for path in ("/{name}", "/newest"):
        router.add_api_route(path, endpoint)
    with pytest.raises(
        RuntimeError, match=r"GET /things/newest is never reached.*\{name"
    ):
        RouteTable(router.routes, settings)


def test_an_endpoint_overrides_its_routers_declarations(settings):
    """Each declaration is overridden separately."""
    router = Router(scope=RUNS, errors=mlflow, error_paths=("/folder/*",))
    router.add_api_route("/plain", endpoint, methods=["GET", "POST"])
    changed = declare(scope=Access.OPEN, body_limit=BodyLimit.UPLOAD, errors=native)
    router.add_api_route("/changed", changed(lambda: "x"), methods=["POST"])
    table = RouteTable(router.routes, settings)
    plain = [table.find(method, "/plain")[0] for method in ("GET", "HEAD", "POST")]
    reads, writes = Scope.RUNS_READ, Scope.RUNS_WRITE
    assert [entry.scope for entry in plain] == [reads, reads, writes]
    assert {(entry.max_bytes, entry.errors) for entry in plain} == {(1, mlflow)}
    entry = table.find("POST", "/changed")[0]
    assert (entry.scope, entry.max_bytes, entry.errors) == (Access.OPEN, 3, native)


def test_the_table_finds_the_route_that_fastapi_chooses(app):
    table = app.state.routes
    for entry in table.entries:
        path = re.sub(r"\{\w+\}", "1", entry.path)
        assert table.find(entry.method, path)[0] is entry
        request = {"type": "http", "method": entry.method, "path": path}
        contexts = iter_route_contexts(app.routes)
        taking = [c for c in contexts if c.matches(dict(request))[0] == Match.FULL]
        if entry.method == "HEAD" and not taking:
            continue  # FastAPI answers 405
        assert taking[0].path_format == entry.path


def test_a_body_may_be_as_large_as_its_route_declares(app):
    """Uploads, predictions and other bodies have different limits."""
    largest = {1: set(), 2: set(), 3: set()}
    for entry in app.state.routes.entries:
        if entry.method == "POST":
            largest[entry.max_bytes].add(entry.path)
    datasets = {"/v1/datasets", "/v1/datasets/preview", "/v1/datasets/{ref}/rows"}
    assert largest[3] == {*datasets, "/v1/runs", "/v1/files"}
    verbs = ("/predict", ":predict", ":classify", ":regress", "/infer", "/invocations")
    assert len(largest[2]) == 17
    assert all(path.endswith(verbs) for path in largest[2])
    assert app.state.routes.find("POST", "/v1/nope/predict")[0].max_bytes == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "keys"),
    [
        ("GET", "/nope", 404, {"type", "detail"}),
        ("GET", "/v1/models/m/nope", 404, {"type", "detail"}),
        ("PUT", "/v1/models/m", 405, {"type", "detail", "error"}),
        ("GET", "/v2/nope", 404, {"error"}),
        ("GET", "/v2/a%0Ab", 404, {"error"}),
        ("GET", "/mlflow/m/nope", 404, {"error_code", "message"}),
        ("POST", "/ping", 405, {"error_code", "message"}),
        ("GET", "/v1/models/m:predict", 400, {"error"}),
        ("POST", "/v1/models/m/versions/newest:predict", 400, {"error"}),
        ("GET", "/v1/models/m/versions/newest/metadata", 400, {"error"}),
        ("POST", "/v1/models/m/labels/live", 400, {"error"}),
        ("GET", "/v1/fine_tuning", 404, {"error"}),
        ("GET", "/v1/files/f/nope", 404, {"error"}),
    ],
)
def test_a_failure_without_a_route_has_the_format_of_its_path(
    client, method, path, status, keys
):
    """A client reads only its own protocol."""
    answer = client.request(method, path)
    assert answer.status_code == status
    body = answer.json()
    assert keys <= body.keys()
    assert ("detail" in body) == ("detail" in keys)
    assert isinstance(body.get("error", ""), dict) == (
        "/fine" in path or "/files" in path
    )


def test_a_path_with_a_trailing_slash_needs_its_routes_scope(app, client):
    """It is redirected, on the fast path too."""
    table = app.state.routes
    assert table.find("GET", "/v1/runs/")[0].scope is Scope.RUNS_READ
    assert table.find("PUT", "/v1/runs/")[0].scope is Scope.ADMIN
    assert table.error_format("GET", "/v1/files/") is openai
    answer = client.post("/v1/predict/", json={}, follow_redirects=False)
    assert answer.status_code == 307


def test_an_open_path_refuses_other_methods_without_a_key(settings):
    """Elsewhere the key is checked first."""
    given = settings.model_copy(update={"api_key": SecretStr("k" * 20)})
    with TestClient(create_app(given), base_url="http://localhost") as client:
        for path in ("/", "/health/live", "/dashboard/index.html"):
            assert client.post(path).status_code == 405
        assert client.post("/version").status_code == 401


@pytest.mark.parametrize("is_open", [True, False])
def test_a_setting_opens_the_metrics(settings, is_open):
    """The OpenAPI document changes with the setting."""
    app = create_app(settings.model_copy(update={"metrics_open": is_open}))
    scope = app.state.routes.find("GET", "/metrics")[0].scope
    assert scope is (Access.OPEN if is_open else Scope.METRICS_READ)
    operation = app.openapi()["paths"]["/metrics"]["get"]
    assert (operation.get("security") == []) == is_open


def test_unknown_methods_are_not_kept(app):
    """Otherwise the table would grow with each of them."""
    before = len(app.state.routes._by_method)
    for i in range(10):
        assert app.state.routes.find(f"M{i}", "/v1/runs/x")[0].scope is Scope.ADMIN
    assert len(app.state.routes._by_method) == before


def test_a_remembered_path_keeps_its_parameters_as_strings(app):
    """The fast path converts the parameters of each request in place."""
    for _ in range(2):
        _, texts = app.state.routes.find("POST", "/v1/models/m/versions/7/predict")
        assert texts == {"name": "m", "number": "7"}
        texts["number"] = 7


def test_paths_that_clients_invent_are_remembered_only_up_to_a_limit(app):
    for i in range(2_500):
        entry, texts = app.state.routes.find("POST", f"/v1/models/m{i}/predict")
        assert (entry.path, texts) == ("/v1/models/{name}/predict", {"name": f"m{i}"})
    assert len(app.state.routes._fast) <= 1_000
