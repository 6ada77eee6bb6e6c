"""Choose the remedy for a problem of the data, which comes before all other advice."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from core.runs.diagnosis.facts import Facts
from core.runs.spec import ResolvedSpec
from fitserve.schemas.report import Trap

_MOST_NAMED = 3


class Remedy(NamedTuple):
    """A title, the advice, and the columns that the next spec leaves out, if any."""

    title: str
    advice: str
    left_out: Sequence[str] = ()

    @property
    def label(self) -> str:
        """Return the words of the button."""
        return f"Leave out {_listed(self.left_out)} and train"


def remedy_of(facts: Facts) -> Remedy | None:
    """Return the remedy for the worst problem; None if no trap has a remedy."""
    for kind, remedy in _REMEDIES.items():
        if traps := [trap for trap in facts.traps if trap.kind == kind]:
            return remedy(traps, facts)
    return None


def without(spec: ResolvedSpec, columns: Sequence[str]) -> ResolvedSpec:
    """Return the spec without some features."""
    included, excluded = spec.features.include, spec.features.exclude
    if included is not None:
        included = [name for name in included if name not in columns]
    else:
        excluded = [*excluded, *(name for name in columns if name not in excluded)]
    changes = {"include": included, "exclude": excluded}
    features = spec.features.model_copy(update=changes)
    return spec.model_copy(update={"features": features})


def _leakage(traps: Sequence[Trap], facts: Facts) -> Remedy:
    columns = _columns(traps)
    found = f"the target {facts.spec.target!r}"
    title = "A column gives the target away"
    advice = (
        f"Leave out {_quoted(columns)}, unless the value is known when you predict: "
        f"it alone explains {found}, so the figures are too good."
    )
    if len(columns) > 1:
        title = "Columns give the target away"
        advice = (
            f"Leave out {_quoted(columns)}, unless the values are known when you "
            f"predict: each alone explains {found}, so the figures are too good."
        )
    return Remedy(title, advice, _if_others_remain(columns, facts))


def _constant_target(traps: Sequence[Trap], facts: Facts) -> Remedy:  # noqa: ARG001
    return Remedy(
        "The figures say nothing about the network",
        "First use another split, or more rows: the target is the same in all rows of "
        "a side.",
    )


def _duplicates(traps: Sequence[Trap], facts: Facts) -> Remedy:  # noqa: ARG001
    return Remedy(
        "Held-out rows repeat training rows",
        "First upload the table without duplicates, and train again: the figures are "
        "too good.",
    )


_REMEDIES: dict[str, Callable[[Sequence[Trap], Facts], Remedy]] = {
    "leakage": _leakage,
    "constant_target": _constant_target,
    "duplicates": _duplicates,
}
"""The remedies, the worst problem first.

Drift has none: networks without the columns that drift were seldom better.
"""


def _columns(traps: Sequence[Trap]) -> list[str]:
    return list(dict.fromkeys(name for trap in traps for name in trap.columns))


def _if_others_remain(columns: Sequence[str], facts: Facts) -> Sequence[str]:
    """Return the columns, or none if the network would have no features left."""
    return columns if set(facts.features) - set(columns) else ()


def _quoted(columns: Sequence[str]) -> str:
    return _listed([f"`{name}`" for name in columns])


def _listed(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMED:
        return f"{len(names)} columns"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
