"""Keep the inputs and types of an earlier version of a model in a new run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from core.columns.alike import means_the_same
from core.columns.day_order import in_order
from core.columns.time_numbers import counts_time
from core.datasets.tables import Dataset
from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec, raise_any
from core.models.contract import Contract, Input, contract_differences
from core.runs.planning.features import Selection, is_free_text
from core.runs.planning.target import Target
from core.runs.run_tables import Words, open_dataset
from core.storage import Storage
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.columns import ColumnOptions, GivenType, type_of
from fitserve.specs.run import FeaturesSpec, RunCreate

AS = pointer("features", "as")
_MOST_SHOWN = 10


@dataclass(frozen=True)
class KeptInputs:
    """The contract of an earlier version, which a run keeps where it can.

    Args:
        version: the number of the version.
        contract: its inputs and answers.
        is_kept: whether the run keeps its inputs; if not, they are only compared.
        is_demanded: whether the spec demands exactly these inputs, by `features.as`.

    """

    version: int
    contract: Contract
    is_kept: bool
    is_demanded: bool = False

    @property
    def title(self) -> str:
        """Return the name of the version in messages."""
        return f"version {self.version}"

    def spelled_as_in(self, dataset: Dataset) -> KeptInputs:
        """Return the inputs, with their names spelled as in the dataset."""
        names = [column.name for column in dataset.columns]
        return replace(self, contract=self.contract.spelled(names))

    def types(self, create: RunCreate, dataset: Dataset) -> dict[str, GivenType]:
        """Return the types with which the run reads columns as the version does.

        Columns that the spec excludes, or gives a type, are not among them.
        """
        if not self.is_kept:
            return {}
        spec, inputs = create.features, self.contract.inputs
        decided = {create.target, *spec.types, *spec.exclude}
        return {
            held.name: given_type(inputs[held.name])
            for held in dataset.columns
            if held.name in inputs and held.name not in decided and held.unique
            if spec.include is None or held.name in spec.include
            if not _is_read_as(held, inputs[held.name])
        }

    def features(self, table: TypedTable, create: RunCreate) -> list[str]:
        """Return the inputs of the version that the table has, in the version's order.

        Columns that have become free text are not among them.
        """
        if not self.is_kept or create.features.include is not None:
            return []
        columns = {column.name: column for column in table.columns}
        return [
            name
            for name in self.contract.inputs
            if name in columns and name != create.target
            if not is_free_text(columns[name], table.num_rows)
        ]

    def warnings(self, selection: Selection, target: Target) -> list[str]:
        """Return warnings about how the run differs from the version."""
        return [*self._differences(selection, target), *self._left_out(selection)]

    def _differences(self, selection: Selection, target: Target) -> list[str]:
        """Return a warning if the run's contract differs from the version's."""
        inputs = {
            name: Input(name, column.type, column.format, missing_allowed=None)
            for name, column in selection.columns.items()
        }
        new = Contract(inputs, target.name, target.task, target.classes)
        found = contract_differences(self.contract, new)
        if not found or target.name != self.contract.target:
            return []  # `model_warnings` reports another target
        shown = [d.sign for d in found[:_MOST_SHOWN]]
        if more := len(found) - len(shown):
            shown.append(f"and {more:,} more")
        what = "inputs" if any(d.column for d in found) else "answers"
        return [f"{what} differ from {self.title}: {', '.join(shown)}"]

    def _left_out(self, selection: Selection) -> list[str]:
        """Return a warning about columns that are left out because of the version."""
        names = [n for n, why in selection.excluded.items() if why == self.reason]
        if not names:
            return []
        shown = ", ".join(map(repr, names[:_MOST_SHOWN]))
        if (more := len(names) - _MOST_SHOWN) > 0:
            shown += f" and {more:,} more"
        noun, them = ("column is", "it") if len(names) == 1 else ("columns are", "them")
        warning = (
            f"{len(names):,} {noun} left out, because {self.title} does not have "
            f"{them} as input: {shown}; to choose the "
            'inputs from the table, set `"features": {"as": "table"}`'
        )
        return [warning]

    @property
    def reason(self) -> str:
        """Return the reason for leaving out a column that the version does not have."""
        return f"not an input of {self.title}"

    def refuse_unfit(self, table: TypedTable, create: RunCreate) -> None:
        """Raise InvalidSpec if the table does not fit a version that the spec demands."""
        if not self.is_demanded:
            return
        columns = {column.name: column for column in table.columns}
        errors = [
            self._misfit(name, columns.get(name), table.num_rows, create)
            for name in self.contract.inputs
        ]
        raise_any(InvalidSpec, errors)

    def _misfit(
        self, name: str, column: ColumnRead | None, num_rows: int, create: RunCreate
    ) -> FieldError | None:
        if column is None:
            why = f"the dataset has no column {name!r}"
        elif name == create.target:
            why = f"{name!r} is the target of this run"
        elif not column.unique:
            why = f"every cell of the column {name!r} is missing"
        elif is_free_text(column, num_rows):
            why = f"the column {name!r} holds text without repeated values"
        else:
            return None
        return _unfit(self, name, why)

    def refuse_left_out(self, selection: Selection) -> None:
        """Raise InvalidSpec if the run leaves out an input of the demanded version."""
        left_out = selection.excluded.items() if self.is_demanded else ()
        errors = [
            _unfit(self, name, f"the column {name!r} is left out ({why})")
            for name, why in left_out
            if name in self.contract.inputs
        ]
        raise_any(InvalidSpec, errors)


def without_unused_types(
    create: RunCreate, given: FeaturesSpec, used: Selection
) -> RunCreate:
    """Return the spec without kept types of columns that are no features.

    Types that the user gave stay: they are in `given`.
    """
    types = {
        name: kind
        for name, kind in create.features.types.items()
        if name in given.types or name in used.columns
    }
    features = create.features.model_copy(update={"types": types})
    return create.model_copy(update={"features": features})


def _unfit(kept: KeptInputs, name: str, why: str) -> FieldError:
    return FieldError(
        pointer=AS,
        detail=f"{why}, and {name!r} is an input of {kept.title} "
        f"({kept.contract.inputs[name].type})",
        hint="train on a table that has the inputs of the version, or leave out "
        "`features.as`",
        column=name,
    )


def _is_read_as(held: ColumnRead, wanted: Input) -> bool:
    """Return whether a stored column is read like the input of a version."""
    return held.type == wanted.type and means_the_same(held.format, wanted.format)


def given_type(wanted: Input) -> GivenType:
    """Return the type for a spec with which cells are read like a version's input."""
    form, given = wanted.format, {}
    if wanted.type == ColumnType.DATETIME:
        given = _of_datetimes(wanted)
    if wanted.type == ColumnType.NUMERIC:
        if form.percent == "fraction":
            given["percent"] = form.percent
        if form.unit:
            given["unit"] = form.unit
    if form.null_values is not None:
        given["null_values"] = form.null_values
    return ColumnOptions(type=wanted.type, **given) if given else wanted.type


