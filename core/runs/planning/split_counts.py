"""How many rows a run will have on each side, before it is queued."""

import numpy as np

from core.datasets.typed_table import TypedTable
from core.errors import InvalidSpec
from core.runs.planning.splits import NAMES, Shares, assign, counts, split_error
from core.runs.planning.target import Target
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import RunCreate, SplitSpec
from fitserve.specs.training import FitSpec

_LEAST_ROWS = 5


def count_rows(
    create: RunCreate,
    target: Target,
    table: TypedTable,
    validation: TypedTable | None,
    *,
    seed: int,
) -> dict[str, int]:
    """Rows with a target by side; InvalidSpec if a side that is asked for is empty."""
    split, shares = create.split, shares_of(create.split, create.fit)
    if split.column is None:
        sides = list(counts(target.num_rows, shares))
    else:
        rows = table.read([target.name, split.column]).drop_nulls(target.name)
        assigned = assign(rows, target.name, target.task, split, shares, seed)
        sides = [int(np.sum(assigned == side)) for side in range(len(NAMES))]
    found = dict(zip(NAMES, sides, strict=True))
    if validation is not None:
        column = validation.column(target.name)
        found["validation"] += validation.num_rows - (column.missing if column else 0)
    _refuse_empty(found, create, target)
    if not found["test"]:
        del found["test"]
    return found


def shares_of(split: SplitSpec, fit: FitSpec) -> Shares:
    """The shares that are held out of the dataset itself."""
    has_own = fit.validation_dataset is not None
    return Shares(0.0 if has_own else fit.validation_split, split.test)


def _refuse_empty(found: dict[str, int], create: RunCreate, target: Target) -> None:
    if target.num_rows < _LEAST_ROWS:
        detail = (
            f"the dataset has {target.num_rows} row(s) with a target; "
            f"at least {_LEAST_ROWS} are needed"
        )
        at = pointer("target")
        raise InvalidSpec(
            f"Too few rows: {detail}.", [FieldError(pointer=at, detail=detail)]
        )
    shares = shares_of(create.split, create.fit)
    if shares.validation + shares.test >= 1:
        detail = (
            f"`fit.validation_split` {shares.validation:g} and `split.test` "
            f"{shares.test:g} leave nothing to train on"
        )
        at = pointer("split", "test")
        raise InvalidSpec(f"{detail}.", [FieldError(pointer=at, detail=detail)])
    by_column = create.split.by == "column"
    wanted = {
        "train": True,
        "validation": shares.validation > 0 and not by_column,
        "test": shares.test > 0 and not by_column,
    }
    empty = [name for name, is_wanted in wanted.items() if is_wanted and not found[name]]
    if not empty:
        return
    told = ", ".join(f"{found[name]} for {name}" for name in found)
    detail = f"{target.num_rows} row(s) with a target split into {told}"
    if create.split.column is not None:
        raise split_error(detail)
    at = pointer("fit", "validation_split")
    raise InvalidSpec(
        f"The rows cannot be split: {detail}.", [FieldError(pointer=at, detail=detail)]
    )
