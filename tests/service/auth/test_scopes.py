"""Every route needs its declared scope; the cases are made from the route table."""

import pytest

from core.database.base import utc_now
from core.keys.tables import ApiKey
from fitserve.scopes import Scope
from service.auth.scopes import Access
from tests.conftest import bench_in
from tests.service.auth.keys import bearing, id_of, make_key
from tests.service.auth.routes import fill, names, routes

ANY_KEY = {"/version", "/v2", "/v1/keys/current", "/mlflow/{_model}/version"}
ADMINISTERED = {"/v1/keys", "/v1/keys/{key_id}"}
OPEN = {
    *("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"),
    *("/ping", "/health", "/", "/docs", "/redoc", "/openapi.json"),
}
FOLDERS = {"/dashboard/{path}", "/docs/files/{path}"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory, broker_url):
    with bench_in(tmp_path_factory.mktemp("keyed") / "home", broker_url) as bench:
        make_key(bench)
        yield bench


def needed(app, method, path):
    return app.state.routes.find(method, path)[0].scope


def closed(app):
    found = [(method, path, sample(path)) for method, path in routes(app)]
    return [route for route in found if needed(app, route[0], route[2]) != Access.OPEN]


def sample(path):
    return fill(path, {name: "1" if "number" in name else "x" for name in names(path)})


def test_a_route_needs_a_scope_or_is_known_to_need_none(keyed):
    """The exceptions are listed here, so that a new exception fails."""
    app = keyed.client.app
    needs = {route: needed(app, route[0], sample(route[1])) for route in routes(app)}
    for wanted, paths in (
        (Access.OPEN, OPEN | FOLDERS),
        (Access.ANY_KEY, ANY_KEY),
        (Scope.ADMIN, ADMINISTERED),
    ):
        assert {path for (_, path), scope in needs.items() if scope is wanted} == paths
    assert set(needs.values()) == {*Scope, *Access}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/v1"),
        ("GET", "/v1/nope"),
        ("GET", "/v1/runs/x/nope"),
        ("GET", "/v1/models/x/nope"),
        ("POST", "/v1/models/x/versions/y:predict"),
        ("POST", "/nope/predict"),
        ("POST", "/v1/nope:predict"),
        ("POST", "/v2/nope/infer"),
        ("GET", "/mlflow/x/nope"),
        ("GET", "/nope/version"),
        ("DELETE", "/version"),
    ],
)
def test_an_unknown_path_needs_the_scope_admin(keyed, method, path):
    """A key without `admin` gets 403, and a key with it gets 404."""
    predicts = bearing(make_key(keyed, scopes=[Scope.MODELS_PREDICT]))
    refused = keyed.client.request(method, path, headers=predicts)
    assert refused.status_code == 403, refused.text
    assert "`admin`" in refused.text
    admin = bearing(make_key(keyed, scopes=[Scope.ADMIN]))
    answer = keyed.client.request(method, path, headers=admin)
    unknown = 400 if path.startswith("/v1/models") and ":" in path else 404
    assert answer.status_code == (405 if path == "/version" else unknown)


def test_an_unknown_method_needs_the_scope_admin(keyed):
    """This holds for every path, and for `OPTIONS *`, which has no path."""
    for method, path in (
        ("PATCH", "/v1/runs"),
        ("TRACE", "/v1/runs"),
        ("DELETE", "/v1/runs/x"),
        ("OPTIONS", "/version"),
        *(("OPTIONS", "*"), ("OPTIONS", "")),
    ):
        assert needed(keyed.client.app, method, path) is Scope.ADMIN, (method, path)


def test_a_model_called_ready_is_not_the_route_of_that_name(keyed):
    app = keyed.client.app
    assert needed(app, "GET", "/v2/models/ready") is Scope.MODELS_READ
    assert needed(app, "GET", "/v2/models/ready/ready") is Scope.MODELS_PREDICT


def test_exactly_the_declared_scope_is_needed(keyed):
    """A key with only this scope is accepted; a key with all others gets 403."""
    only = {s: bearing(make_key(keyed, scopes=[s])) for s in Scope}
    but = {
        s: bearing(make_key(keyed, scopes=[o for o in Scope if o != s])) for s in Scope
    }
    for method, path, url in closed(keyed.client.app):
        scope = needed(keyed.client.app, method, url)
        if scope is Access.ANY_KEY:
            answer = keyed.client.request(method, url, headers=only[Scope.METRICS_READ])
            assert answer.status_code == 200, path
            continue
        refused = keyed.client.request(method, url, headers=but[scope])
        assert refused.status_code == 403, (method, path)
        assert f"`{scope}`" in refused.text, (method, path)
        accepted = keyed.client.request(method, url, headers=only[scope])
        assert accepted.status_code not in (401, 403), (method, path, accepted.text)


def test_without_a_valid_key_every_route_is_401(keyed):
    """Missing, invalid, altered, expired and revoked keys are refused; open routes answer."""
    expired, revoked = make_key(keyed), make_key(keyed)
    with keyed.database.write() as session:
        session.get_one(ApiKey, id_of(expired)).expires_at = utc_now()
        session.get_one(ApiKey, id_of(revoked)).revoked_at = utc_now()
    good = make_key(keyed)
    swapped = good[:-1] + ("A" if good[-1] != "A" else "B")
    bad = [{}, {"Authorization": f"Basic {good}"}]
    bad += [bearing(key) for key in ("x", swapped, expired, revoked, f"{good} {good}")]
    for method, path, url in closed(keyed.client.app):
        for headers in bad if path == "/v1/runs" else (bad[0], bearing(revoked)):
            answer = keyed.client.request(method, url, headers=headers)
            assert answer.status_code == 401, (method, path, headers)
            assert answer.headers["www-authenticate"] == "Bearer"
    for path in OPEN - {"/ping", "/health"}:  # these two need a model
        assert keyed.client.get(path).status_code == 200
