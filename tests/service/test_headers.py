"""Security headers and CORS."""

import re

import pytest
from pydantic import SecretStr, ValidationError
from starlette.testclient import TestClient

from core.settings import Settings
from service.app import create_app
from service.pages import policy

KEY = "a-secret-of-many-characters"
APP = "https://app.example"


@pytest.mark.parametrize(
    "path", ["/v1/runs", "/nope", "/health/live", "/openapi.json", "/metrics"]
)
def test_an_answer_is_not_cached_or_sniffed(client, path):
    """This holds for failures too."""
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    is_json = "json" in headers["content-type"]
    assert ("content-security-policy" in headers) != is_json


def test_an_answer_that_is_not_json_cannot_be_framed_or_run_scripts(client):
    rules = client.get("/metrics").headers["content-security-policy"]
    assert "default-src 'none'" in rules
    assert "frame-ancestors 'none'" in rules


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_runs_its_own_scripts_and_no_others(client, path):
    """Every source of the page is allowed, and inline scripts by their hash."""
    answer = client.get(path)
    assert answer.status_code == 200
    policies = answer.headers.get_list("content-security-policy")
    assert policies == [policy(answer.content)]
    rules = dict(rule.split(" ", 1) for rule in policies[0].split("; "))
    assert "'unsafe-inline'" not in rules["script-src"]
    inline = answer.text.count("<script>")
    assert rules["script-src"].count("'sha256-") == inline
    for tag, rule in (("script", "script-src"), ("link", "style-src")):
        for source in re.findall(
            rf'<{tag}[^>]*(?:src|href)="(https://[^/"]+)', answer.text
        ):
            allowed = rules[rule] + rules["img-src"]
            assert source in allowed, source


def test_the_hash_of_a_script_is_that_of_browsers():
    rules = policy(b"<script>alert(1)</script>")
    assert "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in rules


def with_origins(settings, *origins, **changes):
    app = create_app(settings.model_copy(update={"cors_origins": origins, **changes}))
    return TestClient(app, base_url="http://localhost")


def preflight(client, origin):
    """Send a browser's preflight request for a POST with a key."""
    return client.options(
        "/v1/predict",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )


def test_only_named_origins_are_allowed(client, settings):
    """By default no origin is allowed."""
    assert "access-control-allow-origin" not in preflight(client, APP).headers
    with with_origins(settings, APP, api_key=SecretStr(KEY)) as named:
        assert preflight(named, APP).headers["access-control-allow-origin"] == APP
        refused = preflight(named, "https://evil.example")
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


def test_a_named_origin_still_needs_the_key(settings):
    """The page can read the refusal."""
    headers = {"Origin": APP, "Authorization": f"Bearer {KEY}"}
    with with_origins(settings, APP, api_key=SecretStr(KEY)) as named:
        without = named.get("/v1/runs", headers={"Origin": APP})
        answer = named.get("/v1/runs", headers=headers)
    assert without.status_code == 401
    assert without.headers["access-control-allow-origin"] == APP
    assert answer.status_code == 200
    assert "access-control-allow-credentials" not in answer.headers


def test_a_named_origin_may_use_a_local_service_without_a_key(settings):
    """Other origins are still refused."""
    with with_origins(settings, APP) as named:
        assert named.get("/v1/runs", headers={"Origin": APP}).status_code == 200
        refused = named.get("/v1/runs", headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/path", "null"])
def test_an_invalid_origin_is_refused_at_the_start(origin):
    with pytest.raises(ValidationError, match="FITSERVE_CORS_ORIGINS"):
        Settings(cors_origins=[origin])


def test_any_origin_may_be_allowed_if_a_key_is_needed():
    settings = Settings(cors_origins=["*"], api_key=SecretStr(KEY))
    assert settings.cors_origins == ["*"]
