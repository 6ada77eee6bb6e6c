"""Validate, create and cancel runs."""

import logging
from collections.abc import Collection
from dataclasses import replace
from functools import partial

from sqlalchemy.orm import Session

from core import tracing
from core.database.sessions import after_commit
from core.datasets.lineages import Lineages
from core.datasets.repository import DatasetRepository
from core.datasets.service import ready
from core.datasets.tables import Lineage
from core.errors import InvalidSpec
from core.keys.caller import Caller
from core.keys.quotas import refuse_over_quota, refuse_too_many_runs
from core.models.repository import ModelRepository
from core.models.requirements import parse
from core.models.run_promotion import WHEN
from core.queue import TRAIN, Queue
from core.runs.planning.cost import LONGEST_SMALL_SECONDS
from core.runs.planning.earlier_version import kept_inputs
from core.runs.planning.resolver import Datasets, Resolved, resolve
from core.runs.planning.splits import SPLITTING
from core.runs.planning.warnings import model_warnings
from core.runs.planning.worker_tags import refuse_unknown_tags
from core.runs.repository import RunRepository
from core.runs.spec import ResolvedSpec, RunPlan
from core.runs.tables import Run
from core.settings import Limits, WebhookRules
from core.storage import Storage
from core.webhooks.repository import WebhookRepository
from core.webhooks.service import refuse_bad_url
from core.workers.repository import WorkerRepository
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate
from fitserve.specs.webhook import WebhookSpec

log = logging.getLogger(__name__)


class RunService:
    """The creation and cancellation of runs, with a storage and a queue."""

    def __init__(
        self,
        storage: Storage,
        queue: Queue,
        limits: Limits,
        webhooks: WebhookRules | None = None,
        worker_tags: Collection[str] = (),
    ) -> None:
        self._storage = storage
        self._queue = queue
        self._limits = limits
        self._worker_tags = worker_tags
        self._webhooks = webhooks or WebhookRules()

    def resolve(self, session: Session, workspace: str, create: RunCreate) -> Resolved:
        """Return the run with every default filled in; nothing is stored.

        Raises DatasetNotFound, DatasetNotReady, InvalidSpec, OverLimit.
        """
        if create.webhook is not None:
            refuse_bad_url(create.webhook.url, self._webhooks, pointer("webhook", "url"))
        ref = _dataset_ref(create)
        self._refuse_unknown_tags(session, create)
        datasets = _find(DatasetRepository(session, workspace), ref, create)
        models = ModelRepository(session, workspace)
        kept = kept_inputs(models, create, create.model_name or datasets.dataset.name)
        resolved = resolve(create, ref, datasets, self._storage, self._limits, kept)
        _refuse_bad_promotion(resolved.spec)
        warnings = model_warnings(models, resolved.spec)
        return replace(resolved, warnings=[*resolved.warnings, *warnings])

    def prepare(self, session: Session, caller: Caller, create: RunCreate) -> Resolved:
        """Resolve a run to be queued, in a session that only reads.

        A column may have to be re-read from a large file, which must not block writers.
        Raises the errors of `resolve`, TooManyRuns and QuotaExceeded.
        """
        self._refuse_over_limits(session, caller)
        return self.resolve(session, caller.workspace, create)

    def create(
        self,
        session: Session,
        caller: Caller,
        resolved: Resolved,
        webhook: WebhookSpec | None = None,
    ) -> Run:
        """Store a prepared run, and send it to the queue when the session commits.

        Raises DatasetNotFound if a dataset was deleted, TooManyRuns, QuotaExceeded.
        """
        self._refuse_over_limits(session, caller)
        lineage = Lineages(session, caller.workspace).of(resolved.datasets.dataset)
        _lock(resolved.datasets, DatasetRepository(session, caller.workspace))
        run = _run(resolved, _split_key(resolved.spec, lineage))
        RunRepository(session, caller.workspace).add(run)
        if webhook is not None:
            WebhookRepository(session).add(run.id, webhook)
        after_commit(session, partial(self._queue.send, TRAIN, run.id, run.worker_tags))
        after_commit(session, partial(_log_queued, run))
        return run

    def _refuse_unknown_tags(self, session: Session, create: RunCreate) -> None:
        if create.worker_tags:
            seen = WorkerRepository(session).known_tags()
            refuse_unknown_tags(create.worker_tags, [self._worker_tags, *seen])

    def _refuse_over_limits(self, session: Session, caller: Caller) -> None:
        refuse_too_many_runs(session, caller, self._limits.max_queued_runs)
        refuse_over_quota(session, caller)

    def cancel(self, session: Session, workspace: str, run_id: str) -> Run:
        """End a queued run, ask a running one to stop, leave an ended one unchanged."""
        repository = RunRepository(session, workspace)
        run = repository.get(run_id)
        repository.request_cancel(run_id)
        session.refresh(run)
        return run


