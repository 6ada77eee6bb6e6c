"""The pages for browsers: readable without a key, and only files of installed packages."""

import re

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from service.app import create_app

PARTS = ("/", "/docs", "/redoc", "/openapi.json", "/dashboard/styles.css")


@pytest.fixture
def keyed(settings):
    app = create_app(settings.model_copy(update={"api_key": SecretStr("k" * 20)}))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", PARTS)
def test_a_page_is_shown_without_a_key(keyed, path):
    """The page asks for a key when it reads data."""
    assert keyed.get(path).status_code == 200
    assert keyed.get("/v1/runs").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/../v1/runs",
        "/dashboard/%2e%2e/v1/runs",
        "/dashboard/..%2f__init__.py",
        "/dashboard//etc/passwd",
        "/dashboard/",
        "/dashboard/modules",
        "/docs/files/../v1/runs",
        "/docs/files/__init__.py",
    ],
)
def test_the_open_folders_give_no_access_to_other_paths(keyed, path):
    answer = keyed.request("GET", f"http://localhost{path}")
    assert answer.status_code in (401, 404)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_dashboard_runs_its_own_modules_and_nothing_else(client):
    """The page has no inline script or style, and its policy forbids them."""
    answer = client.get("/")
    rules = dict(
        rule.split(" ", 1)
        for rule in answer.headers["content-security-policy"].split("; ")
    )
    assert rules["default-src"] == "'none'"
    assert {rules[one] for one in ("script-src", "style-src", "connect-src")} == {
        "'self'"
    }
    assert rules["trusted-types"] == "'none'"
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", answer.text)


def test_every_file_that_the_page_names_exists(client):
    """A browser loads each file again only if it changed."""
    named = re.findall(r'(?:src|href)="(dashboard/[^"]+)"', client.get("/").text)
    assert len(named) > 4
    for path in named:
        answer = client.get(f"/{path}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"
        known = {"If-None-Match": answer.headers["etag"]}
        assert client.get(f"/{path}", headers=known).status_code == 304


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_api_pages_name_files_of_this_service(client, path):
    """The pages use no content delivery network."""
    text = client.get(path).text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    for name in re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', text):
        assert client.get(f"/{name}").status_code == 200, name
