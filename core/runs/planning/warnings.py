"""Build the warnings of a resolved run, which are shown before training and stored."""

from collections.abc import Collection

from core.columns.near_duplicates import near_duplicates
from core.datasets.table_warnings import warnings_of
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable
from core.errors import ModelNotFound
from core.lazy import pl
from core.models.repository import ModelRepository
from core.runs.planning.features import Selection
from core.runs.planning.one_row_batches import larger_batch, one_row_batches
from core.runs.planning.target import FAR, Target, class_name
from core.runs.spec import ResolvedCompile, ResolvedFit, ResolvedSpec
from fitserve.enums import Task, WarningKind
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.layers import Dense, ModelSpec
from fitserve.specs.run import RunCreate

_MOST_SHOWN = 10
_IMBALANCE = 0.1
"""Classes are imbalanced if one has less than this share of an equal part."""


def target_warnings(target: Target, dataset: Dataset, fit: ResolvedFit) -> list[str]:
    """Return warnings about rows without a target and about rare classes."""
    found = []
    if without := dataset.num_rows - target.num_rows:
        found.append(f"{without:,} row(s) without a target are left out")
    about = [*_reading_warnings(target, dataset), *_alike_classes(target)]
    found += [f"the target {target.name!r}: {text}" for text in dict.fromkeys(about)]
    named = list(zip(target.classes, target.counts, strict=True))
    if rare := [f"{label!r} ({n})" for label, n in named if n < 2]:
        found.append(
            f"classes with a single row cannot be validated: {', '.join(rare[:20])}"
        )
    is_imbalanced = named and (
        min(target.counts) < _IMBALANCE * target.num_rows / len(named)
    )
    if is_imbalanced and fit.class_weight is None:
        label, n = min(named, key=lambda pair: pair[1])
        found.append(
            f"the classes are imbalanced: {label!r} is in {n:,} of {target.num_rows:,} "
            'rows; `class_weight: "balanced"` gives all classes equal weight'
        )
    return [*found, *_only_class_warnings(target, fit)]


def _only_class_warnings(target: Target, fit: ResolvedFit) -> list[str]:
    """Return a warning if a single class has a weight above 0."""
    given = fit.class_weight
    if not isinstance(given, dict):
        return []
    weighed = [label for label in target.classes if given.get(class_name(label), 1)]
    if len(weighed) != 1:
        return []
    warning = (
        f"only the class {weighed[0]!r} has a weight above 0 in `fit.class_weight`: the "
        "network learns to answer it for every row; give every class a weight"
    )
    return [warning]


def _reading_warnings(target: Target, dataset: Dataset) -> list[str]:
    """Return the upload's warnings about the target's cells, if its type is the same.

    `target_words` counts the words that mean "missing" for the run itself.
    """
    counted = (WarningKind.LEFT_OUT, WarningKind.SPELLINGS, WarningKind.NULL_WORDS)
    return [
        warning.text
        for column in dataset.columns
        if (column.name, column.type) == (target.name, target.type)
        for warning in warnings_of(column)
        if warning.kind not in counted
    ]


def feature_warnings(
    selection: Selection, dataset: Dataset, retyped: Collection[str]
) -> list[str]:
    """Return the upload's warnings about the cells of features.

    Those that were read again, `retyped`, have warnings of their own about their cells.
    """
    found = {
        column.name: texts
        for column in dataset.columns
        if column.name in selection.types
        if (texts := _about_cells(column, is_retyped=column.name in retyped))
    }
    shown = [
        f"the feature {name!r}: {text}"
        for name in [*found][:_MOST_SHOWN]
        for text in found[name]
    ]
    if (more := len(found) - _MOST_SHOWN) > 0:
        noun = "feature has" if more == 1 else "features have"
        shown.append(f"and {more:,} more {noun} warnings, which the dataset lists")
    return shown


def _about_cells(column: ColumnRead, *, is_retyped: bool) -> list[str]:
    kinds = {WarningKind.APPENDED} if is_retyped else {*WarningKind}
    kinds -= {WarningKind.LEFT_OUT, WarningKind.SPELLINGS}
    return [w.text for w in warnings_of(column) if w.kind in kinds]


def _alike_classes(target: Target) -> list[str]:
    """Return a warning if classes are probably the same, written in two ways."""
    if not all(isinstance(label, str) for label in target.classes):
        return []
    table = {"value": target.classes, "count": target.counts}
    counts = pl.DataFrame(table, schema={"value": pl.String, "count": pl.Int64})
    return near_duplicates(counts)


