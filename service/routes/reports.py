"""/v1/runs/{id}/report, and the same of a version."""

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
    """How good the network is, against what, and what to try next.

    Figures on held-out rows, baselines, importance of features, traps in the data, the
    reading of the curve. `pending` until the run has ended; the baselines' figures come
    seconds later.
    """
    return services.reports.of_run(runs, models, run_id)


@router.get("/models/{name}/versions/{number}/report", tags=["models"], name="report")
@declare(scope=Scope.MODELS_READ)
def of_version(
    name: str, number: Number, runs: Runs, models: Models, services: ServicesDep
) -> ReportRead:
    """Read the report of the run that made the version."""
    return services.reports.of_version(runs, models, name, number)
