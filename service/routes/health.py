"""/health."""

from fastapi import APIRouter

from service.dependencies import ServicesDep

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """Whether this process answers."""
    return {"status": "live"}


@router.get("/ready")
def ready(services: ServicesDep) -> dict[str, str]:
    """Whether it can serve: the database answers (503 otherwise)."""
    services.database.check()
    return {"status": "ready"}
