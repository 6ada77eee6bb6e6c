"""Open the dataset and the validation dataset of a run with the run's types."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from core.columns import kind_of
from core.columns.alike import means_the_same
from core.columns.facts import Wanted, given_types
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable, open_table
from core.errors import InvalidSpec, InvalidTable, raise_any
from core.storage import Storage
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnFormat, ColumnRead
from fitserve.specs.run import FeaturesSpec

Words = Mapping[str, tuple[str, ...]]
"""Words that are classes in a column, although they mean "missing" in others."""

VALIDATION = pointer("fit", "validation_dataset")


@dataclass(frozen=True)
class RunTables:
    """The table that a run splits, and the table of its validation dataset."""

    train: TypedTable
    validation: TypedTable | None


@contextmanager
def open_run_tables(
    dataset: Dataset,
    validation: Dataset | None,
    features: FeaturesSpec,
    names: Iterable[str],
    storage: Storage,
    words: Words,
) -> Iterator[RunTables]:
    """Open the tables of a run.

    `names` are the features and the target; the validation dataset has them too. `words`
    are those of the target that are classes; see `class_words`.
    """
    with open_dataset(dataset, features, storage, words) as train:
        if validation is None:
            yield RunTables(train, None)
            return
        with open_validation(validation, train, names, storage) as held:
            yield RunTables(train, held)


@contextmanager
def open_dataset(
    dataset: Dataset, features: FeaturesSpec, storage: Storage, words: Words
) -> Iterator[TypedTable]:
    """Open a dataset with the types of `features.types`.

    In the columns of `words`, these words are categories and do not mean "missing".
    Raises InvalidSpec, with the same message as an upload, if no cell fits a type.
    """
    try:
        with open_table(dataset, storage, _wanted(dataset, features, words)) as table:
            yield table
    except InvalidTable as error:
        errors = [_in_spec(line) for line in error.errors]
        raise InvalidSpec(error.detail, errors) from error


def _wanted(dataset: Dataset, features: FeaturesSpec, words: Words) -> dict[str, Wanted]:
    wanted = given_types(features.types)
    if dataset.options.null_values is not None:  # the upload said what is missing
        return wanted
    for name, kept in words.items():
        given = wanted.get(name, Wanted(ColumnType.CATEGORICAL))
        wanted[name] = replace(given, words=kept)
    return wanted


def _in_spec(line: FieldError) -> FieldError:
    at = pointer("features", "types", line.column)
    return line.model_copy(update={"pointer": at})


@contextmanager
def open_validation(
    validation: Dataset, trained: TypedTable, names: Iterable[str], storage: Storage
) -> Iterator[TypedTable]:
    """Open a validation dataset with the types and formats of the training table.

    Numbers may replace booleans, and booleans numbers, as in an instance. A column of
    another type is re-read with the run's type; raises InvalidSpec if no cell fits it.
    """
    stored = {column.name: column for column in validation.columns}
    wanted = {}
    for name in names:
        column, held = trained.column(name), stored.get(name)
        if column is None or held is None:
            continue
        own = validation.options.null_values is not None
        words = () if own else trained.words.get(name, ())
        if words or not may_stand(held, column):
            wanted[name] = Wanted(column.type, column.format, words=words)
    try:
        with open_table(validation, storage, wanted) as table:
            yield table
    except InvalidTable as error:
        misfits = [
            misfit(
                stored[line.column],
                wanted[line.column],
                validation.name,
                "none of its cells can be read as that type",
            )
            for line in error.errors
            if line.column in wanted
        ]
        raise_any(InvalidSpec, misfits)
        raise


class Notation(Protocol):
    """The type of a column, and how its cells are written."""

    @property
    def type(self) -> ColumnType:
        """Return the type."""

    @property
    def format(self) -> ColumnFormat:
        """Return the format."""


def may_stand(held: ColumnRead, wanted: Notation) -> bool:
    """Return whether the stored values of a column can be used as the wanted column's."""
    if not held.unique:
        return True
    kinds = {wanted.type, *kind_of(wanted.type).stands_for}
    return held.type in kinds and means_the_same(held.format, wanted.format)


def misfit(held: ColumnRead, wanted: Wanted, dataset: str, why: str) -> FieldError:
    """Return the error for a validation column whose type cannot be used."""
    return FieldError(
        pointer=VALIDATION,
        detail=f"the column {held.name!r} is {held.type} in {dataset!r}; the run expects "
        f"{wanted.type} cells, and {why}",
        hint="correct its cells, or use another validation dataset",
        column=held.name,
    )
