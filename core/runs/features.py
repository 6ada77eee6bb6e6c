"""Which columns the network sees, and why the others are left out."""

from dataclasses import dataclass

from core.datasets.tables import Dataset
from core.errors import InvalidSpec, raise_any
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.run import FeaturesSpec
from fitserve.statuses import ColumnType

MOST_CATEGORIES = 50
"""With more categories a column gets an embedding instead of a place for each."""

MOST_PLACES = 10_000
"""The most frequent categories of a column that get a place; the others share one."""

FEW_CATEGORIES = 10
"""Up to so many, each has a place however rare it is; beyond, rare ones share one."""

ROW_NUMBER = "a row number"
_DATETIME_INPUTS = 8
_TEXTS = (ColumnType.CATEGORICAL, ColumnType.TEXT)
_READ_AS = {
    ColumnType.DATETIME: (ColumnType.DATETIME,),
    ColumnType.BOOLEAN: (ColumnType.BOOLEAN, ColumnType.NUMERIC),
}


def embedding_dim(num_categories: int) -> int:
    """Numbers that stand for a category.

    The rule of thumb of Howard and Gugger, "fastai: A Layered API for Deep Learning",
    2020, with a lower bound.
    """
    return int(min(32, round(1.6 * num_categories**0.56)))


def num_pieces(num_values: int, num_bins: int | None) -> int:
    """Pieces, at most, of a column with so many distinct values; two need none."""
    return min(num_bins or 0, num_values - 1) if num_values > 2 else 0


@dataclass(frozen=True)
class Selection:
    """Features by name with their types, and reasons for the columns left out."""

    types: dict[str, ColumnType]
    excluded: dict[str, str]
    num_inputs: int
    """At most: a category absent from the training rows gets no place."""
    num_embedding_params: int
    """At most, too."""


def select_features(
    dataset: Dataset, target: str, spec: FeaturesSpec, not_features: dict[str, str]
) -> Selection:
    """The features of a run on `dataset`.

    `not_features` holds reasons to leave columns out that `include` can overrule.
    Raises InvalidSpec for names that are no column, and when nothing is left.
    """
    columns = {column.name: column for column in dataset.columns}
    excluded = {
        name: reason
        for name, column in columns.items()
        if (reason := _reason(column, target, spec, not_features)) is not None
    }
    chosen = [column for name, column in columns.items() if name not in excluded]
    if not chosen:
        # a series has nothing but its place
        chosen = [c for n, c in columns.items() if excluded[n] == ROW_NUMBER]
        excluded = {n: r for n, r in excluded.items() if r != ROW_NUMBER}
    if not chosen:
        raise _nothing_left(excluded)
    types = {c.name: type_of(c, spec) for c in chosen}
    sizes = [_size(c, types[c.name], spec.num_bins) for c in chosen]
    width, params = (sum(side) for side in zip(*sizes, strict=True))
    return Selection(types, excluded, width, params)


def refuse_unknown_columns(
    dataset: Dataset, target: str, spec: FeaturesSpec, split_column: str | None
) -> None:
    """Raise InvalidSpec for names that are no column of the dataset."""
    known = [column.name for column in dataset.columns]
    named: list[tuple[tuple[object, ...], str]] = [(("target",), target)]
    named += [(("features", "exclude", i), n) for i, n in enumerate(spec.exclude)]
    named += [(("features", "include", i), n) for i, n in enumerate(spec.include or [])]
    named += [(("features", "types", n), n) for n in spec.types]
    if split_column is not None:
        named.append((("split", "column"), split_column))
    errors = [
        FieldError(
            pointer=pointer(*path),
            detail=f"the dataset has no column {name!r}",
            hint=did_you_mean(name, known),
        )
        for path, name in named
        if name not in known
    ]
    raise_any(InvalidSpec, errors)
    raise_any(InvalidSpec, _type_errors(dataset, spec))


def _type_errors(dataset: Dataset, spec: FeaturesSpec) -> list[FieldError]:
    """Types that the column, as it was read, cannot be turned into."""
    kinds = {column.name: column.type for column in dataset.columns}
    return [
        FieldError(
            pointer=pointer("features", "types", name),
            detail=f"the column {name!r} was read as {kinds[name]}; "
            f"that cannot become {wanted} any more",
            hint=f'upload it again with types={{"{name}": "{wanted}"}}',
        )
        for name, wanted in spec.types.items()
        if kinds[name] not in _READ_AS.get(wanted, tuple(ColumnType))
    ]


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


def type_of(column: ColumnRead, spec: FeaturesSpec) -> ColumnType:
    """The column's type for this run."""
    return spec.types.get(column.name, column.type)


def _size(column: ColumnRead, kind: ColumnType, num_bins: int | None) -> tuple[int, int]:
    """Inputs of the network, and weights of an embedding."""
    if kind == ColumnType.DATETIME:
        return _DATETIME_INPUTS, 0
    if kind not in _TEXTS:
        return 1 + num_pieces(column.unique, num_bins), 0
    categories = min(column.unique + (column.missing > 0), MOST_PLACES)
    if categories <= MOST_CATEGORIES:
        return categories + (categories > FEW_CATEGORIES), 0
    dim = embedding_dim(categories)
    return dim, dim * (categories + 1)


def _nothing_left(excluded: dict[str, str]) -> InvalidSpec:
    why = "; ".join(f"{name}: {reason}" for name, reason in list(excluded.items())[:10])
    return InvalidSpec(
        f"No column is left as a feature ({why}).",
        [FieldError(pointer=pointer("features"), detail=why)],
    )
