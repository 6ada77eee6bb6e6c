"""Say whether a new version serves, and how it compares with the version before."""

from contextlib import suppress

from fitserve.cli.console import cell, say
from fitserve.client import ApiError, Client
from fitserve.figure_change import (
    NO_CLEAR_DIFFERENCE,
    common_direction,
    common_rows_text,
    difference_text,
    figures_direction,
    overlap_text,
)
from fitserve.main_figure import figure_text
from fitserve.schemas.comparison import CommonFigures
from fitserve.schemas.models import VersionChanges, VersionRead

_COMPARED = {
    "better": "is better than",
    "worse": "is worse than",
    "level": "is level with",
    NO_CLEAR_DIFFERENCE: "shows no clear difference from",
}
"""The verb of a sentence about two versions, by the direction of their figures."""


def show_new_version(client: Client, name: str, version: int) -> None:
    """Print the new version, the version that serves, and the command to predict."""
    serving = _serving(client, name)
    title, command = (
        f"model {name}, version {version}",
        f"fitserve predict {name} ROWS.csv",
    )
    if serving not in (None, version):
        promote = f"fitserve models promote {name} {version}"
        title += f" (version {serving} serves; `{promote}`)"
        command += f" --version {version}"
    elif serving == version and version > 1:
        title += f" (serves now; `fitserve models rollback {name}` undoes that)"
    with suppress(ApiError):  # the key may not read models or runs
        if (against := _against(client, name, version)) is not None:
            say(against)
    say(f"{title}; now try:")
    say(f"  {command}")


def _serving(client: Client, name: str) -> int | None:
    """Return the version that serves; None if the key may not read the model."""
    with suppress(ApiError):
        return client.models.get(name).serving_version
    return None


def _against(client: Client, name: str, version: int) -> str | None:
    """Return how the main figure compares with the figure of the version before."""
    new = client.models.version(name, version)
    if new.changes is None:
        return None
    old = client.models.version(name, new.changes.against)
    if new.changes.not_comparable:
        common = client.runs.compare(old.run_id, new.run_id).common
        word = None if common is None else common_direction(common)
        if common is not None and word is not None:
            return common_text(common, word, new, old, new.changes)
    return against_text(new, old, new.changes)


def against_text(new: VersionRead, old: VersionRead, changes: VersionChanges) -> str:
    """Return which of two versions has the better main figure, or why none is known."""
    own, other = new.main_figure, old.main_figure
    before = f"version {old.version}{_role(old, changes)}"
    if own is None or other is None or changes.not_comparable:
        before += "," if "," in before else ""
        shown = [_figure(new), _figure(old)]
        reasons = "; ".join(changes.not_comparable)
        return (
            f"version {new.version} has {shown[0]} and {before} has {shown[1]}: not "
            f"comparable{f', because {reasons}' if reasons else ''}"
        )
    word, overlap = figures_direction(own, other), overlap_text(own, other)
    return (
        f"version {new.version} {_COMPARED[word]} {before}: {figure_text(own)} against "
        f"{figure_text(other)}{f'; {overlap}' if overlap else ''}"
    )


def _figure(version: VersionRead) -> str:
    return figure_text(version.main_figure) if version.main_figure else "no main figure"


def _role(old: VersionRead, changes: VersionChanges) -> str:
    if old.serves:
        return ", which serves"
    return ", which served before" if changes.served else ""


def common_text(
    common: CommonFigures,
    word: str,
    new: VersionRead,
    old: VersionRead,
    changes: VersionChanges,
) -> str:
    """Return which version is better on rows that neither trained on.

    The figures of the two reports follow, with the reasons why they are not compared.
    """
    before, after = map(cell, common.values)
    return (
        f"version {new.version} {_COMPARED[word]} version {old.version}"
        f"{_role(old, changes)}: {common_rows_text(common)} is {after} against {before}, "
        f"difference {difference_text(common)}; the figures of their reports, "
        f"{_figure(new)} and {_figure(old)}, are of different rows, because "
        f"{' and '.join(changes.not_comparable)}"
    )
