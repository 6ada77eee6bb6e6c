"""Describe each version of a model by what it changed against the one that served."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.models.contract import Contract, contract_differences
from core.models.repository import ModelRepository
from core.models.serialize import version_to_schema
from core.models.tables import Version
from core.runs.reporting.comparable import reasons_against_figures
from core.runs.serialize import dataset_ref
from core.runs.tables import Run
from fitserve.problems import pointer
from fitserve.schemas.models import (
    ContractChange,
    SpecChange,
    VersionChanges,
    VersionRead,
)

_SHOWN_ELSEWHERE = frozenset(
    ("dataset", "target", "model_name", "task", "features", "report", "tags", "promotion")
)
"""Keys of a spec that change no weights, or whose effect the rows and inputs show."""
_SEED = pointer("fit", "seed")
"""Most runs draw their seed, so a difference is nobody's decision."""


@dataclass(frozen=True)
class Former:
    """The version with which another one is compared.

    `served` is whether it served when the other one was stored.
    """

    version: Version
    served: bool


def describe_versions(
    models: ModelRepository, name: str, versions: Sequence[Version]
) -> list[VersionRead]:
    """Convert successive versions of a model, newest first, with what each changed.

    Reads the database, but no files.
    """
    if not versions:
        return []
    formers = _formers(models, name, versions)
    old = [former.version for former in formers.values()]
    runs = models.runs([*versions, *old])
    changes = {
        version.id: _changes(formers[version.id], version, runs)
        for version in versions
        if version.id in formers
    }
    aliases, serving = models.aliases(name), models.serving(name)
    return [
        version_to_schema(version, aliases, serving).model_copy(
            update={
                "dataset": dataset_ref(runs[version.run_id].dataset),
                "num_rows": runs[version.run_id].dataset.num_rows,
                "changes": changes.get(version.id),
            }
        )
        for version in versions
    ]


def _formers(
    models: ModelRepository, name: str, versions: Sequence[Version]
) -> dict[str, Former]:
    """Return the version that served when each one was stored, by the id of the latter.

    If that one is deleted or unknown, it is the existing version before.
    """
    earlier = [*versions[1:], *models.versions(name, versions[-1].number, limit=1)]
    pairs = zip(versions, earlier, strict=False)  # the first version has none
    found = {new.id: Former(old, served=False) for new, old in pairs}
    numbers = models.served_before(versions)
    there = models.by_number(name, set(numbers.values()))
    return found | {
        version_id: Former(there[number], served=True)
        for version_id, number in numbers.items()
        if number in there
    }


def _changes(former: Former, new: Version, runs: Mapping[str, Run]) -> VersionChanges:
    old = former.version
    before, after = runs[old.run_id], runs[new.run_id]
    contracts = Contract.of(old.signature), Contract.of(new.signature)
    return VersionChanges(
        against=old.number,
        served=former.served,
        dataset=dataset_ref(before.dataset),
        num_rows=before.dataset.num_rows,
        spec=spec_changes(*(run.spec.to_json() for run in (before, after))),
        contract=[
            ContractChange(
                detail=d.sentence, sign=d.sign, column=d.column, breaks=d.breaks
            )
            for d in contract_differences(*contracts)
        ],
        main_figure=old.main_figure,
        not_comparable=_not_comparable(old, new, before, after),
    )


def spec_changes(before: dict[str, Any], after: dict[str, Any]) -> list[SpecChange]:
    """Return the changes between two specs, except for keys that are shown elsewhere."""
    old, new = (
        {key: value for key, value in spec.items() if key not in _SHOWN_ELSEWHERE}
        for spec in (before, after)
    )
    return [one for one in _differences(old, new) if one.pointer != _SEED]


def _differences(
    old: Any, new: Any, path: tuple[object, ...] = ()
) -> Iterator[SpecChange]:
    """Yield the changes from `old` to `new`.

    An object is one change if only one side has it, or if its `type` differs. A list of
    layers is one change if the types of the layers differ. Otherwise, each key that
    differs is a change.
    """
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict) and _type(old) == _type(new):
        for key in {**old, **new}:
            yield from _differences(old.get(key), new.get(key), (*path, key))
    elif _are_alike(old, new):
        for place, pair in enumerate(zip(old, new, strict=True)):
            yield from _differences(*pair, (*path, place))
    else:
        yield SpecChange(pointer=pointer(*path), before=old, after=new)


def _type(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else None


def _are_alike(old: Any, new: Any) -> bool:
    """Return whether two values are lists of objects of the same types."""
    if not isinstance(old, list) or not isinstance(new, list):
        return False
    types = [[_type(one) for one in side] for side in (old, new)]
    return types[0] == types[1] and None not in types[0]


def _not_comparable(old: Version, new: Version, before: Run, after: Run) -> list[str]:
    """Return why the main figures of two versions cannot be compared."""
    first, second = old.main_figure, new.main_figure
    if first is None or second is None:
        lacking = old if first is None else new
        return [f"version {lacking.number} has no main figure"]
    if first.metric != second.metric:
        return ["the metrics differ"]
    reasons = reasons_against_figures(before, after)
    if first.side != second.side and not reasons:
        reasons = [f"one was measured on {first.side} rows, one on {second.side} rows"]
    return reasons
