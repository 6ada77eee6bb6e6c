"""Convert rows of runs to the API's schemas."""

from collections.abc import Sequence

from core.datasets.tables import Dataset
from core.runs.tables import Epoch, Run
from fitserve.enums import TERMINAL, RunStatus, StopReason, Task
from fitserve.schemas.runs import DatasetRef, HistoryRead, Progress, RunRead


def dataset_ref(dataset: Dataset) -> DatasetRef:
    """Convert a dataset to the reference that runs and versions show."""
    return DatasetRef(
        id=dataset.id,
        name=dataset.name,
        version=dataset.version,
        digest=dataset.digest,
    )


def run_to_schema(run: Run) -> RunRead:
    """Convert a run to its schema."""
    return RunRead(
        id=run.id,
        status=RunStatus(run.status),
        stop_reason=StopReason(run.stop_reason) if run.stop_reason else None,
        model_name=run.model_name,
        model_version=run.model_version,
        dataset=dataset_ref(run.dataset),
        target=run.target,
        task=Task(run.task),
        spec=run.spec.to_json(),
        num_params=run.num_params,
        num_rows=run.num_rows,
        tags=run.tags,
        notes=run.notes,
        progress=Progress(epoch=run.epoch, epochs=run.epochs, eta_seconds=_eta(run)),
        best_epoch=run.best_epoch,
        kept_fit=run.kept_fit,
        metrics=run.metrics,
        main_figure=run.main_figure,
        warnings=run.warnings,
        error=run.error,
        attempt=run.attempt,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )


def _eta(run: Run) -> float | None:
    """Return the seconds to the last epoch at the current pace."""
    if run.status in TERMINAL:
        return 0.0
    if not run.epoch:
        return None
    return run.fit_seconds / run.epoch * (run.epochs - run.epoch)


def history_to_schema(epochs: Sequence[Epoch], num_fits: int = 1) -> HistoryRead:
    """Convert epochs to Keras's history, with their fits if there may be several."""
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch.metrics))
    return HistoryRead(
        epoch=[epoch.epoch for epoch in epochs],
        fit=[e.fit for e in epochs] if num_fits > 1 else None,
        history={name: [e.metrics.get(name) for e in epochs] for name in names},
    )


def of_one_fit(epochs: Sequence[Epoch], best_epoch: int | None) -> list[Epoch]:
    """Return the epochs of the kept fit, or of the last one if none is kept yet."""
    if not epochs:
        return []
    kept = next((e for e in epochs if e.epoch == best_epoch), epochs[-1])
    return [epoch for epoch in epochs if epoch.fit == kept.fit]


def kept_epoch(run: Run, epochs: Sequence[Epoch]) -> int | None:
    """Return the kept epoch, counted from 1 in the epochs of its fit; None if none is."""
    if run.best_epoch is None or run.model_version is None or not epochs:
        return None
    return run.best_epoch - epochs[0].epoch + 1
