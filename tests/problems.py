"""Assertions about problems."""

from typing import Any

from httpx2 import Response


def assert_problem(answer: Response, status: int, slug: str) -> dict[str, Any]:
    """Assert a problem of RFC 9457 with this status and type; return its body."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert answer.status_code == status, body
    assert body["status"] == status
    assert body["type"] == f"/problems/{slug}"
    assert body["title"]
    assert body["detail"].endswith((".", "?", "`"))
    assert body["instance"] == answer.request.url.path
    assert body["request_id"] == answer.headers["x-request-id"]
    return body
