"""/v1/runs/compare; the router of /v1/runs/{run_id} must come after this router."""

from typing import Annotated

from fastapi import Query

from core.models.common_figures import Pair
from core.models.judge import Judge
from core.models.repository import ModelRepository
from core.runs.reporting.comparison import compare as compare_runs
from core.runs.reporting.comparison import with_common
from core.runs.repository import RunRepository
from fitserve.schemas.comparison import ComparisonRead
from fitserve.scopes import Scope
from service.dependencies import ServicesDep, WorkspaceDep
from service.router import Router

router = Router(prefix="/v1/runs", tags=["runs"], scope=Scope.RUNS_READ)


@router.get("/compare")
def compare(
    services: ServicesDep,
    workspace: WorkspaceDep,
    ids: Annotated[str, Query(max_length=2_000, description="Run ids, with commas.")],
) -> ComparisonRead:
    """Compare 2 to 20 runs.

    Returns metrics by epoch, final metrics, and the differences between the specs.
    `warnings` lists metrics that cannot be compared. If two runs were scored on different
    rows, `common` has their main figure on rows that both held out, and `advice` says so.
    """
    given = [part for part in ids.split(",") if part]
    with services.database.read() as session:
        runs = RunRepository(session, workspace)
        models = ModelRepository(session, workspace)
        found = compare_runs(runs, models, given)
        pair = Pair.of(session, models, [runs.get(run_id) for run_id in given])
    if pair is None:
        return found
    judge = Judge(services.storage, load=services.predictor.network)
    common = pair.figures(judge)
    return found if common is None else with_common(found, common, pair.reason)
