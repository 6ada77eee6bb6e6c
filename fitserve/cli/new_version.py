"""Say whether a new version serves, and how it compares with the version before."""

from collections.abc import Iterator
from contextlib import suppress

from fitserve.cli.console import cell, say
from fitserve.client import ApiError, Client
from fitserve.figure_change import (
    common_difference,
    common_rows_text,
    figures_direction,
    overlap_text,
)
from fitserve.main_figure import figure_text
from fitserve.schemas.comparison import CommonFigures
from fitserve.schemas.models import VersionChanges, VersionRead


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
        for line in _against_lines(client, name, version):
            say(line)
    say(f"{title}; now try:")
    say(f"  {command}")


def _serving(client: Client, name: str) -> int | None:
    """Return the version that serves; None if the key may not read the model."""
    with suppress(ApiError):
        return client.models.get(name).serving_version
    return None


def _against_lines(client: Client, name: str, version: int) -> Iterator[str]:
    """Yield how the main figure compares with the figure of the version before."""
    new = client.models.version(name, version)
    if new.changes is None:
        return
    old = client.models.version(name, new.changes.against)
    yield against_text(new, old, new.changes)
    if new.changes.not_comparable:
        common = client.runs.compare(old.run_id, new.run_id).common
        if common is not None:
            yield _common_text(common, old, new)


def against_text(new: VersionRead, old: VersionRead, changes: VersionChanges) -> str:
    """Return which of two versions has the better main figure, or why none is known."""
    own, other = new.main_figure, old.main_figure
    before = f"version {old.version}{_role(old, changes)}"
    if own is None or other is None or changes.not_comparable:
        before += "," if "," in before else ""
        shown = [figure_text(one) if one else "no main figure" for one in (own, other)]
        reasons = "; ".join(changes.not_comparable)
        return (
            f"version {new.version} has {shown[0]} and {before} has {shown[1]}: not "
            f"comparable{f', because {reasons}' if reasons else ''}"
        )
    word, overlap = figures_direction(own, other), overlap_text(own, other)
    than = "with" if word == "level" else "than"
    return (
        f"version {new.version} is {word} {than} {before}: {figure_text(own)} against "
        f"{figure_text(other)}{f'; {overlap}' if overlap else ''}"
    )


def _role(old: VersionRead, changes: VersionChanges) -> str:
    if old.serves:
        return ", which serves"
    return ", which served before" if changes.served else ""


def _common_text(common: CommonFigures, old: VersionRead, new: VersionRead) -> str:
    """Return the figures of two versions on rows that neither trained on."""
    before, after = map(cell, common.values)
    text = (
        f"{common_rows_text(common)}: version {new.version} has {after}, version "
        f"{old.version} has {before}"
    )
    difference = common_difference(common)
    return text if difference is None else f"{text}; difference {difference}"
