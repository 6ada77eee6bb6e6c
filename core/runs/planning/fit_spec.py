"""Fill in the defaults of the `fit` step, and check it against the rows."""

from core.errors import InvalidSpec, raise_any
from core.runs.planning.target import Target, class_name
from core.runs.spec import ResolvedCompile, ResolvedFit
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.specs.training import EarlyStopping, FitSpec

_DEFAULT_EPOCHS = 200
_BATCH_SIZES = ((10_000, 32), (100_000, 256))
"""Batch sizes by number of training rows, up to each bound; 1024 above."""


def resolve_fit(
    given: FitSpec,
    target: Target,
    num_rows: dict[str, int],
    compiled: ResolvedCompile,
    *,
    seed: int,
) -> ResolvedFit:
    """Return batch size, epochs and callbacks with defaults; raise InvalidSpec.

    A given batch size may exceed the number of training rows, as in Keras: an epoch is
    then one batch.
    """
    train = num_rows["train"]
    monitors = _monitors(compiled, validated=num_rows["validation"] > 0)
    fit = ResolvedFit.model_validate(
        {
            **dict(given),
            "batch_size": given.batch_size or min(_batch_size(train), train),
            "epochs": given.epochs or _DEFAULT_EPOCHS,
            "seed": seed,
            "early_stopping": _early_stopping(given, monitors),
        }
    )
    errors = [
        _monitor_error("early_stopping", fit.early_stopping, monitors),
        _monitor_error("reduce_lr_on_plateau", fit.reduce_lr_on_plateau, monitors),
        _two_rates_error(fit),
        *_class_weight_errors(fit, target),
        _seeds_error(fit.num_seeds, num_rows["validation"]),
    ]
    raise_any(InvalidSpec, errors)
    return fit


def _batch_size(train_rows: int) -> int:
    return next((size for bound, size in _BATCH_SIZES if train_rows <= bound), 1024)


def _early_stopping(given: FitSpec, monitors: list[str]) -> EarlyStopping | None:
    is_given = given.model_fields_set & {"epochs", "early_stopping"}
    return given.early_stopping if is_given else EarlyStopping(monitor=monitors[-1])


def _monitors(compiled: ResolvedCompile, *, validated: bool) -> list[str]:
    """Return the keys of Keras's logs; `val_loss` is last if there is one."""
    names = [*compiled.metric_names, "loss"]
    return names + [f"val_{name}" for name in names] if validated else names


def _monitor_error(key: str, callback: object, monitors: list[str]) -> FieldError | None:
    monitor = getattr(callback, "monitor", None)
    if monitor is None or monitor in monitors:
        return None
    return FieldError(
        pointer=pointer("fit", key, "monitor"),
        detail=f"the epochs of this run do not report {monitor!r}",
        hint=did_you_mean(monitor, monitors),
    )


def _two_rates_error(fit: FitSpec) -> FieldError | None:
    if fit.reduce_lr_on_plateau is None or fit.learning_rate_scheduler is None:
        return None
    return FieldError(
        pointer=pointer("fit", "learning_rate_scheduler"),
        detail="`reduce_lr_on_plateau` also sets the learning rate",
        hint="leave out one of the two",
    )


def _seeds_error(num_seeds: int, validation_rows: int) -> FieldError | None:
    if num_seeds == 1 or validation_rows:
        return None
    return FieldError(
        pointer=pointer("fit", "num_seeds"),
        detail=f"there are no validation rows to choose the best of {num_seeds} fits",
        hint="give `validation_split` or `validation_dataset`, or leave `num_seeds` out",
    )


def _class_weight_errors(fit: FitSpec, target: Target) -> list[FieldError]:
    at = ("fit", "class_weight")
    if fit.class_weight is None:
        return []
    if not target.classes:
        detail = "a regression has no classes to weigh"
        return [FieldError(pointer=pointer(*at), detail=detail, hint="leave it out")]
    if isinstance(fit.class_weight, str):
        return []
    known = [class_name(label) for label in target.classes]
    if all(fit.class_weight.get(name) == 0 for name in known):
        detail = "every class has the weight 0; at least one weight must be above 0"
        hint = 'leave `class_weight` out, or use "balanced"'
        return [FieldError(pointer=pointer(*at), detail=detail, hint=hint)]
    return [
        FieldError(
            pointer=pointer(*at, name),
            detail=f"the target has no class {name!r}",
            hint=did_you_mean(name, known),
        )
        for name in fit.class_weight
        if name not in known
    ]
