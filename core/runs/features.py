"""Which columns the network sees, and why the others are left out."""

from dataclasses import dataclass
from typing import Any

from core.datasets.tables import Dataset
from core.errors import InvalidSpec
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import FeaturesSpec
from fitserve.statuses import ColumnType

MOST_CATEGORIES = 256
"""The most frequent categories of a column that get a place of their own."""


@dataclass(frozen=True)
class Selection:
    """Features by name with their types, and reasons for the columns left out."""

    types: dict[str, ColumnType]
    excluded: dict[str, str]
    num_inputs: int
    """At most: a category absent from the training rows gets no place."""


def select_features(dataset: Dataset, target: str, spec: FeaturesSpec) -> Selection:
    """The features of a run on `dataset`.

    Raises InvalidSpec for names that are no column, and when nothing is left.
    """
    columns = {column["name"]: column for column in dataset.columns}
    if errors := _unknown(columns, target, spec):
        raise InvalidSpec("The spec names columns that the dataset lacks.", errors)
    excluded = {
        name: reason
        for name, column in columns.items()
        if (reason := _reason(column, target, spec)) is not None
    }
    chosen = [column for name, column in columns.items() if name not in excluded]
    if not chosen:
        raise _nothing_left(excluded)
    types = {c["name"]: _type(c, spec) for c in chosen}
    width = sum(_width(c, types[c["name"]]) for c in chosen)
    return Selection(types, excluded, width)


def _unknown(
    columns: dict[str, Any], target: str, spec: FeaturesSpec
) -> list[FieldError]:
    named: list[tuple[tuple[object, ...], str]] = [(("target",), target)]
    named += [(("features", "exclude", i), n) for i, n in enumerate(spec.exclude)]
    named += [(("features", "include", i), n) for i, n in enumerate(spec.include or [])]
    named += [(("features", "types", n), n) for n in spec.types]
    return [
        FieldError(
            pointer=pointer(*path),
            detail=f"the dataset has no column {name!r}",
            hint=did_you_mean(name, columns),
        )
        for path, name in named
        if name not in columns
    ]


def _reason(column: dict[str, Any], target: str, spec: FeaturesSpec) -> str | None:
    name, kind = column["name"], _type(column, spec)
    if name == target:
        return "the target"
    if name in spec.exclude:
        return "excluded by the spec"
    if spec.include is not None and name not in spec.include:
        return "not among `features.include`"
    if column["unique"] == 0:
        return "every cell is missing"
    if column["unique"] == 1 and column["missing"] == 0:
        return "constant"
    if kind in (ColumnType.TEXT, ColumnType.DATETIME):
        return f'{kind}; {{"types": {{"{name}": "categorical"}}}} would bring it in'
    return None


def _type(column: dict[str, Any], spec: FeaturesSpec) -> ColumnType:
    return ColumnType(spec.types.get(column["name"], column["type"]))


def _width(column: dict[str, Any], kind: ColumnType) -> int:
    if kind != ColumnType.CATEGORICAL:
        return 1
    return int(min(column["unique"] + (column["missing"] > 0), MOST_CATEGORIES))


def _nothing_left(excluded: dict[str, str]) -> InvalidSpec:
    why = "; ".join(f"{name}: {reason}" for name, reason in list(excluded.items())[:10])
    return InvalidSpec(
        f"No column is left as a feature ({why}).",
        [FieldError(pointer=pointer("features"), detail=why)],
    )