def task_warnings(create: RunCreate, target: Target, column: ColumnRead) -> list[str]:
    """Return a warning if the loss selects regression for a target with two values."""
    is_asked = target.task != Task.REGRESSION or create.task is not None
    if is_asked or column.unique != 2:
        return []
    warning = (
        f"the target {target.name!r} has two values ({column.min:g} and "
        f"{column.max:g}), and the loss {create.compile.loss!r} makes this a regression; "
        "leave `compile.loss` out for a classification with probabilities, or set "
        '`task: "regression"`'
    )
    return [warning]


def far_target_warnings(
    target: Target, column: ColumnRead, model: ModelSpec, *, standardize: bool
) -> list[str]:
    """Return a warning about a target whose differences float32 loses.

    In a network that ends in a linear layer the target is moved to 0.
    """
    last = model.layers[-1]
    is_moved = isinstance(last, Dense) and last.activation == "linear" and last.use_bias
    if target.task != Task.REGRESSION or (is_moved and standardize):
        return []
    if not (isinstance(column.min, float) and isinstance(column.max, float)):
        return []
    if max(abs(column.min), abs(column.max)) <= FAR * (column.max - column.min):
        return []
    warning = (
        f"the target {target.name!r} is {column.min:.10g} to {column.max:.10g}, and the "
        "network computes with about seven digits, so its loss and metrics are rounded; "
        'end the network with {"type": "Output"} and keep `features.standardize`, or '
        "subtract a constant from the target"
    )
    return [warning]


def batch_warnings(batch_size: int, train_rows: int) -> list[str]:
    """Return a warning if the batch size is above the number of training rows."""
    if batch_size <= train_rows:
        return []
    warning = (
        f"`fit.batch_size` is {batch_size:,} and there are {train_rows:,} training rows: "
        "each epoch is one batch of all rows"
    )
    return [warning]


def left_out_warnings(selection: Selection, copies: dict[str, str]) -> list[str]:
    """Return warnings about the columns that are left out without the spec's words."""
    found = [
        f"the column {name!r} is left out, because it is {copies[name]}: if its value is "
        "known before the target, list the features in `features.include`"
        for name, reason in selection.excluded.items()
        if reason == copies.get(name)
    ]
    if not selection.left_out:
        return found
    shown = [f"{n!r} ({why})" for n, why in [*selection.left_out.items()][:_MOST_SHOWN]]
    if more := len(selection.left_out) - len(shown):
        shown.append(f"and {more:,} more")
    number = len(selection.left_out)
    noun = "column is" if number == 1 else "columns are"
    return [*found, f"{number:,} {noun} left out of training: {', '.join(shown)}"]


def weighted_metrics_warnings(compiled: ResolvedCompile, fit: ResolvedFit) -> list[str]:
    """Return a warning if weighted metrics have no weights."""
    has_weights = fit.sample_weight is not None or fit.class_weight is not None
    if has_weights or not compiled.weighted_metrics:
        return []
    warning = (
        "`compile.weighted_metrics` are not weighted, because the spec has neither "
        "`fit.sample_weight` nor `fit.class_weight`"
    )
    return [warning]


def one_row_warnings(model: ModelSpec, batch_size: int, train_rows: int) -> list[str]:
    """Return a warning if BatchNormalization gets a batch of one row."""
    which = one_row_batches(model, batch_size, train_rows)
    if which is None:
        return []
    warning = (
        f"{which} ({train_rows:,} training rows, `fit.batch_size` {batch_size:,}): "
        "BatchNormalization turns a single row into zeros, so the network learns nothing "
        "from its values; set `fit.batch_size` to "
        f"{larger_batch(batch_size, train_rows):,}"
    )
    return [warning]


def retyped_warnings(table: TypedTable) -> list[str]:
    """Return the warnings about columns that were re-read with another type."""
    return [
        f"the column {name!r} of {table.name!r}: {warning}"
        for name, warnings in table.warnings.items()
        for warning in warnings
    ]


def model_warnings(models: ModelRepository, spec: ResolvedSpec) -> list[str]:
    """Return a warning if the serving version predicts another column or task."""
    name = spec.model_name
    try:
        serving = models.serving(name)
    except ModelNotFound:
        return []
    known = serving.signature
    if (known.target, known.task) == (spec.target, spec.task):
        return []
    then = "it serves only after a promotion with `allow_new_contract`"
    if models.get(name).follows_newest:
        then = f"clients of {name!r} will get its predictions"
    warning = (
        f"version {serving.number} of the model {name!r} predicts {known.target!r} "
        f"({known.task}); this run becomes the next version and predicts "
        f"{spec.target!r} ({spec.task}), and {then}; to keep the two apart, set another "
        "`model_name`"
    )
    return [warning]
