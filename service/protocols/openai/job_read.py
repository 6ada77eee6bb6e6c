"""Convert runs to OpenAI's fine-tuning jobs and checkpoints."""

import time
from typing import Literal

from pydantic import BaseModel, Field

from core.runs.serialize import run_to_schema
from core.runs.spec import ResolvedSpec
from core.runs.tables import Run
from fitserve.enums import RunStatus
from fitserve.problems import Problem
from fitserve.schemas.runs import RunRead
from service.protocols.openai.schemas import Identified, seconds
from service.protocols.openai.translation import BASE_MODEL


class HyperparametersRead(BaseModel):
    """The hyperparameters of the run, with a value in place of `auto`."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float


class SupervisedRead(BaseModel):
    """The settings of supervised training."""

    hyperparameters: HyperparametersRead


class MethodRead(BaseModel):
    """The training method."""

    type: Literal["supervised"] = "supervised"
    supervised: SupervisedRead


class JobError(BaseModel):
    """The reason why a job failed."""

    code: str
    message: str
    param: str | None


class JobRead(Identified):
    """A run as a fine-tuning job; `id` and `status` are those of the run."""

    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    model: str
    fine_tuned_model: str | None = Field(description="Name of the model after success.")
    status: RunStatus
    error: JobError | None
    created_at: int
    finished_at: int | None
    estimated_finish: int | None
    training_file: str
    validation_file: str | None
    result_files: list[str]
    hyperparameters: HyperparametersRead
    method: MethodRead
    seed: int
    metadata: dict[str, str] = Field(description="The run's target and tags.")
    trained_tokens: int | None
    organization_id: str = "fitserve"


class CheckpointMetrics(BaseModel):
    """The metrics at the epoch whose weights were kept."""

    step: int
    train_loss: float | None
    valid_loss: float | None
    full_valid_loss: float | None


class CheckpointRead(Identified):
    """The kept weights of a run; their path is `/v1/models/` plus their name."""

    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuning_job_id: str
    fine_tuned_model_checkpoint: str
    step_number: int
    metrics: CheckpointMetrics


def job_read(stored: Run) -> JobRead:
    """Return the run as a job."""
    run, spec = run_to_schema(stored), stored.spec
    tags, hyperparameters = dict(run.tags), _hyperparameters(spec)
    return JobRead(
        id=run.id,
        model=tags.pop(BASE_MODEL, run.model_name),
        fine_tuned_model=run.model_name if run.status == RunStatus.SUCCEEDED else None,
        status=run.status,
        error=_error(run.error) if run.error else None,
        created_at=seconds(run.created_at),
        finished_at=seconds(run.ended_at) if run.ended_at else None,
        estimated_finish=_estimated_finish(run),
        training_file=run.dataset.id,
        validation_file=spec.fit.validation_dataset,
        result_files=[],
        hyperparameters=hyperparameters,
        method=MethodRead(supervised=SupervisedRead(hyperparameters=hyperparameters)),
        seed=spec.fit.seed,
        metadata={**tags, "target": run.target},
        trained_tokens=None,
    )


def _hyperparameters(spec: ResolvedSpec) -> HyperparametersRead:
    optimizer = spec.compile.optimizer
    usual = type(optimizer).model_fields["learning_rate"].default
    factor = optimizer.learning_rate / usual
    return HyperparametersRead(
        n_epochs=spec.fit.epochs,
        batch_size=spec.fit.batch_size,
        learning_rate_multiplier=float(f"{factor:.12g}"),
    )


def _error(problem: Problem) -> JobError:
    place = problem.errors[0].pointer if problem.errors else None
    code = problem.type.rpartition("/")[2].replace("-", "_")
    return JobError(code=code, message=problem.detail, param=place)


def _estimated_finish(run: RunRead) -> int | None:
    left = run.progress.eta_seconds
    if run.status != RunStatus.RUNNING or left is None:
        return None
    return int(time.time() + left)


def checkpoints(run: RunRead) -> list[CheckpointRead]:
    """Return the checkpoint of the kept weights, if there are any."""
    if run.model_version is None or run.ended_at is None:
        return []
    step = run.best_epoch or run.progress.epoch
    on_validation = run.metrics.get("val_loss")
    return [
        CheckpointRead(
            id=f"{run.id}-{run.model_version}",
            created_at=seconds(run.ended_at),
            fine_tuning_job_id=run.id,
            fine_tuned_model_checkpoint=f"{run.model_name}/versions/{run.model_version}",
            step_number=step,
            metrics=CheckpointMetrics(
                step=step,
                train_loss=run.metrics.get("loss"),
                valid_loss=on_validation,
                full_valid_loss=on_validation,
            ),
        )
    ]
