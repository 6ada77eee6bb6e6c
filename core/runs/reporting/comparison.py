"""Compare runs: curves aligned by epoch, metrics, and the differences of their specs."""

from collections.abc import Callable, Sequence
from typing import Any

from core.errors import InvalidQuery, NotFound
from core.models.repository import ModelRepository
from core.runs.planning.splits import BY_POSITION
from core.runs.reporting.spec_differences import different_parts
from core.runs.repository import RunRepository
from core.runs.serialize import history_to_schema, kept_epoch, of_one_fit, run_to_schema
from core.runs.tables import Epoch, Run
from fitserve.problems import FieldError, pointer
from fitserve.schemas.comparison import ComparedRun, ComparisonRead, Difference
from fitserve.schemas.report import Headline

MOST_RUNS = 20


def _split_key(run: Run) -> int | None:
    """Return the number by which rows are held out; None if a column decides it."""
    if run.spec.split.by in ("time", "column"):
        return None
    is_fixed = run.plan.splitting >= BY_POSITION
    return run.plan.split_key if is_fixed else run.spec.fit.seed


_SPLIT_PARTS: tuple[tuple[Callable[[Run], object], str], ...] = (
    (lambda run: (run.dataset.digest, run.dataset.num_rows), "datasets"),
    (lambda run: (run.spec.split, run.plan.splitting), "splits"),
    (_split_key, "seeds"),
    (lambda run: run.spec.fit.validation_split, "validation splits"),
    (lambda run: run.spec.fit.validation_dataset, "validation datasets"),
)
"""The parts of a run that decide which rows are held out, and their names."""


def compare(
    repository: RunRepository, models: ModelRepository, ids: Sequence[str]
) -> ComparisonRead:
    """Compare the runs with these ids; raise InvalidQuery or RunNotFound."""
    _refuse(ids)
    runs = [repository.get(run_id) for run_id in ids]
    kept = [of_one_fit(repository.epochs(run.id), run.best_epoch) for run in runs]
    histories = [history_to_schema(epochs).history for epochs in kept]
    length = max(len(h.get("loss", [])) for h in histories)
    names = dict.fromkeys(name for history in histories for name in history)
    return ComparisonRead(
        runs=[
            _compared(run, epochs, _headline(models, run))
            for run, epochs in zip(runs, kept, strict=True)
        ],
        epoch=list(range(1, length + 1)),
        curves={
            name: [_padded(history.get(name, []), length) for history in histories]
            for name in names
        },
        differences=spec_differences([_spec(run) for run in runs]),
        different_parts=different_parts(runs),
        warnings=_warnings(runs),
    )


def _refuse(ids: Sequence[str]) -> None:
    if 2 <= len(set(ids)) == len(ids) <= MOST_RUNS:
        return
    detail = (
        f"got {len(ids)} id(s), {len(set(ids))} of them distinct; expected 2 to "
        f"{MOST_RUNS} distinct ids: ?ids=run_…,run_…"
    )
    field = FieldError(pointer=pointer("ids"), detail=detail)
    raise InvalidQuery(f"These runs cannot be compared: {detail}.", [field])


def _compared(
    run: Run, epochs: Sequence[Epoch], headline: Headline | None
) -> ComparedRun:
    read = run_to_schema(run).model_dump()
    known = {name: read[name] for name in ComparedRun.model_fields if name in read}
    own = {
        "fit_seconds": run.fit_seconds,
        "headline": headline,
        "best_epoch": kept_epoch(run, epochs),
    }
    return ComparedRun.model_validate(known | own)


def _headline(models: ModelRepository, run: Run) -> Headline | None:
    if run.model_version is None:
        return None
    try:
        return models.version(run.model_name, run.model_version).headline
    except NotFound:  # the version or its model was deleted
        return None


def _padded(values: Sequence[float | None], length: int) -> list[float | None]:
    return [*values, *[None] * (length - len(values))]


def _spec(run: Run) -> dict[str, Any]:
    """Return the resolved spec, with the id of the dataset in place of its name."""
    return run.spec.model_copy(update={"dataset": run.dataset.id}).to_json()


def spec_differences(specs: Sequence[dict[str, Any]]) -> list[Difference]:
    """Return each place where the specs differ, in the order of the first spec."""
    flat = [dict(_leaves(spec, ())) for spec in specs]
    places = dict.fromkeys(place for leaves in flat for place in leaves)
    rows = {place: [leaves.get(place) for leaves in flat] for place in places}
    return [
        Difference(pointer=pointer(*place), values=values)
        for place, values in rows.items()
        if any(value != values[0] for value in values)
    ]


def _leaves(value: Any, path: tuple[Any, ...]) -> list[tuple[tuple[Any, ...], Any]]:
    """Return the leaves of a JSON tree, with their paths."""
    if isinstance(value, dict) and value:
        items: Any = value.items()
    elif isinstance(value, list) and value:
        items = enumerate(value)
    else:
        return [(path, value)]
    return [leaf for key, inner in items for leaf in _leaves(inner, (*path, key))]


def _warnings(runs: Sequence[Run]) -> list[str]:
    found = []
    if len({run.target for run in runs}) > 1:
        found.append("the targets differ: metrics of these runs cannot be compared")
    found += _other_rows(runs)
    if _differs(runs, lambda run: run.spec.compile.loss):
        found.append("the losses differ: compare the metrics, not `loss`")
    if _differs(runs, lambda run: run.spec.fit.sample_weight):
        found.append(
            "the sample weights differ: compare `metrics` that are not weighted, not "
            "`loss` or the reports"
        )
    return found


def _other_rows(runs: Sequence[Run]) -> list[str]:
    """Return a sentence that says why the runs were scored on different rows, if any."""
    different = [name for part, name in _SPLIT_PARTS if _differs(runs, part)]
    if different == ["datasets"] and all(_only_appends(runs[0], run) for run in runs[1:]):
        why = "the datasets differ by appended rows"
        return [f"{why}, so the later run was scored on additional rows"]
    if different:
        *others, last = different
        names = f"{', '.join(others)} and {last}" if others else last
        return [f"the {names} differ, so the runs were scored on different rows"]
    sides = dict.fromkeys(run.main_figure.side for run in runs if run.main_figure)
    if len(sides) > 1:
        return [f"the runs were scored on different rows: {' and '.join(sides)} rows"]
    return []


def reasons_against_figures(before: Run, after: Run) -> list[str]:
    """Return why the figures of two runs, each on its held-out rows, are incomparable.

    Other datasets are no reason if one only appends rows to the other: rows that were
    held out once are held out again.
    """
    runs = before, after
    if _differs(runs, lambda run: (run.target, run.task)):
        return ["the targets differ"]
    parts = _SPLIT_PARTS[1:] if _only_appends(before, after) else _SPLIT_PARTS
    found = [f"the {name} differ" for part, name in parts if _differs(runs, part)]
    if _differs(runs, lambda run: run.spec.fit.sample_weight):
        found.append("the sample weights differ")
    return found


def _only_appends(before: Run, after: Run) -> bool:
    """Return whether one dataset begins with the other, and rows keep their positions."""
    blocks = [[block.id for block in run.dataset.blocks] for run in (before, after)]
    count = min(map(len, blocks))
    is_fixed = _split_key(after) is not None and after.plan.splitting >= BY_POSITION
    return is_fixed and blocks[0][:count] == blocks[1][:count]


def _differs(runs: Sequence[Run], part: Callable[[Run], object]) -> bool:
    values = [part(run) for run in runs]
    return any(value != values[0] for value in values)
