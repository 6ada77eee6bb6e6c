"""/docs and /redoc: FastAPI's pages, under a policy that lets nothing else run there."""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import HTMLResponse

_CDN = "https://cdn.jsdelivr.net"
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def add_pages(app: FastAPI) -> None:
    """Both pages, by the names that FastAPI gives them."""
    title, schema = app.title, app.openapi_url or "/openapi.json"
    for path, page in (
        ("/docs", get_swagger_ui_html(openapi_url=schema, title=title)),
        ("/redoc", get_redoc_html(openapi_url=schema, title=title)),
    ):
        page.headers["content-security-policy"] = policy(bytes(page.body))
        app.add_api_route(path, _giving(page), include_in_schema=False, name=path[1:])


def _giving(page: HTMLResponse) -> Callable[[], Awaitable[HTMLResponse]]:
    async def give() -> HTMLResponse:
        return page

    return give


def policy(page: bytes) -> str:
    """What the page may do: its own inline scripts, by hash, and the viewer's files."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in _SCRIPT.findall(page)
    )
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_CDN} {hashes}".strip(),
            f"style-src {_CDN} https://fonts.googleapis.com 'unsafe-inline'",
            "font-src https://fonts.gstatic.com",
            "img-src 'self' data: https://fastapi.tiangolo.com https://cdn.redoc.ly",
            "connect-src 'self'",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
