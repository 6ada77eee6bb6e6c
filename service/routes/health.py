"""/health."""

from fastapi import APIRouter
from sqlalchemy import text

from service.dependencies import ReadSession

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """Whether this process answers."""
    return {"status": "live"}


@router.get("/ready")
def ready(session: ReadSession) -> dict[str, str]:
    """Whether it can serve: the database answers (503 otherwise)."""
    session.execute(text("SELECT 1"))
    return {"status": "ready"}
