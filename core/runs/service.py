"""Validate, create and cancel runs."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from sqlalchemy.orm import Session

from core import tracing
from core.database.sessions import after_commit
from core.datasets.repository import DatasetRepository
from core.datasets.service import ready
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, raise_any
from core.keys.caller import Caller
from core.keys.quotas import refuse_over_quota, refuse_too_many_runs
from core.models.repository import ModelRepository
from core.queue import TRAIN, Queue
from core.runs.planning.column_names import ColumnNames
from core.runs.planning.deciding import find_deciding
from core.runs.planning.earlier_versions import other_purpose
from core.runs.planning.features import Selection, select_features
from core.runs.planning.leakage import UNIT, find_copies
from core.runs.planning.presets import with_preset
from core.runs.planning.resolver import Draft, Resolved, Tables, resolve
from core.runs.planning.split_counts import count_rows
from core.runs.planning.target import Target
from core.runs.planning.target_column import read_target
from core.runs.planning.validation_table import (
    refuse_missing_columns,
    refuse_other_values,
    strange_warnings,
)
from core.runs.repository import RunRepository
from core.runs.run_plan import RunPlan
from core.runs.run_tables import open_dataset, open_validation
from core.runs.tables import Run
from core.settings import Limits, WebhookRules
from core.storage import Storage
from core.webhooks.addresses import Refused, check_url
from core.webhooks.repository import WebhookRepository
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate
from fitserve.specs.webhook import WebhookSpec

log = logging.getLogger(__name__)


class RunService:
    """Create and cancel runs, with a storage for tables and a queue for workers."""

    def __init__(
        self,
        storage: Storage,
        queue: Queue,
        limits: Limits,
        webhooks: WebhookRules | None = None,
    ) -> None:
        self._storage = storage
        self._queue = queue
        self._limits = limits
        self._webhooks = webhooks or WebhookRules()

    def resolve(self, session: Session, workspace: str, create: RunCreate) -> Resolved:
        """Return the run with every default filled in; nothing is stored.

        Raises DatasetNotFound, DatasetNotReady, InvalidSpec, OverLimit.
        """
        _refuse_bad_webhook(create.webhook, self._webhooks)
        datasets = DatasetRepository(session, workspace)
        ref = _dataset_ref(create)
        dataset = ready(datasets.get(ref))
        create = ColumnNames(c.name for c in dataset.columns).in_spec(create)
        tables = Tables(dataset, _validation_dataset(datasets, create))
        with open_dataset(dataset, create.features, self._storage) as table:
            resolved = self._resolve_on(table, tables, create, ref)
        told = other_purpose(ModelRepository(session, workspace), resolved)
        return replace(resolved, warnings=[*resolved.warnings, *told])

    def _resolve_on(
        self, table: TypedTable, tables: Tables, create: RunCreate, ref: str
    ) -> Resolved:
        columns = table.columns
        (column,) = (c for c in columns if c.name == create.target)
        target = read_target(table, column, create, self._limits.max_classes)
        create, model = with_preset(create, target.task, target.num_rows, len(columns))
        others = [c.name for c in columns if c.name != create.target]
        copies = find_copies(table, create.target, others)
        reasons = {k: v for k, v in copies.items() if v != UNIT} | _split_reason(create)
        selection = select_features(table, create.target, create.features, reasons)
        draft = Draft(create, ref, model, _seed_of(create), column)
        with self._held_out(tables, table, selection, target) as held:
            num_rows = count_rows(create, target, table, held, seed=draft.seed)
            told = self._of_validation(held, table, selection)
        resolved = resolve(draft, tables, selection, target, num_rows, self._limits)
        told += [
            *retyped(table),
            *_copied(copies, selection),
            *_deciding(table, selection, create.target, copies),
        ]
        return replace(resolved, warnings=[*resolved.warnings, *told])

    @staticmethod
    def _of_validation(
        held: TypedTable | None, table: TypedTable, selection: Selection
    ) -> list[str]:
        """Return the warnings about a validation dataset."""
        if held is None:
            return []
        names = [name for name in selection.columns if name not in held.warnings]
        return [*retyped(held), *strange_warnings(held, table, names)]

    @contextmanager
    def _held_out(
        self, tables: Tables, table: TypedTable, selection: Selection, target: Target
    ) -> Iterator[TypedTable | None]:
        """Open the validation dataset with the types of the run; yield None if none."""
        validation = tables.validation
        if validation is None:
            yield None
            return
        names = [*selection.columns, target.name]
        refuse_missing_columns(validation, names)
        with open_validation(validation, table, names, self._storage) as held:
            refuse_other_values(validation, held, table, target)
            yield held

    def prepare(self, session: Session, caller: Caller, create: RunCreate) -> Resolved:
        """Resolve a run to be queued, in a session that only reads.

        A column may have to be read again from a large file, which must not hold up
        writers. Raises what `resolve` raises, TooManyRuns and QuotaExceeded.
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
        """Queue a run that was prepared; workers hear of it when the session commits.

        Raises DatasetNotFound if a table was deleted since, TooManyRuns, QuotaExceeded.
        """
        self._refuse_over_limits(session, caller)
        _hold(resolved.tables, DatasetRepository(session, caller.workspace))
        run = _run(resolved)
        RunRepository(session, caller.workspace).add(run)
        if webhook is not None:
            WebhookRepository(session).add(run.id, webhook)
        after_commit(session, partial(self._queue.send, TRAIN, run.id))
        after_commit(session, partial(_log_queued, run))
        return run

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


