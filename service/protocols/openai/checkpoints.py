"""The version that a run leaves, as a job's one checkpoint."""

from typing import Literal

from pydantic import BaseModel

from fitserve.schemas.runs import RunRead
from service.protocols.openai.schemas import Identified, seconds


class CheckpointMetrics(BaseModel):
    """At the epoch whose weights were kept."""

    step: int
    train_loss: float | None
    valid_loss: float | None
    full_valid_loss: float | None


class CheckpointRead(Identified):
    """The weights that a run left; the name goes behind `/v1/models/`."""

    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuning_job_id: str
    fine_tuned_model_checkpoint: str
    step_number: int
    metrics: CheckpointMetrics


def checkpoints(run: RunRead) -> list[CheckpointRead]:
    """The weights that the run left, if it left any."""
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