def _of_datetimes(wanted: Input) -> dict[str, Any]:
    form, pattern = wanted.format, wanted.format.datetime
    zone: dict[str, Any] = {} if form.timezone is None else {"timezone": form.timezone}
    if counts_time(form):
        return {"format": pattern, **zone}
    if pattern is None or in_order(pattern, day_first=True) == in_order(
        pattern, day_first=False
    ):
        return zone
    return {"dayfirst": in_order(pattern, day_first=True) == pattern, **zone}


@contextmanager
def open_with_kept_types(
    dataset: Dataset,
    create: RunCreate,
    kept: KeptInputs | None,
    storage: Storage,
    words: Words,
) -> Iterator[tuple[RunCreate, TypedTable]]:
    """Open a dataset with the types of a spec, and with kept types where any cell fits.

    Yields the spec with these types, and the table. Raises InvalidSpec if no cell fits a
    type of the spec, or a kept type of a version that the spec demands.
    """
    own = create.features.types
    types = kept.types(create, dataset) if kept is not None else {}
    with ExitStack() as stack:
        while True:
            features = create.features.model_copy(update={"types": {**own, **types}})
            try:
                opening = open_dataset(dataset, features, storage, words)
                table = stack.enter_context(opening)
                break
            except InvalidSpec as error:
                unfit = {e.column for e in error.errors} & types.keys()
                if not unfit:
                    raise
                if kept is not None and kept.is_demanded:
                    _refuse_types(kept, sorted(filter(None, unfit)), error)
                types = {n: t for n, t in types.items() if n not in unfit}
        yield create.model_copy(update={"features": features}), table


def _refuse_types(kept: KeptInputs, names: list[str], error: InvalidSpec) -> None:
    why = "no cell of the column {!r} can be read as that type"
    errors = [_unfit(kept, name, why.format(name)) for name in names]
    raise InvalidSpec(error.detail, errors) from error


def refuse_other_types(kept: KeptInputs, create: RunCreate) -> None:
    """Raise InvalidSpec if `features.types` contradicts the version that is demanded."""
    if not kept.is_demanded:
        return
    inputs = kept.contract.inputs
    errors = [
        FieldError(
            pointer=pointer("features", "types", name),
            detail=f"{name!r} is {type_of(given)} here, and "
            + (
                f"{inputs[name].type} in {kept.title}"
                if name in inputs
                else f"not an input of {kept.title}"
            ),
            hint="leave it out: `features.as` sets the types",
        )
        for name, given in create.features.types.items()
        if name not in inputs or type_of(given) != inputs[name].type
    ]
    raise_any(InvalidSpec, errors)
