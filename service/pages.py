"""Serve the pages for browsers: the dashboard at /, the API at /docs and /redoc.

Every file is part of an installed package, so the pages load without internet access. The
pages need no key; the dashboard asks its user for a key.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from os import PathLike, stat_result
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.auth.scopes import Access
from service.router import declare

_DASHBOARD = Path(str(files("dashboard"))) / "static"
_VIEWERS = "/docs/files"
_ICON = "dashboard/favicon.svg"
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_REVALIDATED = {"cache-control": "no-cache"}
_open = declare(scope=Access.OPEN)

DASHBOARD_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No inline script or style, and no HTML from text."""


class _Files(StaticFiles):
    """A folder of a package; browsers must revalidate its cached files."""

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        answer = super().file_response(full_path, stat_result, scope, status_code)
        answer.headers.update(_REVALIDATED)
        return answer


def add_pages(app: FastAPI) -> None:
    """Add the dashboard, and FastAPI's pages at their usual paths."""
    app.add_api_route("/", _dashboard, include_in_schema=False, name="dashboard")
    app.mount("/dashboard", _open(_Files(directory=_DASHBOARD)))
    for path, page in (("/docs", _swagger_ui(app)), ("/redoc", _redoc(app))):
        page.headers["content-security-policy"] = policy(bytes(page.body))
        app.add_api_route(path, _giving(page), include_in_schema=False, name=path[1:])
    viewers = _Files(packages=[("fastapi_standalone_docs", "static")])
    app.mount(_VIEWERS, _open(viewers))


@_open
async def _dashboard() -> FileResponse:
    headers = {"content-security-policy": DASHBOARD_POLICY, **_REVALIDATED}
    return FileResponse(_DASHBOARD / "index.html", headers=headers)


def _swagger_ui(app: FastAPI) -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title=app.title,
        swagger_js_url=f"{_VIEWERS[1:]}/swagger/swagger-ui-bundle.js",
        swagger_css_url=f"{_VIEWERS[1:]}/swagger/swagger-ui.css",
        swagger_favicon_url=_ICON,
    )


def _redoc(app: FastAPI) -> HTMLResponse:
    return get_redoc_html(
        openapi_url="openapi.json",
        title=app.title,
        redoc_js_url=f"{_VIEWERS[1:]}/redoc/redoc.standalone.js",
        redoc_favicon_url=_ICON,
        with_google_fonts=False,
    )


def _giving(page: HTMLResponse) -> Callable[[], Awaitable[HTMLResponse]]:
    @_open
    async def give() -> HTMLResponse:
        return page

    return give


def policy(page: bytes) -> str:
    """Return a policy that allows a page's inline scripts (by hash) and our own files."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in _SCRIPT.findall(page)
    )
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {hashes}".strip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
