"""Make the report of a run: the figures before the run ends, the baselines after.

Both are files like every artifact: stored under a key that contains the attempt, and
ignored until the database holds their sha256 (docs/decisions/0027).
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from core.database.sessions import Database
from core.errors import FitserveError, StorageUnavailable
from core.models.repository import add_artifact, record_baseline
from core.models.tables import Artifact
from core.runs.leases import Lease, LeaseLost
from core.runs.reporting.service import BASELINES, REPORT
from core.runs.spec import ResolvedSpec
from core.settings import ReportRules
from core.storage import Storage, discard
from fitserve.main_figure import best_baseline
from fitserve.schemas.report import BestBaseline, Figures, Headline, Missing
from fitserve.specs.report import ReportSpec
from workers.hang_detector import SilenceAlarm
from workers.heartbeat import Heartbeat, RunReleased
from workers.report.baselines import Stopped, train_baselines, wanted
from workers.report.evidence import Evidence
from workers.report.measure import measure
from workers.training.saving.artifacts import save_json
from workers.training.train import Trained

log = logging.getLogger(__name__)

_GRACE_SECONDS = 60.0
"""How long baselines may exceed their time limit before the kernel ends the process."""


@dataclass(frozen=True)
class Report:
    """The figures of a network, their file, and the rows that baselines need."""

    figures: Figures
    artifact: Artifact
    evidence: Evidence
    spec: ReportSpec

    @property
    def headline(self) -> Headline | None:
        """Return the figures that lists of versions show."""
        split = self.figures.held_out
        if split is None:
            return None
        return Headline(
            side=split.side, num_rows=split.num_rows, metrics=self.figures.metrics
        )


@dataclass(frozen=True)
class Reporter:
    """The settings and services that every report needs."""

    rules: ReportRules
    storage: Storage
    is_stopping: Callable[[], bool]
    keep_alive: SilenceAlarm

    def report(
        self,
        trained: Trained,
        spec: ResolvedSpec,
        lease: Lease,
        heartbeat: Heartbeat,
    ) -> Report | None:
        """Return the report without baselines, or None if it fails. The run continues."""
        began, wishes = time.monotonic(), spec.report
        try:
            fit_seconds = heartbeat.fit_seconds()
            evidence = Evidence.of(trained, spec)
            figures = measure(evidence, wishes, heartbeat, fit_seconds)
            if reason := self._reason_against_baselines(figures, wishes, heartbeat):
                figures.missing.append(Missing(part=BASELINES, reason=reason))
            figures.report_seconds = time.monotonic() - began
            saved = save_json(REPORT, figures, self.storage, lease.run_id, lease.attempt)
        except (LeaseLost, RunReleased, StorageUnavailable):
            raise
        except Exception:  # the network is trained: it must not be lost
            log.exception("run %s: the report could not be made", lease.run_id)
            return None
        return Report(figures, saved, evidence, wishes)

    def _reason_against_baselines(
        self, figures: Figures, spec: ReportSpec, heartbeat: Heartbeat
    ) -> str | None:
        if not wanted(spec):
            return "the spec asks for no baselines (`report.baselines`)"
        if not self.rules.baselines:
            return "this service trains no baselines (`FITSERVE_REPORT__BASELINES`)"
        if figures.held_out is None:
            return "no rows were held out to score the baselines on"
        if heartbeat.cancelled.is_set() or self.is_stopping():
            return "the run was being stopped"
        return None

    def add_baselines(
        self, database: Database, report: Report, version_id: str, lease: Lease
    ) -> None:
        """Train baselines and add their file to a version, which is already served."""
        held_out = report.evidence.held_out
        if held_out is None or any(m.part == BASELINES for m in report.figures.missing):
            return
        seconds = self.rules.seconds(report.spec)
        self.keep_alive(seconds + _GRACE_SECONDS)
        try:
            figures = train_baselines(
                report.evidence,
                held_out,
                wanted(report.spec),
                seconds,
                self.is_stopping,
            )
            saved = save_json(
                BASELINES, figures, self.storage, lease.run_id, lease.attempt
            )
            best = best_baseline(report.figures.main_figure, figures.results)
            _add(database, saved, best, version_id, self.storage)
        except Stopped:
            log.info("run %s: no baselines, because the worker stops", lease.run_id)
        except (OSError, FitserveError, SQLAlchemyError, MemoryError):
            # the API then reports the baselines as lost
            log.exception("run %s: the baselines could not be made", lease.run_id)
        finally:
            self.keep_alive(0.0)


def _add(
    database: Database,
    artifact: Artifact,
    best: BestBaseline | None,
    version_id: str,
    storage: Storage,
) -> None:
    """Record the file and the best baseline, or delete the file if that fails."""
    artifact.version_id = version_id
    try:
        with database.write() as session:
            add_artifact(session, artifact)
            if best is not None:
                record_baseline(session, version_id, best)
    except SQLAlchemyError:
        discard(storage, [artifact.key])
        raise
