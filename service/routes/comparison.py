"""/v1/runs/compare; its router stands before that of /v1/runs/{run_id}."""

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
    ids: Annotated[str, Query(max_length=2_000, description="`run_…,run_…`")],
) -> ComparisonRead:
    """Compare runs: curves by epoch, metrics, and the differences of their specs.

    Two to twenty ids, with commas between. `warnings` says where figures of the runs
    cannot be compared.
    """
    return compare_runs(runs, models, [part for part in ids.split(",") if part])
