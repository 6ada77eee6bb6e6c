"""Every route wants one scope, and a key; the matrix is made from the router itself."""

import pytest

from core.database.base import utc_now
from core.keys.tables import ApiKey
from fitserve.scopes import Scope
from service.auth.scopes import ANY_KEY, OPEN, scope_of
from tests.conftest import bench_in
from tests.service.auth.keys import bearing, id_of, make_key
from tests.service.auth.routes import fill, names, routes

NO_SCOPE = ANY_KEY | {"/mlflow/{_model}/version"}
ADMINISTERED = {"/v1/keys", "/v1/keys/{key_id}"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory, broker_url):
    with bench_in(tmp_path_factory.mktemp("keyed") / "home", broker_url) as bench:
        make_key(bench)
        yield bench


def closed(app):
    found = [route for route in routes(app) if route[1] not in OPEN]
    return [(method, path, sample(path)) for method, path in found]


def sample(path):
    return fill(path, {name: "1" if "number" in name else "x" for name in names(path)})


def test_every_route_has_a_scope_or_is_known_to_need_none(keyed):
    """A route that is missing in the table fails here: it would need `admin`."""
    wants = {
        (method, path): scope_of(method, url)
        for method, path, url in closed(keyed.client.app)
    }
    assert {path for (_, path), scope in wants.items() if scope is None} == NO_SCOPE
    assert {p for (_, p), scope in wants.items() if scope is Scope.ADMIN} == ADMINISTERED
    assert set(wants.values()) - {None} == set(Scope)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/v1"),
        ("GET", "/v1/nope"),
        ("POST", "/nope/predict"),
        ("POST", "/v1/nope:predict"),
        ("POST", "/v2/nope/infer"),
        ("GET", "/mlflow/x/nope"),
        ("GET", "/nope/version"),
        ("DELETE", "/version"),
    ],
)
def test_an_unknown_path_is_closed(keyed, method, path):
    """A key that may only predict gets 403; one of `admin` hears that it is no route."""
    predicts = bearing(make_key(keyed, scopes=[Scope.MODELS_PREDICT]))
    refused = keyed.client.request(method, path, headers=predicts)
    assert refused.status_code == 403, refused.text
    assert "`admin`" in refused.text
    admin = bearing(make_key(keyed, scopes=[Scope.ADMIN]))
    answer = keyed.client.request(method, path, headers=admin)
    assert answer.status_code == (405 if path == "/version" else 404)


def test_an_unknown_method_is_closed(keyed):
    """Whatever the path is; `OPTIONS *` names none."""
    for method, path in (
        ("PATCH", "/v1/models/x"),
        ("TRACE", "/v1/runs"),
        ("OPTIONS", "/version"),
        *(("OPTIONS", "*"), ("OPTIONS", "")),
    ):
        assert scope_of(method, path) is Scope.ADMIN, (method, path)


def test_a_model_called_ready_is_read_like_any_other():
    """Its name is not the route of the same name."""
    assert scope_of("GET", "/v2/models/ready") is Scope.MODELS_READ
    assert scope_of("GET", "/v2/models/ready/ready") is Scope.MODELS_PREDICT


def test_a_key_with_that_scope_alone_is_let_in_and_one_without_is_not(keyed):
    """Each route, both ways: 403 names the scope."""
    only = {s: bearing(make_key(keyed, scopes=[s])) for s in Scope}
    but = {
        s: bearing(make_key(keyed, scopes=[o for o in Scope if o != s])) for s in Scope
    }
    for method, path, url in closed(keyed.client.app):
        scope = scope_of(method, url)
        if scope is None:
            answer = keyed.client.request(method, url, headers=only[Scope.METRICS_READ])
            assert answer.status_code == 200, path
            continue
        refused = keyed.client.request(method, url, headers=but[scope])
        assert refused.status_code == 403, (method, path)
        assert f"`{scope}`" in refused.text, (method, path)
        let_in = keyed.client.request(method, url, headers=only[scope])
        assert let_in.status_code not in (401, 403), (method, path, let_in.text)


def test_without_a_key_in_force_every_route_is_401(keyed):
    """None, made up, of another kind, altered, expired, revoked; probes stay open."""
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
    for path in OPEN - {"/ping", "/health"}:  # those two want a model
        assert keyed.client.get(path).status_code == 200
