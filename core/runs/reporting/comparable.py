"""Say whether runs were scored on rows that can be compared."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from core.datasets.tables import Dataset
from core.runs.planning.splits import BY_POSITION
from core.runs.tables import Run
from fitserve.names import version_ref
from fitserve.number_text import rows_text


def _split_key(run: Run) -> int | None:
    """Return the number by which rows are held out; None if a column decides it."""
    if run.spec.split.by in ("time", "column"):
        return None
    is_fixed = run.plan.splitting >= BY_POSITION
    return run.plan.split_key if is_fixed else run.spec.fit.seed


_SPLIT: tuple[tuple[Callable[[Run], object], str], ...] = (
    (lambda run: (run.spec.split, run.plan.splitting), "splits"),
    (_split_key, "seeds"),
    (lambda run: run.spec.fit.validation_split, "validation splits"),
    (lambda run: run.spec.fit.validation_dataset, "validation datasets"),
)
"""The parts of a run, besides its dataset, that decide which rows are held out."""


def warnings_about_rows(runs: Sequence[Run]) -> list[str]:
    """Return why figures of runs on their own held-out rows may not be comparable."""
    reason = reason_for_other_rows(runs)
    if reason is None or advice_about_rows(runs) is not None:
        return []
    return [rows_warning(reason)]


def rows_warning(reason: str) -> str:
    """Return the warning that runs were scored on different rows, for a reason."""
    return f"{reason}, so the runs were scored on different rows"


def advice_about_rows(runs: Sequence[Run]) -> str | None:
    """Return how to compare the figures of runs whose datasets only grew by appends."""
    grew = _appended(runs)
    is_alike = not _different_parts(runs) and len(_sides(runs)) < 2
    if not (grew and is_alike and _have_positions(runs)):
        return None
    return (
        f"{' and '.join(grew)}; rows that were held out stay held out, so compare the "
        "figures with their intervals"
    )


def reason_for_other_rows(runs: Sequence[Run]) -> str | None:
    """Return why runs were scored on different rows; None if the rows are the same."""
    different, appended = _different_parts(runs), _appended(runs)
    if appended is None:
        different.insert(0, "datasets")
    if different:
        *others, last = different
        names = f"{', '.join(others)} and {last}" if others else last
        return f"the {names} differ"
    if len(_sides(runs)) > 1:
        return "some runs were scored on test rows, others on validation rows"
    return " and ".join(appended or []) or None


def _sides(runs: Sequence[Run]) -> set[str]:
    """Return the sides on which the main figures of the runs were measured."""
    return {run.main_figure.side for run in runs if run.main_figure}


def reasons_against_figures(before: Run, after: Run) -> list[str]:
    """Return why the figures of two runs on their own held-out rows are incomparable.

    After an append, rows that were held out once are held out again.
    """
    runs = before, after
    if differs(runs, lambda run: (run.target, run.task)):
        return ["the targets differ"]
    appended = _appended(runs)
    found = ["the datasets differ"] if appended is None else []
    if appended and not _have_positions(runs):
        found += appended
    found += [f"the {name} differ" for name in _different_parts(runs)]
    if differs(runs, lambda run: run.spec.fit.sample_weight):
        found.append("the sample weights differ")
    return found


def differs(runs: Sequence[Run], part: Callable[[Run], object]) -> bool:
    """Return whether a part of the runs is not the same in all of them."""
    values = [part(run) for run in runs]
    return any(value != values[0] for value in values)


def _different_parts(runs: Sequence[Run]) -> list[str]:
    return [name for part, name in _SPLIT if differs(runs, part)]


def _appended(runs: Sequence[Run]) -> list[str] | None:
    """Return sentences about the rows that appends added to the datasets of the runs.

    None means that a dataset does not begin with the rows of another one.
    """
    by_content = {content_of(run.dataset): run.dataset for run in runs}
    datasets = sorted(by_content.values(), key=lambda dataset: len(dataset.blocks))
    pairs = list(pairwise(datasets))
    if not all(_begins_with(longer, shorter) for shorter, longer in pairs):
        return None
    return [_growth(shorter, longer) for shorter, longer in pairs]


def content_of(dataset: Dataset) -> tuple[tuple[str, int], ...]:
    """Return what is equal for datasets with the same rows: their files and rows."""
    return tuple((block.digest, block.block_rows) for block in dataset.blocks)


def _begins_with(longer: Dataset, shorter: Dataset) -> bool:
    start = content_of(shorter)
    return content_of(longer)[: len(start)] == start


def _growth(shorter: Dataset, longer: Dataset) -> str:
    names = [version_ref(dataset.name, dataset.version) for dataset in (shorter, longer)]
    number = longer.num_rows - shorter.num_rows
    return f"{names[1]} has {rows_text(number)} more than {names[0]} (appended)"


def _have_positions(runs: Sequence[Run]) -> bool:
    """Return whether appends leave the held-out rows of all runs held out."""
    return all(
        run.plan.splitting >= BY_POSITION and _split_key(run) is not None for run in runs
    )
