"""Score two runs on rows that both held out, if they were scored on different rows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.errors import FitserveError, NotFound
from core.models.judge import Judge, VersionToScore
from core.models.repository import ModelRepository
from core.models.tables import Version
from core.runs.reporting.comparable import differs, reason_for_other_rows
from core.runs.tables import Run
from fitserve.schemas.comparison import CommonFigures

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pair:
    """Two runs with versions, whose main figures are on different rows.

    Args:
        versions: the versions, in the order of the runs.
        metric: the main metric of both.
        reason: why the rows differ, as a clause.

    """

    versions: tuple[VersionToScore, VersionToScore]
    metric: str
    reason: str

    @classmethod
    def of(
        cls, session: Session, models: ModelRepository, runs: Sequence[Run]
    ) -> Pair | None:
        """Return the pair; None if the runs are not two, or need no other figures."""
        reason = reason_for_other_rows(runs) if len(runs) == 2 else None
        if reason is None or differs(runs, lambda run: (run.target, run.task)):
            return None
        try:
            first, second = (_version(models, run) for run in runs)
            metric = _metric(first)
            if metric is None or metric != _metric(second):
                return None
            new = VersionToScore.of(session, second)
            return cls((VersionToScore.of(session, first), new), metric, reason)
        except NotFound:  # a version or its file was deleted, or there never was one
            return None

    def figures(self, judge: Judge) -> CommonFigures | None:
        """Return the figures; None if the runs share no rows, or the rows were deleted.

        With too few rows, the figures have no interval.
        """
        first, second = self.versions
        is_reversed = _rank(first.run) > _rank(second.run)
        candidate, rival = (first, second) if is_reversed else (second, first)
        try:
            both = judge.both(candidate, rival)
        except FitserveError as error:
            log.info(
                "no common rows of %s and %s: %s", first.run.id, second.run.id, error
            )
            return None
        interval = both.difference(self.metric)
        values = [scored.figure(self.metric) for scored in (both.old, both.new)]
        bounds = None if interval is None else list(interval)
        if is_reversed:
            values.reverse()
            bounds = bounds and [-bound for bound in bounds[::-1]]
        return CommonFigures(
            metric=self.metric,
            side=both.rows.side,
            num_rows=len(both.rows.places),
            values=values,
            low=bounds[0] if bounds else None,
            high=bounds[1] if bounds else None,
        )


def _rank(run: Run) -> tuple[object, ...]:
    """Return a sort key, so that the order of two runs in a request does not matter.

    The run with the longer dataset is the last, or the newer one of two equal lengths;
    its held-out rows are scored.
    """
    return run.dataset.num_rows, run.created_at, run.id


def _metric(version: Version) -> str | None:
    return None if version.main_figure is None else version.main_figure.metric


def _version(models: ModelRepository, run: Run) -> Version:
    """Return the version that a run trained; raise NotFound."""
    return models.version(run.model_name, run.model_version or 0)
