"""Make one attempt at a run: claim the run, train its network, and end the run.

Each way in which an attempt can end has one function with one transaction.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import keras

from core import tracing
from core.database.engine import is_away
from core.database.sessions import Database, after_commit
from core.datasets.tables import Dataset
from core.errors import FitserveError, StorageUnavailable
from core.logs import bind, bound
from core.models.repository import ModelRepository
from core.models.run_promotion import Verdict, judge_at_end, promote_at_end
from core.models.tables import Artifact, Version
from core.runs.checkpoint_files import remove_checkpoints
from core.runs.leases import Lease, LeaseLost
from core.runs.main_figure import figure_columns
from core.runs.maintenance import RunMaintenance
from core.runs.next_run import ANY_RUN, Slot
from core.runs.planning.splits import SplitCodes
from core.runs.planning.target_words import class_words
from core.runs.run_tables import RunTables, open_run_tables
from core.runs.tables import Run
from core.settings import Settings
from core.storage import Storage, discard
from fitserve.enums import RunStatus, StopReason
from fitserve.problem_types import ProblemType
from fitserve.problems import Problem
from fitserve.schemas.runs import LayerPlan
from workers.hang_detector import SilenceAlarm
from workers.heartbeat import Heartbeat, RunReleased
from workers.report.report import Report, Reporter
from workers.room import Room
from workers.run_split import split_run
from workers.training.checkpointer import Checkpointer
from workers.training.checkpoints import CheckpointUseless, load
from workers.training.saving.artifacts import save_artifacts
from workers.training.train import Trained, train
from workers.training.trainer import FitResult

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunExecutor:
    """The settings and services that a worker uses for every run."""

    settings: Settings
    database: Database
    storage: Storage
    owner: str
    is_stopping: Callable[[], bool]
    keep_alive: SilenceAlarm = lambda _: None
    slot: Slot = ANY_RUN
    room: Room = field(default_factory=lambda: Room(1))
    index: int = 0
    """The number of this process in its worker, from 0."""

    def execute_next(self) -> bool:
        """Claim, train and end the best waiting run. Return False if none waits."""
        may_be_long = self.room.take(self.index)
        slot = replace(self.slot, small_runs_only=not may_be_long)
        try:
            lease = Lease.claim_next(self.database, slot, self.owner, self.settings.runs)
            if lease is None:
                log.info("no run waits for this process")
                return False
            if lease.is_small:
                self.room.leave(self.index)
            with bound(run_id=lease.run_id), self._traced(lease.run_id):
                self._execute(lease)
        finally:
            self.room.leave(self.index)
        return True

    def execute(self, run_id: str) -> None:
        """Claim, train and end a run. Do nothing if the run cannot be claimed."""
        seconds = self.settings.runs.lease_seconds
        lease = Lease.claim(self.database, run_id, self.owner, seconds)
        if lease is None:
            log.info("run %s: cannot be claimed", run_id)
            return
        with bound(run_id=run_id):
            self._execute(lease)

    @contextmanager
    def _traced(self, run_id: str) -> Iterator[None]:
        """Open a span in the trace of the run's request, if tracing is on."""
        if not tracing.is_on():
            yield
            return
        with self.database.read() as session:
            parent = RunMaintenance(session).traceparent(run_id)
        with tracing.span("run", parent, {"fitserve.run_id": run_id}):
            yield
        tracing.flush()

    @bound()  # removes the log fields that are bound below
    def _execute(self, lease: Lease) -> None:
        times, run_id = self.settings.runs, lease.run_id
        bind(attempt=lease.attempt)
        log.info("run %s: attempt %d", run_id, lease.attempt)
        slot = self.slot if self.slot.gives_way else None
        heartbeat = Heartbeat(lease, times, self.is_stopping, self.keep_alive, slot)
        heartbeat.hang_detector.begin(self.settings.limits.max_run_seconds)
        try:
            with heartbeat.running():
                done = self._attempt(lease, heartbeat)
            if done is not None and done.report is not None:
                with tracing.span("baselines"):  # the service already serves the version
                    self._reporter().add_baselines(
                        self.database, done.report, done.version_id, lease
                    )
        except LeaseLost:
            log.warning("run %s: the run has ended, or another worker holds it", run_id)
        finally:
            keras.utils.clear_session()

    def _attempt(self, lease: Lease, heartbeat: Heartbeat) -> "FinishedRun | None":
        try:
            return self._train(lease, heartbeat)
        except LeaseLost:
            raise
        except RunReleased:
            gives_way = heartbeat.gives_way()
            with heartbeat.final_transaction(self.database) as session:
                lease.release_in(session, gives_way=gives_way)
            why = "a small run waits" if gives_way else "the worker stops"
            log.info("run %s: released, because %s", lease.run_id, why)
        except StorageUnavailable as error:
            self._wait_for_storage(lease, heartbeat)
            log.warning("run %s: released: %s", lease.run_id, error)
        except Exception as error:  # a run must always end with a reason
            if is_away(error):  # the run is retried when its lease expires
                raise
            log.exception("run %s failed", lease.run_id)
            self._fail(lease, heartbeat, problem_of(error))
        return None

    def _train(self, lease: Lease, heartbeat: Heartbeat) -> "FinishedRun | None":
        run, validation = self._read(lease.run_id)
        words = class_words(run.target, run.plan.classes)
        names = [*run.plan.features, *run.spec.fit.weight_columns, run.target]
        with open_run_tables(
            run.dataset, validation, run.spec.features, names, self.storage, words
        ) as tables:
            return self._train_on(tables, lease, heartbeat, run)

    def _train_on(
        self, tables: RunTables, lease: Lease, heartbeat: Heartbeat, run: Run
    ) -> "FinishedRun | None":
        with tracing.span("split"):
            codes = split_run(run, tables, self.storage, lease)
        with tracing.span("fit"):
            trained = self._fit(lease, heartbeat, run, tables, codes)
        artifacts: list[Artifact] = []
        report = None
        if trained.result.has_weights:
            with tracing.span("saving"):
                artifacts = save_artifacts(
                    trained.network,
                    trained.signature,
                    self.storage,
                    lease.run_id,
                    lease.attempt,
                )
            with tracing.span("report"):
                report = self._reporter().report(trained, run.spec, lease, heartbeat)
            if report:
                artifacts = [*artifacts, report.artifact]
        try:
            return self._finish(lease, heartbeat, run, trained, artifacts, report)
        except LeaseLost:
            # another attempt owns the run now
            discard(self.storage, [artifact.key for artifact in artifacts])
            raise

    def _fit(
        self,
        lease: Lease,
        heartbeat: Heartbeat,
        run: Run,
        tables: RunTables,
        codes: SplitCodes,
    ) -> Trained:
        """Train from the last checkpoint, or from epoch 1 if no checkpoint is usable."""
        longest = self.settings.limits.max_run_seconds
        seconds = self.settings.runs.checkpoint_seconds
        try:
            saved = lease.checkpoint
            resumed = load(saved, self.storage) if saved else None
            checkpointer = Checkpointer(self.storage, heartbeat, seconds, resumed)
            return train(run, tables, codes, heartbeat, longest, checkpointer)
        except CheckpointUseless as error:
            log.warning("run %s: restarts at epoch 1: %s", run.id, error)
        lease.start_anew(_RESTARTED)
        checkpointer = Checkpointer(self.storage, heartbeat, seconds, None)
        return train(run, tables, codes, heartbeat, longest, checkpointer)

    def _reporter(self) -> Reporter:
        return Reporter(
            self.settings.report, self.storage, self.is_stopping, self.keep_alive
        )

    def _read(self, run_id: str) -> tuple[Run, Dataset | None]:
        """Return the run with its dataset, and its validation dataset if it has one."""
        with self.database.read() as session:
            run = session.get_one(Run, run_id)
            bind(dataset_id=run.dataset_id, model=run.model_name)
            return run, RunMaintenance(session).validation(run)

    def _wait_for_storage(self, lease: Lease, heartbeat: Heartbeat) -> None:
        """Return the run to the queue, unless it was cancelled meanwhile.

        It will continue from its last checkpoint.
        """
        with heartbeat.final_transaction(self.database) as session:
            run = session.get_one(Run, lease.run_id)
            if run.cancel_requested:
                reason = StopReason.CANCELLED
                lease.finish_in(session, RunStatus.CANCELLED, stop_reason=reason)
                return
            if _WAITED not in run.warnings:
                run.warnings = [*run.warnings, _WAITED]
                session.flush()
            lease.release_in(session)

    def _fail(self, lease: Lease, heartbeat: Heartbeat, problem: Problem) -> None:
        with heartbeat.final_transaction(self.database) as session:
            lease.finish_in(session, RunStatus.FAILED, error=problem)
            after_commit(session, partial(remove_checkpoints, self.storage, lease.run_id))

    def _finish(
        self,
        lease: Lease,
        heartbeat: Heartbeat,
        run: Run,
        trained: Trained,
        artifacts: list[Artifact],
        report: Report | None,
    ) -> "FinishedRun | None":
        result = trained.result
        status = _STATUSES.get(result.stop_reason, RunStatus.SUCCEEDED)
        version = _version(run, trained, artifacts, report) if artifacts else None
        verdict = self._judge(run, version)
        with heartbeat.final_transaction(self.database) as session:
            warnings = session.get_one(Run, run.id).warnings
            if version is not None:
                models = ModelRepository(session, run.workspace)
                models.add_version(version)
                stays = promote_at_end(models, run, version, verdict)
                warnings = [*warnings, *stays]
            lease.finish_in(
                session,
                status,
                stop_reason=result.stop_reason,
                best_epoch=result.best_epoch,
                kept_fit=result.kept_fit,
                error=_NAN if status == RunStatus.FAILED else None,
                warnings=_warnings(warnings, run, result, report),
                **_version_values(run, version),
            )
            after_commit(session, partial(remove_checkpoints, self.storage, run.id))
        log.info("run %s: %s (%s)", lease.run_id, status, result.stop_reason)
        return FinishedRun(version.id, report) if version else None

    def _judge(self, run: Run, version: Version | None) -> Verdict | None:
        """Return whether the version may be promoted, if the spec has requirements."""
        with tracing.span("promotion"):
            if version is None:
                return None
            return judge_at_end(self.database, self.storage, run, version)


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended with a version. Baselines may still be added to its report."""

    version_id: str
    report: Report | None


def _version_values(run: Run, version: Version | None) -> dict[str, Any]:
    """Return the columns of a run that describe its version, if it has one."""
    if version is None:
        return {"model_version": None, "metrics": {}, "plan": run.plan}
    plan = run.plan.model_copy(update={"layers": version.layers})
    return {
        "model_version": version.number,
        "metrics": version.metrics,
        **figure_columns(version.main_figure),
        "plan": plan,
        "num_params": plan.num_params,
    }


def _warnings(
    known: list[str], run: Run, result: FitResult, report: Report | None
) -> list[str]:
    """Return the warnings of a run, with those about its fits and about leakage."""
    traps = report.figures.traps if report else []
    leaks = [
        trap.sentence
        for trap in traps
        if trap.kind == "leakage"
        and not any(repr(trap.columns[0]) in warning for warning in known)
    ]
    return [*known, *_fit_warnings(run, result), *leaks]


def _fit_warnings(run: Run, result: FitResult) -> list[str]:
    """Return warnings about fits that were lost or not started."""
    warnings = []
    if result.num_lost and result.best_epoch is not None:
        warnings.append(
            f"in {result.num_lost} of {result.num_fits} fits the loss became NaN, so "
            "these fits were ignored; try a lower learning rate"
        )
    if result.num_fits < run.num_seeds and result.stop_reason == StopReason.TIME_LIMIT:
        warnings.append(
            f"there was time for {result.num_fits} of {run.num_seeds} fits; raise "
            "`fit.time_limit_seconds`, or lower `fit.num_seeds`"
        )
    return warnings


_RESTARTED = (
    "the checkpoint of an earlier attempt could not be used (missing, damaged, or of "
    "another network), so this run restarted at epoch 1"
)
_WAITED = (
    "the store of files did not answer, so this run waited and continued from its last "
    "checkpoint"
)
_STATUSES = {
    StopReason.CANCELLED: RunStatus.CANCELLED,
    StopReason.NAN_LOSS: RunStatus.FAILED,
}
_NAN = ProblemType.NAN_LOSS.problem(
    "The loss became NaN or infinite, so the weights cannot be used. Try a lower "
    "learning rate or `clipnorm` on the optimizer, or look for huge values in the "
    "target. The history is kept.",
)


def _version(
    run: Run, trained: Trained, artifacts: list[Artifact], report: Report | None
) -> Version:
    result = trained.result
    layers = [
        LayerPlan(
            type=type(layer).__name__,
            output_shape=list(layer.output.shape[1:]),
            params=layer.count_params(),
        )
        for layer in trained.network.body.layers
    ]
    return Version(
        model_name=run.model_name,
        run_id=run.id,
        signature=trained.signature,
        metrics=result.metrics,
        best_epoch=result.best_epoch,
        layers=layers,
        is_whole=result.stop_reason != StopReason.CANCELLED,
        artifacts=artifacts,
        headline=report.headline if report else None,
        **figure_columns(report.figures.main_figure if report else None),
    )


def problem_of(error: Exception) -> Problem:
    """Return the problem that explains to the user why a run failed."""
    if isinstance(error, FitserveError):
        return error.problem()
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return ProblemType.OUT_OF_MEMORY.problem(
            "Training needed more memory than the worker has. Try fewer units, "
            "a smaller batch, or ask the operator for a larger worker.",
        )
    return ProblemType.TRAINING_FAILED.problem(
        f"Training stopped with {type(error).__name__}: {str(error)[:1000]}",
    )
