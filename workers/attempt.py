"""One attempt at a run: claimed, trained, and ended in a terminal status.

Every way an attempt can end is one small function here; each is one transaction.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import keras

from core import tracing
from core.database.sessions import Database
from core.datasets.tables import Dataset
from core.errors import FitserveError
from core.logs import bind
from core.models.repository import ModelRepository
from core.models.tables import Artifact, Version
from core.runs.leases import Lease, LeaseLost
from core.runs.tables import Run
from core.settings import Settings
from core.storage import Storage
from fitserve.problems import Problem
from fitserve.schemas.runs import LayerPlan
from fitserve.statuses import RunStatus, StopReason
from workers.pulse import HandBack, Pulse
from workers.training.saving.artifacts import save_artifacts
from workers.training.train import Tables, Trained, is_usable, train

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workshop:
    """What a worker needs for any run."""

    settings: Settings
    database: Database
    storage: Storage
    owner: str
    is_stopping: Callable[[], bool]

    def attempt(self, run_id: str) -> None:
        """Claim the run and see it to its end; do nothing if it is not to be had."""
        times = self.settings.runs
        with tracing.span("claim"):
            lease = Lease.claim(self.database, run_id, self.owner, times.lease_seconds)
        if lease is None:
            log.info("run %s: nothing to do", run_id)
            return
        bind(attempt=lease.attempt)
        log.info("run %s: attempt %d", run_id, lease.attempt)
        pulse = Pulse(lease, times, self.is_stopping)
        try:
            with pulse.beating():
                self._see_through(lease, pulse)
        except LeaseLost:
            log.warning("run %s: another worker holds it now", run_id)
        finally:
            keras.utils.clear_session()

    def _see_through(self, lease: Lease, pulse: Pulse) -> None:
        try:
            self._train(lease, pulse)
        except LeaseLost:
            raise
        except HandBack:
            log.info("run %s: handed back", lease.run_id)
            lease.release()
        except Exception as error:  # whatever it is, the run must end and say so
            log.exception("run %s failed", lease.run_id)
            self._fail(lease, pulse, problem_of(error))

    def _train(self, lease: Lease, pulse: Pulse) -> None:
        run, tables = self._read(lease.run_id)
        seconds = self.settings.limits.max_run_seconds
        with tracing.span("fit"):
            trained = train(run, tables, self.storage, pulse, seconds)
        artifacts: list[Artifact] = []
        if is_usable(trained.fitted):
            with tracing.span("saving"):
                artifacts = save_artifacts(
                    trained.network,
                    trained.signature,
                    self.storage,
                    run.id,
                    lease.attempt,
                )
        self._finish(lease, pulse, run, trained, artifacts)

    def _save(self, lease: Lease, trained: Trained) -> list[Artifact]:
        network, signature = trained.network, trained.signature
        return save_artifacts(
            network, signature, self.storage, lease.run_id, lease.attempt
        )

    def _read(self, run_id: str) -> tuple[Run, Tables]:
        with self.database.read() as session:
            run = session.get_one(Run, run_id)
            bind(dataset_id=run.dataset_id, model=run.model_name)
            validation = None
            if run.validation_dataset_id is not None:
                validation = session.get_one(Dataset, run.validation_dataset_id)
            key = validation.table_key if validation else None
            return run, Tables(run.dataset.table_key, key)

    def _fail(self, lease: Lease, pulse: Pulse, problem: Problem) -> None:
        with self.database.write() as session:
            lease.record_in(session, pulse.take_rows())
            lease.finish_in(session, RunStatus.FAILED, error=problem.model_dump())

    def _finish(
        self,
        lease: Lease,
        pulse: Pulse,
        run: Run,
        trained: Trained,
        artifacts: list[Artifact],
    ) -> None:
        fitted = trained.fitted
        status = _STATUSES.get(fitted.stop_reason, RunStatus.SUCCEEDED)
        with self.database.write() as session:
            lease.record_in(session, pulse.take_rows())
            version = _version(run, trained, artifacts) if artifacts else None
            if version is not None:
                ModelRepository(session).add_version(version)
            lease.finish_in(
                session,
                status,
                stop_reason=fitted.stop_reason,
                model_version=version.number if version else None,
                best_epoch=fitted.best_epoch,
                metrics=version.metrics if version else {},
                plan={**run.plan, "layers": version.layers} if version else run.plan,
                error=_NAN.model_dump() if status == RunStatus.FAILED else None,
            )
        log.info("run %s: %s (%s)", lease.run_id, status, fitted.stop_reason)


_STATUSES = {
    StopReason.CANCELLED: RunStatus.CANCELLED,
    StopReason.NAN_LOSS: RunStatus.FAILED,
}
_NAN = Problem(
    type="/problems/nan-loss",
    title="Loss is not a number",
    status=500,
    detail="The loss became NaN or infinite, so the weights are useless. Try a lower "
    "learning rate, `clipnorm` on the optimizer, or look for huge values in the "
    "target. The history up to there is kept.",
)


def _version(run: Run, trained: Trained, artifacts: list[Artifact]) -> Version:
    fitted = trained.fitted
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
        signature=trained.signature.model_dump(mode="json"),
        metrics=fitted.metrics,
        best_epoch=fitted.best_epoch,
        layers=[layer.model_dump() for layer in layers],
        is_whole=fitted.stop_reason != StopReason.CANCELLED,
        artifacts=artifacts,
    )


def problem_of(error: Exception) -> Problem:
    """Why a run failed, for its owner."""
    if isinstance(error, FitserveError):
        return error.problem()
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return Problem(
            type="/problems/out-of-memory",
            title="Out of memory",
            status=500,
            detail="Training needed more memory than the worker has. Try fewer units, "
            "fewer rows a batch, or ask the operator for a larger worker.",
        )
    return Problem(
        type="/problems/training-failed",
        title="Training failed",
        status=500,
        detail=f"Training stopped with {type(error).__name__}: {str(error)[:1000]}",
    )
