"""/health."""

from fitserve.schemas.health import Readiness
from service.auth.scopes import Access
from service.dependencies import ServicesDep
from service.readiness import readiness
from service.router import Router

router = Router(prefix="/health", tags=["health"], scope=Access.OPEN)


@router.get("/live")
async def live() -> dict[str, str]:
    """Return whether this process answers."""
    return {"status": "live"}


@router.get("/ready")
async def ready(services: ServicesDep) -> Readiness:
    """Return whether it can serve, part by part; 503 with the `parts` if one has failed.

    A worker or broker that is away is `degraded`: runs wait, everything else is served.
    """
    return await readiness(services.health)
