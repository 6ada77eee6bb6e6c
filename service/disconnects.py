"""Log clients that disconnect before they have sent their whole body."""

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)


def log_disconnect() -> None:
    """Log a disconnect at level INFO; there is no client left to answer."""
    log.info("the client disconnected before it had sent the whole body")


class LoggedDisconnects:
    """Log a client's disconnect, which FastAPI would otherwise report as a bug."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            log_disconnect()
