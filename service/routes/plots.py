"""Plots of a run by URL, for a README or a chat."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import Path, Response

from core.models.repository import ModelRepository
from core.runs.reporting.plots import PLOTS, plot_data
from core.runs.repository import RunRepository
from core.runs.serialize import history_to_schema, of_one_fit
from fitserve.scopes import Scope
from service.dependencies import ServicesDep, WorkspaceDep
from service.plots import PlotForm, plot
from service.router import Router
from service.services import Services

router = Router(prefix="/v1/runs/{run_id}", tags=["runs"], scope=Scope.RUNS_READ)

Name = Annotated[str, Path(json_schema_extra={"enum": list(PLOTS)})]


def _picture(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {}}}}


@router.get("/history.svg", responses=_picture("image/svg+xml"), response_class=Response)
async def history_svg(
    run_id: str, services: ServicesDep, workspace: WorkspaceDep
) -> Response:
    """Download the loss plot as SVG. A line marks the epoch that was kept."""
    return await _history(services, workspace, run_id, "svg")


@router.get("/history.png", responses=_picture("image/png"), response_class=Response)
async def history_png(
    run_id: str, services: ServicesDep, workspace: WorkspaceDep
) -> Response:
    """Download the loss plot as PNG, 1008 by 576 pixels."""
    return await _history(services, workspace, run_id, "png")


async def _history(
    services: Services, workspace: str, run_id: str, form: PlotForm
) -> Response:
    data = await to_thread.run_sync(_history_of, services, workspace, run_id)
    return await plot("history", form, data)


def _history_of(services: Services, workspace: str, run_id: str) -> dict[str, Any]:
    with services.database.read() as session:
        runs = RunRepository(session, workspace)
        run = runs.get(run_id)
        kept = of_one_fit(runs.epochs(run_id), run.best_epoch)
        data = history_to_schema(kept).model_dump() | {"best_epoch": run.best_epoch}
        if run.num_seeds > 1 and kept:
            data["title"] = f"fit {kept[0].fit} of {run.num_seeds}"
        return data


@router.get(
    "/report/{plot_name}.svg",
    responses=_picture("image/svg+xml"),
    response_class=Response,
)
async def report_svg(
    run_id: str, plot_name: Name, services: ServicesDep, workspace: WorkspaceDep
) -> Response:
    """Download a plot of the report as SVG. The report lists its plots in `plots`."""
    return await _report(services, workspace, run_id, plot_name, "svg")


@router.get(
    "/report/{plot_name}.png", responses=_picture("image/png"), response_class=Response
)
async def report_png(
    run_id: str, plot_name: Name, services: ServicesDep, workspace: WorkspaceDep
) -> Response:
    """Download a plot of the report as PNG, 1008 by 576 or 792 by 720 pixels."""
    return await _report(services, workspace, run_id, plot_name, "png")


async def _report(
    services: Services, workspace: str, run_id: str, name: str, form: PlotForm
) -> Response:
    data = await to_thread.run_sync(_report_of, services, workspace, run_id, name)
    return await plot(name, form, data)


def _report_of(
    services: Services, workspace: str, run_id: str, name: str
) -> dict[str, Any]:
    with services.database.read() as session:
        runs = RunRepository(session, workspace)
        models = ModelRepository(session, workspace)
        return plot_data(services.reports.of_run(runs, models, run_id), name)
