"""Select the columns that become features, and give reasons for the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.columns import kind_of
from core.columns.categorical import (
    FEW_CATEGORIES,
    FREE_TEXTS,
    IDS_OR_NAMES,
    MOST_UNIQUE,
)
from core.columns.numeric import ROW_NUMBER
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, raise_any
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.run import FeaturesSpec

_EMPTY = "every cell is missing"
_TEXTS_ALONE = (
    "fitserve does not read free text yet: add a column of numbers, dates or categories, "
    "such as ones made from the text"
)


@dataclass(frozen=True)
class Selection:
    """The features by name, and the reason for each column that is left out."""

    columns: dict[str, ColumnRead]
    excluded: dict[str, str]
    num_inputs: int
    """An upper bound: a category without a training row gets no input."""
    num_embedding_params: int
    """An upper bound, for the same reason."""
    left_out: dict[str, str]
    """The part of `excluded` that neither the spec nor the target explains."""

    @property
    def types(self) -> dict[str, ColumnType]:
        """Return the types of the features."""
        return {name: column.type for name, column in self.columns.items()}


def select_features(
    table: TypedTable,
    target: str,
    spec: FeaturesSpec,
    not_features: dict[str, str],
    texts: frozenset[str] = frozenset(),
    forced: Sequence[str] = (),
) -> Selection:
    """Return the features of a run on a table.

    Raises InvalidSpec if the spec includes free text, or if no column is left.

    Args:
        table: the table, with the types of the spec.
        target: the column to predict.
        spec: the columns to use.
        not_features: reasons to leave out columns; `include` overrides them.
        texts: the columns that the upload left as text.
        forced: the first features, in order, unless the spec excludes them.

    """
    columns = {column.name: column for column in table.columns}
    raise_any(InvalidSpec, _text_errors(table, target, spec, texts))
    excluded = {
        name: reason
        for name, column in columns.items()
        if (reason := _reason(column, target, spec, not_features, forced)) is not None
    }
    ordered = dict.fromkeys((*forced, *columns))
    chosen = [columns[name] for name in ordered if name not in excluded]
    if not chosen:
        # the row number is the only possible feature of a table with a single series
        chosen = [c for n, c in columns.items() if excluded[n] == ROW_NUMBER]
        excluded = {n: r for n, r in excluded.items() if r != ROW_NUMBER}
    if not chosen:
        raise _nothing_left(excluded)
    sizes = [
        kind_of(c.type).num_inputs(c.unique, c.missing, spec.num_bins) for c in chosen
    ]
    width, params = (sum(side) for side in zip(*sizes, strict=True))
    own = {n: r for n, r in excluded.items() if r in (columns[n].left_out, _EMPTY)}
    return Selection({c.name: c for c in chosen}, excluded, width, params, own)


def _reason(
    column: ColumnRead,
    target: str,
    spec: FeaturesSpec,
    not_features: dict[str, str],
    forced: Sequence[str],
) -> str | None:
    name = column.name
    if name == target:
        return "the target"
    if name in spec.exclude:
        return "excluded by the spec"
    if column.unique == 0:
        return _EMPTY
    if spec.include is not None:
        return None if name in spec.include else "not among `features.include`"
    if name in not_features:
        return not_features[name]
    if name in spec.types or name in forced:
        return None
    return column.left_out


def _text_errors(
    table: TypedTable, target: str, spec: FeaturesSpec, texts: frozenset[str]
) -> list[FieldError]:
    """Return an error for each column of text without repeated values that is forced."""
    places: dict[str, tuple[str, object]] = {name: ("types", name) for name in spec.types}
    if spec.include is not None:
        places = {name: ("include", i) for i, name in enumerate(spec.include)}
    forced = places.keys() - {target, *spec.exclude}
    return [
        _text_error(column, table.num_rows, pointer("features", *places[column.name]))
        for column in table.columns
        if column.name in forced
        and (column.type == ColumnType.TEXT or column.name in texts)
        and is_free_text(column, table.num_rows)
    ]


def is_free_text(column: ColumnRead, num_rows: int) -> bool:
    """Return whether a column is text and has no values that could be categories."""
    if not kind_of(column.type).is_text or column.left_out in FREE_TEXTS:
        return column.left_out in FREE_TEXTS
    present = num_rows - column.missing
    return column.unique > FEW_CATEGORIES and column.unique >= MOST_UNIQUE * present


def _text_error(column: ColumnRead, num_rows: int, at: str) -> FieldError:
    shown = f", such as {column.top[0].value[:60]!r}," if column.top else ""
    return FieldError(
        pointer=at,
        detail=f"the column {column.name!r} holds text{shown} with {column.unique:,} "
        f"different values in {num_rows - column.missing:,} cells; text has no encoder "
        "yet, and these values are too different for categories",
        hint="leave it out, or upload a column of categories or numbers made from it",
        column=column.name,
    )


def _nothing_left(excluded: dict[str, str]) -> InvalidSpec:
    why = "; ".join(f"{name}: {reason}" for name, reason in list(excluded.items())[:10])
    has_texts = any(why in (*FREE_TEXTS, *IDS_OR_NAMES) for why in excluded.values())
    field = FieldError(
        pointer=pointer("features"),
        detail=f"no column is left as a feature ({why})",
        hint=_TEXTS_ALONE if has_texts else None,
    )
    return InvalidSpec(f"No column is left as a feature ({why}).", [field])
