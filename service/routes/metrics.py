"""/metrics."""

from typing import Annotated

from fastapi import Header
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from core.settings import Settings
from fitserve.scopes import Scope
from service.auth.scopes import Access, RequiredAccess
from service.dependencies import ServicesDep
from service.router import Router


def _scope(settings: Settings) -> RequiredAccess:
    return Access.OPEN if settings.metrics_open else Scope.METRICS_READ


router = Router(tags=["health"], scope=_scope, query=None)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(services: ServicesDep, accept: Annotated[str, Header()] = "") -> Response:
    """Get the metrics of all API processes on this address, for Prometheus."""
    content, media_type = services.metrics.page(accept)
    return Response(content, media_type=media_type)
