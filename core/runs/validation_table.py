"""Whether a table can validate a network that is trained on another one."""

from core.datasets.service import column_of
from core.datasets.tables import Dataset
from core.errors import InvalidSpec, raise_any
from core.runs.features import Selection
from core.runs.targets import Target
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.statuses import ColumnType

_AT = pointer("fit", "validation_dataset")
_TEXTS = (ColumnType.CATEGORICAL, ColumnType.TEXT)
_NUMBERS = (ColumnType.NUMERIC, ColumnType.BOOLEAN)
_SERVES: dict[ColumnType, tuple[ColumnType, ...]] = {
    # as docs/values.md has it for instances; a number is a category by its text
    ColumnType.NUMERIC: _NUMBERS,
    ColumnType.BOOLEAN: _NUMBERS,
    ColumnType.DATETIME: (ColumnType.DATETIME,),
    ColumnType.CATEGORICAL: (*_TEXTS, ColumnType.NUMERIC),
    ColumnType.TEXT: (*_TEXTS, ColumnType.NUMERIC),
}


def refuse_missing_columns(
    validation: Dataset, selection: Selection, target: str
) -> None:
    """Raise InvalidSpec where the table lacks a column that the run needs."""
    present = [column.name for column in validation.columns]
    missing = [name for name in [*selection.types, target] if name not in present]
    if missing:
        detail = f"{validation.name!r} lacks the column(s) {missing[:10]}"
        hint = did_you_mean(missing[0], present)
        raise_any(InvalidSpec, [FieldError(pointer=_AT, detail=detail, hint=hint)])


def refuse_other_types(
    dataset: Dataset, validation: Dataset, selection: Selection, target: Target
) -> None:
    """Raise InvalidSpec where the same name holds something else in the two tables.

    Coerced is what an instance may be too: numbers for categories, numbers and booleans
    for each other. A column without a value fits everywhere, but for the target.
    """
    trained = {column.name: column for column in dataset.columns}
    errors = [
        _type_error(trained[name], found, _SERVES[kind], validation)
        for name, kind in selection.types.items()
        if (found := column_of(validation, name)) is not None
    ]
    held = column_of(validation, target.name)
    if held is not None:
        errors.append(_target_error(trained[target.name], held, target, validation))
    raise_any(InvalidSpec, errors)


def _target_error(
    trained: ColumnRead, held: ColumnRead, target: Target, validation: Dataset
) -> FieldError | None:
    if not held.unique:
        detail = f"in {validation.name!r} every cell of {target.name!r} is missing"
        return FieldError(pointer=_AT, detail=f"{detail}; there is nothing to compare")
    return _type_error(
        trained, held, _TEXTS if target.type in _TEXTS else _NUMBERS, validation
    )


def _type_error(
    trained: ColumnRead,
    held: ColumnRead,
    serving: tuple[ColumnType, ...],
    validation: Dataset,
) -> FieldError | None:
    if held.type in (trained.type, *serving) or not held.unique:
        return None
    name, wanted = trained.name, trained.type
    return FieldError(
        pointer=_AT,
        detail=f"the column {name!r} is {held.type} in {validation.name!r}; "
        f"the run trains on {wanted} ones",
        hint=f'upload that table again with types={{"{name}": "{wanted}"}}, or mend it',
    )