def _refuse_bad_promotion(spec: ResolvedSpec) -> None:
    """Raise InvalidSpec if a condition of the promotion names no metric of the task."""
    if spec.promotion is not None and isinstance(spec.promotion.when, dict):
        parse(spec.promotion.when, spec.task, WHEN, InvalidSpec)


def _log_queued(run: Run) -> None:
    """Log the id of the run, so that the logs of a request lead to its run."""
    facts = {"run_id": run.id, "dataset_id": run.dataset_id, "model": run.model_name}
    log.info("run %s: queued", run.id, extra={"facts": facts})


def _dataset_ref(create: RunCreate) -> str:
    if create.dataset is not None:
        return create.dataset
    error = FieldError(
        pointer=pointer("dataset"),
        detail="this key is required and is absent",
        hint="name a dataset, or send the CSV in the multipart part `file`",
    )
    raise InvalidSpec("The run names no dataset.", [error])


def _find(datasets: DatasetRepository, ref: str, create: RunCreate) -> Datasets:
    """Return the datasets of a spec; raise DatasetNotFound or DatasetNotReady."""
    validation = create.fit.validation_dataset
    return Datasets(
        ready(datasets.get(ref)),
        None if validation is None else ready(datasets.get(validation)),
    )


def _lock(found: Datasets, datasets: DatasetRepository) -> None:
    """Lock the datasets, so that none is deleted while the run is being stored."""
    for dataset in (found.dataset, found.validation):
        if dataset is not None:
            datasets.hold(dataset)


def _split_key(spec: ResolvedSpec, lineage: Lineage) -> int:
    """Return the key that decides which rows the run holds out."""
    return lineage.key if spec.split.key == "lineage" else spec.fit.seed


def _plan(resolved: Resolved, split_key: int) -> RunPlan:
    selection = resolved.selection
    return RunPlan(
        layers=resolved.layers,
        features=selection.types,
        excluded=selection.excluded,
        classes=resolved.target.classes,
        formats={name: column.format for name, column in selection.columns.items()},
        null_values=resolved.datasets.dataset.options.null_values,
        splitting=SPLITTING,
        split_key=split_key,
    )


def _run(resolved: Resolved, split_key: int) -> Run:
    spec, datasets = resolved.spec, resolved.datasets
    seconds = resolved.cost.seconds(min(spec.fit.batch_size, resolved.num_rows["train"]))
    return Run(
        is_small=seconds <= LONGEST_SMALL_SECONDS,
        model_name=spec.model_name,
        dataset=datasets.dataset,
        validation_dataset_id=datasets.validation.id if datasets.validation else None,
        target=spec.target,
        task=spec.task,
        spec=spec,
        plan=_plan(resolved, split_key),
        tags=spec.tags,
        epochs=spec.fit.epochs * spec.fit.num_seeds,
        num_rows=resolved.num_rows,
        metrics={},
        warnings=resolved.warnings,
        traceparent=tracing.traceparent(),
    )
