"""/metrics."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from service.dependencies import ServicesDep

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(services: ServicesDep, accept: Annotated[str, Header()] = "") -> Response:
    """Figures for Prometheus, of every API process on this address."""
    content, media_type = services.metrics.page(accept)
    return Response(content, media_type=media_type)
