"""What can be done with runs: validate, create, cancel."""

from functools import partial

from sqlalchemy.orm import Session

from core.database.sessions import after_commit
from core.datasets.repository import DatasetRepository
from core.datasets.service import column_of
from core.datasets.tables import Dataset
from core.errors import InvalidSpec, TooManyRuns, raise_any
from core.queue import Queue
from core.runs.features import Selection, select_features
from core.runs.repository import RunRepository
from core.runs.resolve import Resolved, Tables, resolve
from core.runs.tables import Run
from core.runs.targets import Target
from core.settings import Limits
from core.storage import Storage
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate


class RunService:
    """Runs over a storage and a queue."""

    def __init__(self, storage: Storage, queue: Queue, limits: Limits) -> None:
        self._storage = storage
        self._queue = queue
        self._limits = limits

    def resolve(self, session: Session, create: RunCreate) -> Resolved:
        """The run with every default filled in; nothing is stored.

        Raises DatasetNotFound, InvalidSpec, OverLimit.
        """
        from core.runs.target_table import read_target  # noqa: PLC0415  imports polars

        datasets = DatasetRepository(session)
        dataset = datasets.get(_dataset_ref(create))
        selection = select_features(dataset, create.target, create.features)
        column = column_of(dataset, create.target)
        assert column is not None  # noqa: S101  select_features knows the target
        table = self._storage.local_path(dataset.table_key)
        target = read_target(table, column, create, self._limits.max_classes)
        validation = _validation_dataset(datasets, create, selection)
        if validation is not None:
            self._refuse_unknown_classes(validation, target)
        tables = Tables(dataset, validation)
        return resolve(create, tables, selection, target, self._limits)

    def create(self, session: Session, create: RunCreate) -> Run:
        """Queue a run; it is durable when the session's transaction is.

        Raises what `resolve` raises, and TooManyRuns.
        """
        repository = RunRepository(session)
        if repository.count_queued() >= self._limits.max_queued_runs:
            raise TooManyRuns(
                f"{self._limits.max_queued_runs:,} runs wait already; try again later."
            )
        resolved = self.resolve(session, create)
        run = _run(resolved)
        repository.add(run)
        after_commit(session, partial(self._queue.send, run.id))
        return run

    def cancel(self, session: Session, run_id: str) -> Run:
        """End a queued run, ask a running one to stop; an ended one stays as it is."""
        repository = RunRepository(session)
        run = repository.get(run_id)
        repository.request_cancel(run_id)
        session.refresh(run)
        return run

    def _refuse_unknown_classes(self, validation: Dataset, target: Target) -> None:
        from core.runs.target_table import unknown_classes  # noqa: PLC0415  imports polars

        table = self._storage.local_path(validation.table_key)
        if unknown := unknown_classes(table, target):
            at = pointer("fit", "validation_dataset")
            detail = f"its target has classes that no training row has: {unknown[:10]}"
            raise_any(InvalidSpec, [FieldError(pointer=at, detail=detail)])


def _dataset_ref(create: RunCreate) -> str:
    if create.dataset is not None:
        return create.dataset
    error = FieldError(
        pointer=pointer("dataset"),
        detail="this key is required and is absent",
        hint="name a dataset, or send the CSV along as the multipart part `file`",
    )
    raise InvalidSpec("The run names no dataset.", [error])


def _validation_dataset(
    datasets: DatasetRepository, create: RunCreate, selection: Selection
) -> Dataset | None:
    if create.fit.validation_dataset is None:
        return None
    validation = datasets.get(create.fit.validation_dataset)
    present = [column["name"] for column in validation.columns]
    needed = [*selection.types, create.target]
    missing = [name for name in needed if name not in present]
    if missing:
        at = pointer("fit", "validation_dataset")
        detail = f"{validation.name!r} lacks the column(s) {missing[:10]}"
        hint = did_you_mean(missing[0], present)
        raise InvalidSpec(
            f"{detail}.", [FieldError(pointer=at, detail=detail, hint=hint)]
        )
    return validation


def _run(resolved: Resolved) -> Run:
    create, tables = resolved.create, resolved.tables
    return Run(
        model_name=create.model_name,
        dataset=tables.dataset,
        validation_dataset_id=tables.validation.id if tables.validation else None,
        target=create.target,
        task=resolved.target.task,
        spec=create.model_dump(mode="json"),
        plan={
            "layers": [layer.model_dump() for layer in resolved.layers],
            "features": resolved.selection.types,
            "excluded": resolved.selection.excluded,
            "classes": resolved.target.classes,
        },
        tags=create.tags,
        epochs=create.fit.epochs,
        num_rows=resolved.num_rows,
        metrics={},
        warnings=resolved.warnings,
    )
