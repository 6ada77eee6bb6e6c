"""Check the requirements of a promotion: score both versions on the same held-out rows.

The rows are those of the new version's run. Both networks run in ONNX Runtime, from the
recorded files, as they do for /predict.
"""

from __future__ import annotations

import numpy as np

from core.errors import AliasNotFound, CannotScore, RequirementNotMet
from core.lazy import pl
from core.models.repository import ModelRepository
from core.models.requirements import Requirement, parse
from core.models.scores import Numbers, as_answers, score
from core.models.signature import Signature
from core.models.tables import Version
from core.runs.maintenance import RunMaintenance
from core.runs.planning.target import class_indices
from core.runs.reporting.held_out import HeldOutRows, held_out_rows, side_of
from core.runs.repository import RunRepository
from fitserve.problems import FieldError, pointer
from fitserve.schemas.models import AliasUpdate
from service.predictor.table import Table
from service.predictor.version_resolver import ModelRef
from service.services import Services


def check(
    services: Services, wanted: ModelRef, alias: str, update: AliasUpdate
) -> str | None:
    """Score the version, and the current version of the alias if there is one.

    Returns the id of the current version, which must not change before the alias moves.
    Raises RequirementNotMet with both metrics, CannotScore, InvalidRequirement.
    """
    with services.database.read() as session:
        models = ModelRepository(session, wanted.workspace)
        candidate = models.version(wanted.model, update.version)
        current = _aliased(models, wanted.model, alias)
        run = RunRepository(session, wanted.workspace).get(candidate.run_id)
        validation = RunMaintenance(session).validation(run)
    signature = candidate.signature
    requirements = parse(update.require, signature.task)
    rows = held_out_rows(run, validation, services.storage)
    rival = current if any(r.is_relative for r in requirements) else None
    if rival is not None:
        _refuse_other_task(signature, rival.signature, rival)
    _judge(services, requirements, candidate, rival, rows)
    return current.id if current is not None else None


def _aliased(models: ModelRepository, name: str, alias: str) -> Version | None:
    try:
        return models.aliased(name, alias)
    except AliasNotFound:
        return None


def _refuse_other_task(new: Signature, old: Signature, version: Version) -> None:
    if not _predict_the_same(new, old):
        raise CannotScore(
            f"Version {version.number} predicts something else ({old.task} of "
            f"{old.target!r}), so the two cannot be scored on the same rows. "
            "Promote without `current` in `require`."
        )


def _predict_the_same(new: Signature, old: Signature) -> bool:
    """Return whether both predict one target; two classes may be in either order."""
    if (new.task, new.target) != (old.task, old.target):
        return False
    return new.classes == old.classes or _is_reversed(new, old)


def _is_reversed(new: Signature, old: Signature) -> bool:
    """Return whether both have the same two classes, but not the same positive one."""
    first, second = new.classes or [], old.classes or []
    return len(first) == 2 and first == second[::-1]


def _judge(
    services: Services,
    requirements: list[Requirement],
    candidate: Version,
    rival: Version | None,
    rows: HeldOutRows,
) -> None:
    y = _targets(candidate.signature, rows.targets())
    task, weights = candidate.signature.task, rows.weights
    new = _answers(services, candidate, rows)
    old = _answers(services, rival, rows) if rival is not None else None
    if rival is not None and old is not None:
        is_reversed = _is_reversed(candidate.signature, rival.signature)
        old = old[:, ::-1] if is_reversed else old
    errors = []
    for required in requirements:
        if required.is_relative and old is None:
            continue  # no version to compare with
        figure = score(task, required.metric, y, new, weights)
        current = None if old is None else score(task, required.metric, y, old, weights)
        if not required.holds(figure, current):
            errors.append(_error(required, candidate, figure, rival, current))
    if errors:
        side = side_of(rows.run)
        where = f"on the same {len(rows.places):,} {side} rows of {rows.run.id}"
        details = "; ".join(error.detail for error in errors)
        raise RequirementNotMet(f"The alias was not moved: {details}, {where}.", errors)


def _error(
    required: Requirement,
    candidate: Version,
    figure: float | None,
    rival: Version | None,
    current: float | None,
) -> FieldError:
    limit = "current" if required.limit is None else f"{required.limit:g}"
    detail = (
        f"{required.metric} {required.sign} {limit} is required, but version "
        f"{candidate.number} has {_shown(figure)}"
    )
    if required.is_relative and rival is not None:
        detail += f" and version {rival.number} has {_shown(current)}"
    return FieldError(pointer=pointer("require", required.key), detail=detail)


def _shown(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:.6g}"


def _answers(services: Services, version: Version, rows: HeldOutRows) -> Numbers:
    """Return values `[N]`, or probabilities `[N, classes]`."""
    served = services.predictor.find(
        ModelRef(version.workspace, version.model_name, version=version.number)
    )
    table = _table(served.signature, rows.features(served.signature), version)
    output = services.predictor.load(served).network.run(table)
    return as_answers(output, served.signature.task)


def _table(signature: Signature, frame: pl.DataFrame, version: Version) -> Table:
    """Return the rows as inputs of the version's network."""
    missing = [f.name for f in signature.features if f.name not in frame.columns]
    if missing:
        raise CannotScore(
            f"Version {version.number} needs the column(s) {missing[:10]}, which the "
            "held-out rows do not have. Promote without `current` in `require`."
        )
    numbers = [f.numbers(frame[f.name]) for f in signature.features if not f.is_text]
    texts = [
        f.texts(frame[f.name]).to_numpy().astype(object)
        for f in signature.features
        if f.is_text
    ]
    empty = np.empty((0, frame.height))
    return Table(np.stack(numbers) if numbers else empty, texts)


def _targets(signature: Signature, column: pl.Series) -> Numbers:
    """Return values, or indices of classes."""
    if signature.classes is not None:
        column = class_indices(column, signature.classes)
    values: Numbers = column.to_numpy().astype(np.float64)
    return values