def retyped(table: TypedTable) -> list[str]:
    """Return the warnings about columns that were read again for the run."""
    return [
        f"the column {name!r} of {table.name!r}: {warning}"
        for name, warnings in table.warnings.items()
        for warning in warnings
    ]


def _copied(copies: dict[str, str], selection: Selection) -> list[str]:
    return [
        f"the column {name!r} is {what}: does an instance have it?"
        for name, what in copies.items()
        if name in selection.columns
    ]


def _deciding(
    table: TypedTable, selection: Selection, target: str, copies: dict[str, str]
) -> list[str]:
    unique = {
        name: column.unique
        for name, column in selection.columns.items()
        if name not in copies
    }
    found = find_deciding(table, target, unique)
    return [_decides(name, n, target) for name, n in found.items()]


def _decides(name: str, num_values: int, target: str) -> str:
    return (
        f"the column {name!r} alone decides {target!r} ({num_values:,} values, each "
        "always with the same target): does an instance have it before the target is "
        "known? Else leave it out by `features.exclude`"
    )


def _refuse_bad_webhook(webhook: WebhookSpec | None, rules: WebhookRules) -> None:
    if webhook is None:
        return
    try:
        check_url(webhook.url, rules)
    except Refused as error:
        field = FieldError(pointer=pointer("webhook", "url"), detail=str(error))
        raise_any(InvalidSpec, [field])


def _log_queued(run: Run) -> None:
    """Log the id of the run, so that the logs of a request lead to its run."""
    facts = {"run_id": run.id, "dataset_id": run.dataset_id, "model": run.model_name}
    log.info("run %s: queued", run.id, extra={"facts": facts})


def _split_reason(create: RunCreate) -> dict[str, str]:
    """Return the reason to leave out the column that names the side of a row."""
    if create.split.column is None or create.split.by == "time":
        return {}
    return {create.split.column: "the split goes by it"}


def _seed_of(create: RunCreate) -> int:
    """Return the seed in the spec, or draw one; the split depends on it."""
    given = create.fit.seed
    return secrets.randbelow(2**31) if given is None else given


def _dataset_ref(create: RunCreate) -> str:
    if create.dataset is not None:
        return create.dataset
    error = FieldError(
        pointer=pointer("dataset"),
        detail="this key is required and is absent",
        hint="name a dataset, or send the CSV along as the multipart part `file`",
    )
    raise InvalidSpec("The run names no dataset.", [error])


def _validation_dataset(datasets: DatasetRepository, create: RunCreate) -> Dataset | None:
    if create.fit.validation_dataset is None:
        return None
    return ready(datasets.get(create.fit.validation_dataset))


def _hold(tables: Tables, datasets: DatasetRepository) -> None:
    """Lock the datasets, so that none is deleted while the run is being stored."""
    for dataset in (tables.dataset, tables.validation):
        if dataset is not None:
            datasets.hold(dataset)


def _plan(resolved: Resolved) -> RunPlan:
    selection = resolved.selection
    return RunPlan(
        layers=resolved.layers,
        features=selection.types,
        excluded=selection.excluded,
        classes=resolved.target.classes,
        formats={name: column.format for name, column in selection.columns.items()},
        null_values=resolved.tables.dataset.options.null_values,
    )


def _run(resolved: Resolved) -> Run:
    spec, tables = resolved.spec, resolved.tables
    return Run(
        model_name=spec.model_name,
        dataset=tables.dataset,
        validation_dataset_id=tables.validation.id if tables.validation else None,
        target=spec.target,
        task=spec.task,
        spec=spec,
        plan=_plan(resolved),
        tags=spec.tags,
        epochs=spec.fit.epochs * spec.fit.num_seeds,
        num_rows=resolved.num_rows,
        metrics={},
        warnings=resolved.warnings,
        traceparent=tracing.traceparent(),
    )
