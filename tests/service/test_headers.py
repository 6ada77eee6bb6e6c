"""What a browser may make of an answer, and whose pages may ask."""

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
def test_an_answer_is_not_kept_or_guessed_at(client, path):
    """Failures too."""
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    is_json = "json" in headers["content-type"]
    assert ("content-security-policy" in headers) != is_json


def test_what_is_no_json_is_not_framed_and_runs_nothing(client):
    """A text, a plot, a file."""
    told = client.get("/metrics").headers["content-security-policy"]
    assert "default-src 'none'" in told
    assert "frame-ancestors 'none'" in told


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_runs_its_own_scripts_and_no_others(client, path):
    """Every source that it names is allowed; inline scripts by their hash."""
    answer = client.get(path)
    assert answer.status_code == 200
    told = answer.headers.get_list("content-security-policy")
    assert told == [policy(answer.content)]
    rules = dict(rule.split(" ", 1) for rule in told[0].split("; "))
    assert "'unsafe-inline'" not in rules["script-src"]
    inline = answer.text.count("<script>")
    assert rules["script-src"].count("'sha256-") == inline
    for tag, rule in (("script", "script-src"), ("link", "style-src")):
        for source in re.findall(
            rf'<{tag}[^>]*(?:src|href)="(https://[^/"]+)', answer.text
        ):
            allowed = rules[rule] + rules["img-src"]
            assert source in allowed, source


def test_a_hash_is_of_the_script_as_it_stands():
    """Of `alert(1)`, as any browser computes it."""
    told = policy(b"<script>alert(1)</script>")
    assert "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in told


def with_origins(settings, *origins, **changes):
    app = create_app(settings.model_copy(update={"cors_origins": origins, **changes}))
    return TestClient(app, base_url="http://localhost")


def ask_first(client, origin):
    """A browser's question before a POST with a key."""
    return client.options(
        "/v1/predict",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )


def test_no_page_may_ask_unless_it_is_named(client, settings):
    """Off by default; on, the origin that is named and no other."""
    assert "access-control-allow-origin" not in ask_first(client, APP).headers
    with with_origins(settings, APP, api_key=SecretStr(KEY)) as named:
        assert ask_first(named, APP).headers["access-control-allow-origin"] == APP
        refused = ask_first(named, "https://evil.example")
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


def test_a_named_page_is_answered_with_the_key_and_not_without(settings):
    """CORS grants no access; a refusal can be read by the page."""
    headers = {"Origin": APP, "Authorization": f"Bearer {KEY}"}
    with with_origins(settings, APP, api_key=SecretStr(KEY)) as named:
        without = named.get("/v1/runs", headers={"Origin": APP})
        answer = named.get("/v1/runs", headers=headers)
    assert without.status_code == 401
    assert without.headers["access-control-allow-origin"] == APP
    assert answer.status_code == 200
    assert "access-control-allow-credentials" not in answer.headers


def test_a_named_page_may_use_a_keyless_service_of_this_machine(settings):
    """And a page that is not named still may not."""
    with with_origins(settings, APP) as named:
        assert named.get("/v1/runs", headers={"Origin": APP}).status_code == 200
        told = named.get("/v1/runs", headers={"Origin": "https://evil.example"})
    assert told.status_code == 403


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/path", "null"])
def test_an_origin_that_says_too_much_is_refused_at_the_start(origin):
    """`*` without a key, and what is no origin."""
    with pytest.raises(ValidationError, match="FITSERVE_CORS_ORIGINS"):
        Settings(cors_origins=[origin])


def test_any_page_may_ask_where_a_key_is_wanted():
    """`*` with a key."""
    settings = Settings(cors_origins=["*"], api_key=SecretStr(KEY))
    assert settings.cors_origins == ["*"]
