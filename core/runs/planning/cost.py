"""Estimate the cost of a run before it is queued, and compare it with the limits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.runs.spec import ResolvedFit
from core.settings import MIB, Limits
from fitserve.problems import FieldError, pointer
from fitserve.schemas.runs import LayerPlan
from fitserve.specs.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

_FLOAT = 4
LONGEST_SMALL_SECONDS = 60.0
"""The longest estimated time of a run that does not wait for long ones."""
_STEP_SECONDS = 50e-6
_OPERATIONS_PER_SECOND = 2e10
LARGEST_IN_MEMORY = 256 * MIB
"""Encoded tables above this size are read block by block in training."""


@dataclass(frozen=True)
class Cost:
    """The size of a run: counts, and an estimate of its peak memory in bytes."""

    num_params: int
    num_layers: int
    widest: int
    steps: int
    memory_bytes: int

    def seconds(self, batch_size: int) -> float:
        """Return about how long all epochs take on two cores, in seconds.

        A step has a fixed time, and six operations for each weight and row. Early
        stopping, which may end the fit sooner, is not counted.
        """
        operations = 6 * self.num_params * batch_size
        return self.steps * (_STEP_SECONDS + operations / _OPERATIONS_PER_SECOND)

    def of_fits(self, num_seeds: int) -> "Cost":
        """Return the cost of `num_seeds` such fits, one after another.

        From the second fit on, memory also holds the weights of the best fit and, for a
        short time, the initial weights of the next fit.
        """
        if num_seeds == 1:
            return self
        more = 2 * _FLOAT * self.num_params
        return replace(
            self, steps=num_seeds * self.steps, memory_bytes=self.memory_bytes + more
        )


def estimate(
    plans: Sequence[LayerPlan],
    optimizer: Optimizer,
    *,
    num_inputs: int,
    num_rows: int,
    train_rows: int,
    batch_size: int,
    epochs: int,
    num_embedding_params: int = 0,
) -> Cost:
    """Return the cost of a fit.

    Memory consists of weights, gradients and optimizer slots; of the activations of a
    batch and their gradients; and of the encoded table, or the block of it in memory.
    """
    params = sum(plan.params for plan in plans) + num_embedding_params
    # the two layers that repeat the inputs for an ensemble are not in the spec
    in_spec = plans[2:] if plans[0].type == "RepeatVector" else plans
    outputs = sum(math.prod(plan.output_shape) for plan in plans)
    activations = min(batch_size, num_rows) * (num_inputs + outputs) * 2
    weights = params * (2 + slots(optimizer))
    table = min(_FLOAT * num_rows * num_inputs, LARGEST_IN_MEMORY)
    return Cost(
        num_params=params,
        num_layers=len(plans),
        widest=max(plan.output_shape[-1] for plan in in_spec),
        steps=epochs * math.ceil(train_rows / batch_size),
        memory_bytes=_FLOAT * (weights + activations) + 2 * table,
    )


def slots(optimizer: Optimizer) -> int:
    """Return how many numbers the optimizer keeps for each weight."""
    match optimizer:
        case SGD():
            return int(optimizer.momentum > 0)
        case Adagrad():
            return 1
        case RMSprop():
            return 1 + (optimizer.momentum > 0) + optimizer.centered
        case Adam() | AdamW():
            return 2 + optimizer.amsgrad
    return 2


def limit_errors(
    cost: Cost, limits: Limits, fit: ResolvedFit, layers: str
) -> list[FieldError]:
    """Return an error for each quantity of a fit that is above its limit.

    `layers` is the pointer to the layers.
    """
    epochs = fit.epochs * fit.num_seeds
    fits = f" in {fit.num_seeds} fits" if fit.num_seeds > 1 else ""
    figures = [
        (layers, "layers", cost.num_layers, limits.max_layers),
        (layers, "outputs in one layer", cost.widest, limits.max_layer_width),
        (layers, "parameters", cost.num_params, limits.max_parameters),
        (
            pointer("fit", "batch_size"),
            "rows per batch",
            fit.batch_size,
            limits.max_batch_size,
        ),
        (pointer("fit", "epochs"), f"epochs{fits}", epochs, limits.max_epochs),
        (pointer("fit"), f"gradient steps{fits}", cost.steps, limits.max_steps),
        (
            pointer("model"),
            "MiB of memory",
            cost.memory_bytes // MIB,
            limits.max_memory_bytes // MIB,
        ),
    ]
    return [
        FieldError(
            pointer=at,
            detail=f"this run needs {value:,} {what}; the limit here is {limit:,}",
            hint="reduce it, or ask the operator to raise the limit",
        )
        for at, what, value, limit in figures
        if value > limit
    ]
