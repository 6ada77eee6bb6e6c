"""/v1/runs/{run_id}/report, and the report of a version."""

from typing import Annotated

from fastapi import Path

from fitserve.schemas.report import ReportRead
from fitserve.scopes import Scope
from service.dependencies import Models, Runs, ServicesDep
from service.router import Router, declare

router = Router(prefix="/v1", scope=Scope.RUNS_READ)

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/runs/{run_id}/report", tags=["runs"], name="report")
def of_run(run_id: str, runs: Runs, models: Models, services: ServicesDep) -> ReportRead:
    """Get the report of a run.

    The report has metrics on held-out rows, baselines, feature importance, advice, and
    warnings about the data. `status` is `pending` until the run has ended.
    """
    return services.reports.of_run(runs, models, run_id)


@router.get("/models/{name}/versions/{number}/report", tags=["models"], name="report")
@declare(scope=Scope.MODELS_READ)
def of_version(
    name: str, number: Number, runs: Runs, models: Models, services: ServicesDep
) -> ReportRead:
    """Get the report of the run that created a version."""
    return services.reports.of_version(runs, models, name, number)
