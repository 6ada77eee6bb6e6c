"""A state machine of runs: random events, compared with a model of the expected rows.

The code under test is RunService, Lease, ModelRepository and Janitor. To let time pass,
a lease's end is moved into the past, so that nothing waits.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from sqlalchemy import delete, select, update

from core.keys.caller import LOCAL
from core.models.repository import ModelRepository
from core.models.tables import Alias, Model, ModelChange, Version
from core.runs.leases import EpochRow, Lease, LeaseLost, SavedCheckpoint
from core.runs.tables import Checkpoint, Epoch, Run
from fitserve.enums import RunStatus, StopReason
from fitserve.problem_types import ProblemType
from fitserve.specs.run import RunCreate
from tests.core.runs.rows import small_signature

MAX_ATTEMPTS = 3
HOUR = 3_600.0
CSV = "x,y\n" + "".join(f"{i},{3 * i + 1}\n" for i in range(40))
CREATE = RunCreate(dataset="table", target="y", model_name="m")


@dataclass
class Expected:
    """The expected database row of one run."""

    status: str = "queued"
    attempt: int = 0
    handed_back: int = 0
    is_cancel_requested: bool = False
    is_expired: bool = False
    is_unsent: bool = False
    num_epochs: int = 0
    saved: int = 0
    num_versions: int = 0
    ended: tuple[object, ...] = field(default=())
    """The whole row since the run ended."""

    def is_held_by(self, lease: Lease) -> bool:
        return self.status == "running" and self.attempt == lease.attempt

    def is_over(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")


class RunMachine(RuleBasedStateMachine):
    """Runs under random events; old leases are kept, so that replaced workers write too."""

    bench = None
    """The test sets it. Its janitor sleeps, and the rule `sweep` calls it."""

    runs = Bundle("runs")
    leases = Bundle("leases")

    def __init__(self):
        super().__init__()
        self.services = self.bench.client.app.state.services
        self.database = self.bench.database
        self.expected: dict[str, Expected] = {}

    # -- users

    @rule(target=runs)
    def create(self):
        with self.database.write() as session:
            runs = self.services.runs
            resolved = runs.prepare(session, LOCAL, CREATE)
            run_id = runs.create(session, LOCAL, resolved).id
        self.expected[run_id] = Expected()
        return run_id

    @rule(run_id=runs)
    def cancel(self, run_id):
        expected = self.expected[run_id]
        with self.database.write() as session:
            self.services.runs.cancel(session, "default", run_id)
        if expected.status == "queued":
            expected.status = "cancelled"
        elif expected.status == "running":
            expected.is_cancel_requested = True

    # -- workers

    @rule(target=leases, run_id=runs)
    def claim(self, run_id):
        """Claim a run, as a worker does for a first or repeated message."""
        expected = self.expected[run_id]
        lease = Lease.claim(self.database, run_id, "worker", HOUR)
        assert (lease is not None) == (expected.status == "queued")
        if lease is None:
            return multiple()
        expected.status = "running"
        expected.attempt += 1
        expected.is_expired = False
        expected.num_epochs = expected.saved
        assert lease.attempt == expected.attempt
        assert (lease.checkpoint.epoch if lease.checkpoint else 0) == expected.saved
        return lease

    @rule(lease=leases)
    def beat(self, lease):
        if self._writes(lease, lease.renew):
            self.expected[lease.run_id].is_expired = False

    @rule(lease=leases)
    def ask_for_a_cancel(self, lease):
        answers = []
        if self._writes(lease, lambda: answers.append(lease.cancel_requested())):
            assert answers == [self.expected[lease.run_id].is_cancel_requested]

    @rule(lease=leases, count=st.integers(1, 3), is_saved=st.booleans())
    def record(self, lease, count, is_saved):
        expected = self.expected[lease.run_id]
        rows = self._next_rows(expected, count)
        saved = SavedCheckpoint(rows[-1].epoch, 0.1, "key", "0" * 64, 1)
        if self._writes(lease, lambda: lease.record(rows, saved if is_saved else None)):
            expected.num_epochs += count
            if is_saved:
                expected.saved = expected.num_epochs
                expected.is_expired = False

    @rule(lease=leases)
    def find_the_checkpoint_useless(self, lease):
        if self._writes(lease, lambda: lease.start_anew("no")):
            expected = self.expected[lease.run_id]
            expected.saved = expected.num_epochs = 0

    @rule(lease=leases, count=st.integers(0, 2))
    def hand_back(self, lease, count):
        expected = self.expected[lease.run_id]
        rows = self._next_rows(expected, count)
        if self._writes(lease, lambda: lease.give_back(rows, None)):
            expected.num_epochs += count
            expected.handed_back += 1
            expected.status, expected.is_unsent = "queued", True

    @rule(
        lease=leases,
        status=st.sampled_from([RunStatus.SUCCEEDED, RunStatus.CANCELLED]),
        count=st.integers(0, 2),
    )
    def finish(self, lease, status, count):
        """Finish a run in one transaction that also creates its version."""
        expected = self.expected[lease.run_id]
        rows = self._next_rows(expected, count)
        if self._writes(lease, lambda: self._finish(lease, status, rows)):
            expected.num_epochs += count
            expected.num_versions += 1
            expected.status = str(status)

    @rule(lease=leases)
    def fail(self, lease):
        reason = StopReason.NAN_LOSS
        error = ProblemType.NAN_LOSS.problem("the loss became NaN")
        ending = partial(lease.fail, [], None, stop_reason=reason, error=error)
        if self._writes(lease, ending):
            self.expected[lease.run_id].status = "failed"

    # -- failures and the janitor

    @rule(run_id=runs)
    def die_or_stall(self, run_id):
        """Expire the lease of a running run."""
        with self.database.write() as session:
            held = Run.status == RunStatus.RUNNING
            session.execute(
                update(Run).where(Run.id == run_id, held).values(lease_until=0)
            )
        self.expected[run_id].is_expired = True

    @rule()
    def sweep(self):
        due = set()
        for run_id, expected in self.expected.items():
            if expected.status == "running" and expected.is_expired:
                tried = expected.attempt - expected.handed_back
                is_lost = tried >= MAX_ATTEMPTS
                expected.status = "failed" if is_lost else "queued"
                expected.is_unsent = not is_lost
            if expected.status == "queued" and expected.is_unsent:
                due.add(run_id)
                expected.is_unsent = False
        assert set(self.services.janitor.sweep()) == due

    # -- invariants

    @invariant()
    def all_is_as_expected(self):
        with self.database.read() as session:
            rows = {run.id: run for run in session.scalars(select(Run))}
            epochs, versions = defaultdict(list), Counter()
            for run_id, epoch in session.execute(select(Epoch.run_id, Epoch.epoch)):
                epochs[run_id].append(epoch)
            versions.update(session.scalars(select(Version.run_id)))
        assert rows.keys() == self.expected.keys()
        for run_id, expected in self.expected.items():
            run = rows[run_id]
            found = (run.status, run.attempt, run.handed_back, run.cancel_requested)
            assert found == (
                expected.status,
                expected.attempt,
                expected.handed_back,
                expected.is_cancel_requested,
            )
            assert run.attempt - run.handed_back <= MAX_ATTEMPTS
            gapless = list(range(1, expected.num_epochs + 1))
            assert sorted(epochs[run_id]) == gapless
            assert run.epoch == expected.num_epochs
            assert versions[run_id] == expected.num_versions <= 1
            assert versions[run_id] == 1 or run.status != "succeeded"
            self._end_stays(run, expected)

    def _end_stays(self, run, expected):
        if not expected.is_over():
            assert run.ended_at is None
            return
        row = tuple(getattr(run, column.key) for column in Run.__table__.columns)
        assert run.ended_at is not None
        expected.ended = expected.ended or row
        assert row == expected.ended

    # -- helpers

    def _writes(self, lease, write) -> bool:
        """Return whether the write succeeded; only the holder's may succeed."""
        is_held = self.expected[lease.run_id].is_held_by(lease)
        try:
            write()
        except LeaseLost:
            assert not is_held
            return False
        assert is_held, "an attempt wrote to a run that it does not hold"
        return True

    def _next_rows(self, expected, count):
        first = expected.num_epochs + 1
        return [
            EpochRow(epoch, {"loss": 1.0}, 0.1) for epoch in range(first, first + count)
        ]

    def _finish(self, lease, status, rows):
        version = Version(
            model_name="m",
            run_id=lease.run_id,
            signature=small_signature(),
            metrics={},
            best_epoch=None,
            layers=[],
            is_whole=status == RunStatus.SUCCEEDED,
        )
        with self.database.write() as session:
            lease.hold_in(session)
            lease.record_in(session, rows)
            ModelRepository(session, "default").add_version(version)
            lease.finish_in(session, status, model_version=version.number)

    def teardown(self):
        """Delete all rows before the next example."""
        with self.database.write() as session:
            session.execute(update(Model).values(serving_version_id=None))
            tables = (Alias, ModelChange, Version, Model, Epoch, Checkpoint, Run)
            for table in tables:
                session.execute(delete(table))
