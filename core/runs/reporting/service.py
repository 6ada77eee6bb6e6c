"""Assemble the report of a run from stored artifacts."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel

from core.database.base import utc_now
from core.errors import NotFound
from core.models.repository import ModelRepository
from core.models.tables import Version
from core.runs.diagnosis.diagnosis import read_curve
from core.runs.diagnosis.facts import Facts
from core.runs.reporting.plots import paths_of
from core.runs.reporting.summary import summary_of
from core.runs.repository import RunRepository
from core.runs.serialize import history_to_schema, kept_epoch, of_one_fit
from core.runs.tables import Run
from core.settings import Limits, ReportRules
from core.storage import Storage
from core.storage.recorded import read_recorded
from fitserve.enums import TERMINAL, StopReason, Task
from fitserve.names import version_ref
from fitserve.schemas.report import (
    BaselineFigures,
    BaselinesRead,
    Figures,
    Metrics,
    Missing,
    ReportRead,
)

REPORT = "report"
BASELINES = "baselines"
"""The names of the artifacts, without `.json`."""

Stored = TypeVar("Stored", bound=BaseModel)
_GRACE_SECONDS = 60.0
"""Extra time for baselines before they are reported as lost."""


class ReportService:
    """A reader of stored reports, which also diagnoses the learning curve."""

    def __init__(self, storage: Storage, rules: ReportRules, limits: Limits) -> None:
        self._storage = storage
        self._rules = rules
        self._limits = limits

    def of_version(
        self, runs: RunRepository, models: ModelRepository, name: str, number: int
    ) -> ReportRead:
        """Return the report of the run that made a version.

        Raises ModelNotFound or VersionNotFound.
        """
        version = models.version(name, number)
        return self.of_run(runs, models, version.run_id)

    def of_run(
        self, runs: RunRepository, models: ModelRepository, run_id: str
    ) -> ReportRead:
        """Return the report of a run so far; raise RunNotFound or ArtifactDamaged."""
        run = runs.get(run_id)
        version = _version(models, run)
        figures = self._stored(version, REPORT, Figures)
        baselines = self._baselines(run, version, figures)
        epochs = of_one_fit(runs.epochs(run_id), run.best_epoch)
        history = history_to_schema(epochs).history
        facts = replace(
            facts_of(run, figures, baselines), kept_epoch=kept_epoch(run, epochs)
        )
        # a dataset that runs have read keeps its name, so the reference stays valid
        dataset = version_ref(run.dataset.name, run.dataset.version)
        reading = read_curve(history, facts, dataset, self._limits)
        if reading is not None and run.kept_fit is not None:
            sentence = f"These are epochs of fit {run.kept_fit}. {reading.sentence}"
            reading = reading.model_copy(update={"sentence": sentence})
        summary = summary_of(Task(run.task), figures, baselines.results)
        parts = {"baselines": baselines, "reading": reading, "summary": summary}
        report = _read(run, figures).model_copy(update=parts)
        return report.model_copy(update={"plots": paths_of(report)})

    def _stored(
        self, version: Version | None, name: str, kind: type[Stored]
    ) -> Stored | None:
        artifact = version.artifact(f"{name}.json") if version is not None else None
        if artifact is None:
            return None
        what = f"{artifact.name} of this version"
        content = read_recorded(
            self._storage, artifact.key, artifact.sha256, artifact.num_bytes, what
        )
        return kind.model_validate_json(content)

    def _baselines(
        self, run: Run, version: Version | None, figures: Figures | None
    ) -> BaselinesRead:
        found = self._stored(version, BASELINES, BaselineFigures)
        if found is not None:
            missing = "; ".join(f"{m.part}: {m.reason}" for m in found.missing)
            return BaselinesRead(
                status="ready",
                reason=missing or None,
                seconds=found.seconds,
                results=found.results,
            )
        status, reason = self._why_none(run, figures)
        return BaselinesRead.model_validate(
            {"status": status, "reason": reason, "seconds": None, "results": []}
        )

    def _why_none(self, run: Run, figures: Figures | None) -> tuple[str, str]:
        if run.status not in TERMINAL:
            return "pending", "the run has not ended"
        if figures is None:
            return "skipped", "the run has no metrics to compare them with"
        reasons = [m.reason for m in figures.missing if m.part == BASELINES]
        if reasons:
            return "skipped", reasons[0]
        seconds = self._rules.seconds(run.spec.report) + _GRACE_SECONDS
        if run.ended_at and utc_now() - run.ended_at > timedelta(seconds=seconds):
            return "lost", "the worker stopped before it had trained them"
        return "pending", "the worker is training them"


def _version(models: ModelRepository, run: Run) -> Version | None:
    if run.model_version is None:
        return None
    try:
        return models.version(run.model_name, run.model_version)
    except NotFound:  # the version or its model was deleted
        return None


def facts_of(
    run: Run, figures: Figures | ReportRead | None, baselines: BaselinesRead
) -> Facts:
    """Return the facts that the diagnosis of a run uses in addition to the curve."""
    return Facts(
        stop_reason=StopReason(run.stop_reason) if run.stop_reason else None,
        spec=run.spec,
        metrics=figures.metrics if figures else {},
        training_metrics=figures.training_metrics if figures else {},
        rivals=_rivals(run, baselines),
        num_train_rows=run.num_rows["train"],
        traps=figures.traps if figures else [],
        features=list(run.plan.features),
        main_figure=run.main_figure if figures else None,
    )


def _rivals(run: Run, baselines: BaselinesRead) -> dict[str, Metrics]:
    """Return the baselines that are comparable with the network.

    Older releases trained them without the class weights of the run.
    """
    is_weighted = run.spec.fit.class_weight is not None
    return {
        r.name: r.metrics
        for r in baselines.results
        if r.is_class_weighted or not is_weighted
    }


def _read(run: Run, figures: Figures | None) -> ReportRead:
    has_ended = run.status in TERMINAL
    missing = figures.missing if figures else [_nothing(run)] if has_ended else []
    return ReportRead.model_validate(
        {
            "run_id": run.id,
            "status": ("ready" if figures else "none") if has_ended else "pending",
            "model_name": run.model_name,
            "model_version": run.model_version,
            "task": run.task,
            "target": run.target,
            "summary": "",
            "num_params": run.plan.num_params,
            "num_rows": run.num_rows,
            "excluded": run.plan.excluded,
            "fit_seconds": run.fit_seconds,
            "report_seconds": figures.report_seconds if figures else None,
            "held_out": figures.held_out if figures else None,
            "main_figure": run.main_figure if figures else None,
            "metrics": figures.metrics if figures else {},
            "training_metrics": figures.training_metrics if figures else {},
            "reasons": figures.reasons if figures else {},
            "regression": figures.regression if figures else None,
            "classification": figures.classification if figures else None,
            "baselines": {
                "status": "pending",
                "reason": None,
                "seconds": None,
                "results": [],
            },
            "importance": figures.importance if figures else None,
            "traps": figures.traps if figures else [],
            "reading": None,
            "missing": missing,
        }
    )


def _nothing(run: Run) -> Missing:
    reason = f"the run ended as {run.status} without a network"
    if run.model_version is not None:
        reason = "its version was deleted, or has no report"
    return Missing(part="metrics", reason=reason)
