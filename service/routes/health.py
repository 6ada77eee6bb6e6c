"""/health."""

from fitserve.schemas.health import Readiness
from service.auth.scopes import Access
from service.dependencies import ServicesDep
from service.readiness import readiness
from service.router import Router

router = Router(prefix="/health", tags=["health"], scope=Access.OPEN, query=None)
"""Probes may send any query, for example against caches."""


@router.get("/live")
async def live() -> dict[str, str]:
    """Check that this process answers."""
    return {"status": "live"}


@router.get("/ready")
async def ready(services: ServicesDep) -> Readiness:
    """Check whether this process can serve, part by part.

    Fails with 503 and all `parts` if a part has failed. Without a worker or the broker,
    the status is `degraded`: runs wait, and everything else works.
    """
    return await readiness(services.health)
