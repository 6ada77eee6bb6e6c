"""Replace `workers.training.train` by the steps of a run with the stand-in fit."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.models.signature import Feature, NumericEncoder, Signature
from fitserve.enums import Task
from tests.chaos.stand_in.fit import StandIn
from tests.chaos.stand_in.weights import first


@dataclass(frozen=True)
class Trained:
    """A replacement for the real class, with its fields."""

    network: Any
    signature: Signature
    result: Any


class Layer:
    """The description of the only layer, whose weight is in `weights.npz`."""

    class output:  # noqa: N801  Keras's name
        shape = (None, 1)

    def __init__(self, model: StandIn) -> None:
        self.weights = [model.weight]

    def count_params(self) -> int:
        return 1


class Network:
    """The attributes of the real class that saving artifacts reads."""

    embeddings: tuple[()] = ()

    def __init__(self, model: StandIn) -> None:
        self.weight = model.weight.value
        self.body = self
        self.layers = [Layer(model)]


def train(
    run: Any,
    tables: Any,
    codes: Any,
    heartbeat: Any,
    max_seconds: float,
    checkpointer: Any,
) -> Trained:
    """Fit the stand-in; the caller has opened and split the table, as for a real fit."""
    from workers.training.trainer import FitJob, fit

    _note_execution(run.id, heartbeat.lease.attempt)
    spec = run.spec.fit
    seconds = float(run.tags.get("epoch_ms", "50")) / 1000
    model = StandIn(spec.seed, seconds, run.tags.get("fault", ""))
    limit = min(spec.time_limit_seconds or max_seconds, max_seconds)

    def draw(seed: int) -> None:
        model.weight.assign(first(seed))

    result = fit(FitJob(model, spec, None, None, heartbeat, limit, checkpointer, draw))
    heartbeat.hang_detector.begin(max_seconds)
    return Trained(Network(model), _signature(run), result)


def _note_execution(run_id: str, attempt: int) -> None:
    """Write one line per started fit, which the checker counts."""
    with Path(os.environ["CHAOS_EXECUTIONS"]).open("a") as file:
        file.write(f"{run_id} {attempt} {time.time()}\n")


def _signature(run: Any) -> Signature:
    numeric = NumericEncoder(center=0.0, scale=1.0, fill=0.0)
    return Signature(
        model_name=run.model_name,
        task=Task.REGRESSION,
        target=run.target,
        classes=None,
        ignored=list(run.plan.excluded),
        features=[
            Feature(name=name, type=kind, encoder=numeric)
            for name, kind in run.plan.features.items()
        ],
    )
