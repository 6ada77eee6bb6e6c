"""Select the columns that become features, and give reasons for the others."""

from dataclasses import dataclass

from core.columns import kind_of
from core.columns.numeric import ROW_NUMBER
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.run import FeaturesSpec


@dataclass(frozen=True)
class Selection:
    """The features by name, and the reason for each column that is left out."""

    columns: dict[str, ColumnRead]
    excluded: dict[str, str]
    num_inputs: int
    """An upper bound: a category without a training row gets no input."""
    num_embedding_params: int
    """An upper bound, for the same reason."""

    @property
    def types(self) -> dict[str, ColumnType]:
        """Return the types of the features."""
        return {name: column.type for name, column in self.columns.items()}


def select_features(
    table: TypedTable, target: str, spec: FeaturesSpec, not_features: dict[str, str]
) -> Selection:
    """Return the features of a run on a table.

    `not_features` holds reasons to leave out columns; `include` overrides them.
    Raises InvalidSpec if no column is left.
    """
    columns = {column.name: column for column in table.columns}
    excluded = {
        name: reason
        for name, column in columns.items()
        if (reason := _reason(column, target, spec, not_features)) is not None
    }
    chosen = [column for name, column in columns.items() if name not in excluded]
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
    return Selection({c.name: c for c in chosen}, excluded, width, params)


def _reason(
    column: ColumnRead, target: str, spec: FeaturesSpec, not_features: dict[str, str]
) -> str | None:
    name = column.name
    if name == target:
        return "the target"
    if name in spec.exclude:
        return "excluded by the spec"
    if column.unique == 0:
        return "every cell is missing"
    if spec.include is not None:
        return None if name in spec.include else "not among `features.include`"
    if name in not_features:
        return not_features[name]
    if name in spec.types:
        return None
    return column.left_out


def _nothing_left(excluded: dict[str, str]) -> InvalidSpec:
    why = "; ".join(f"{name}: {reason}" for name, reason in list(excluded.items())[:10])
    return InvalidSpec(
        f"No column is left as a feature ({why}).",
        [FieldError(pointer=pointer("features"), detail=why)],
    )
