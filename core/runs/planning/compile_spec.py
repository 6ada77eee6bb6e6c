"""Fill in the defaults of the `compile` step, and check it against the task."""

from collections.abc import Sequence

from core.errors import InvalidSpec, raise_any
from core.runs.spec import ResolvedCompile
from fitserve.enums import Task
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.specs.optimizers import BY_NAME
from fitserve.specs.training import CompileSpec
from fitserve.specs.vocabulary import LOSSES, METRICS

_DEFAULT_LOSS = {
    Task.REGRESSION: "mse",
    Task.BINARY: "binary_crossentropy",
    Task.MULTICLASS: "sparse_categorical_crossentropy",
}
_DEFAULT_METRICS = {
    Task.REGRESSION: ["mae", "root_mean_squared_error"],
    Task.BINARY: ["binary_accuracy", "auc"],
    Task.MULTICLASS: ["accuracy"],
}


def resolve_compile(given: CompileSpec, task: Task) -> ResolvedCompile:
    """Return optimizer, loss and metrics with defaults; raise InvalidSpec."""
    loss = given.loss or _DEFAULT_LOSS[task]
    metrics = _DEFAULT_METRICS[task] if given.metrics is None else given.metrics
    errors = [_misfit("loss", ("loss",), loss, LOSSES[task], task)]
    weighted = given.weighted_metrics or []
    errors += _metric_errors("metrics", metrics, task)
    errors += _metric_errors("weighted_metrics", weighted, task)
    raise_any(InvalidSpec, errors)
    name = given.optimizer
    optimizer = BY_NAME[name]() if isinstance(name, str) else name
    return ResolvedCompile.model_validate(
        {
            "optimizer": optimizer,
            "loss": loss,
            "metrics": list(metrics),
            "weighted_metrics": list(weighted),
        }
    )


def _metric_errors(
    key: str, metrics: Sequence[str], task: Task
) -> list[FieldError | None]:
    """Return an error for each metric that does not fit the task or occurs twice."""
    errors: list[FieldError | None] = []
    for i, metric in enumerate(metrics):
        errors.append(_misfit("metric", (key, i), metric, METRICS[task], task))
        if metric in metrics[:i]:
            at = pointer("compile", key, i)
            errors.append(FieldError(pointer=at, detail=f"{metric!r} occurs twice"))
    return errors


def _misfit(
    what: str, path: tuple[object, ...], name: str, known: tuple[str, ...], task: Task
) -> FieldError | None:
    if name in known:
        return None
    return FieldError(
        pointer=pointer("compile", *path),
        detail=f"the {what} {name!r} does not fit the task {task}",
        hint=did_you_mean(name, known),
    )
