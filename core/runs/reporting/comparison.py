"""Compare runs: curves aligned by epoch, metrics, and the differences of their specs."""

from collections.abc import Sequence
from typing import Any

from core.errors import InvalidQuery, NotFound
from core.models.repository import ModelRepository
from core.runs.reporting.comparable import (
    advice_about_rows,
    differs,
    rows_warning,
    warnings_about_rows,
)
from core.runs.reporting.spec_differences import different_parts
from core.runs.repository import RunRepository
from core.runs.serialize import history_to_schema, kept_epoch, of_one_fit, run_to_schema
from core.runs.tables import Epoch, Run
from fitserve.metric_names import metric_title
from fitserve.number_text import rows_text
from fitserve.problems import FieldError, pointer
from fitserve.schemas.comparison import (
    CommonFigures,
    ComparedRun,
    ComparisonRead,
    Difference,
)
from fitserve.schemas.report import Headline

MOST_RUNS = 20


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
        advice=advice_about_rows(runs),
    )


def with_common(
    found: ComparisonRead, common: CommonFigures, reason: str
) -> ComparisonRead:
    """Add the figures on common rows, and advise to compare them.

    The advice replaces the warning about different rows, whose reason is `reason`.
    """
    rows = f"the {rows_text(common.num_rows, common.side)} that both held out"
    changes = {
        "common": common,
        "advice": f"{reason}, so compare {metric_title(common.metric)} on {rows}",
        "warnings": [one for one in found.warnings if one != rows_warning(reason)],
    }
    return found.model_copy(update=changes)


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
    found += warnings_about_rows(runs)
    if differs(runs, lambda run: run.spec.compile.loss):
        found.append("the losses differ: compare the metrics, not `loss`")
    if differs(runs, lambda run: run.spec.fit.sample_weight):
        found.append(
            "the sample weights differ: compare `metrics` that are not weighted, not "
            "`loss` or the reports"
        )
    return found
