"""/v1/runs/compare; the router of /v1/runs/{run_id} must come after this router."""

from typing import Annotated

from fastapi import Query

from core.runs.reporting.comparison import compare as compare_runs
from fitserve.schemas.comparison import ComparisonRead
from fitserve.scopes import Scope
from service.dependencies import Models, Runs
from service.router import Router

router = Router(prefix="/v1/runs", tags=["runs"], scope=Scope.RUNS_READ)


@router.get("/compare")
def compare(
    runs: Runs,
    models: Models,
    ids: Annotated[str, Query(max_length=2_000, description="Run ids, with commas.")],
) -> ComparisonRead:
    """Compare 2 to 20 runs.

    Returns metrics by epoch, final metrics, and the differences between the specs.
    `warnings` lists metrics that cannot be compared.
    """
    return compare_runs(runs, models, [part for part in ids.split(",") if part])
