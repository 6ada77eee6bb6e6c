"""The release before and this one run beside each other on one database.

`pytest -s` prints the steps.
"""

import os
import re
import time

import pytest

from core.database.sessions import Database
from core.runs.tables import Run
from tests import s3
from tests.e2e_service import ROOT
from tests.live import free_port
from tests.servers import new_postgres_database, redis_of
from tests.timing import until
from tests.upgrade.api import Api
from tests.upgrade.release import CHECKOUT, NoHistory, release_before

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
MIGRATION = "0021"
"""The first migration that the release before does not have."""
TABLE = ROOT / "examples" / "data" / "diabetes.csv"
_LONG_SECONDS = 200
_SHORT = {
    "FITSERVE_RUNS__LEASE_SECONDS": "10",
    "FITSERVE_RUNS__HEARTBEAT_SECONDS": "1",
    "FITSERVE_RUNS__JANITOR_SECONDS": "1",
    "FITSERVE_RUNS__REQUEUE_AFTER_SECONDS": "2",
    "FITSERVE_RUNS__CHECKPOINT_SECONDS": "1",
    "FITSERVE_REPORT__BASELINES": "false",
    "FITSERVE_LIMITS__MAX_INLINE_BYTES": "1000",  # a worker reads every upload
    "FITSERVE_LIMITS__MAX_EPOCHS": "1000000",
    "FITSERVE_LIMITS__MAX_STEPS": "1000000000",
}


class Upgrade:
    """The services that both releases share, and their processes."""

    def __init__(self, folder, broker_url):
        self.folder = folder
        self.database_url = new_postgres_database()
        server = s3.rclone()
        self._shared = {
            **_SHORT,
            **s3.environment(server.endpoint),
            "FITSERVE_DATABASE_URL": self.database_url,
            "FITSERVE_BROKER_URL": broker_url,
            "FITSERVE_STORAGE_URL": f"s3://{s3.BUCKET}/{folder.name}-{os.getpid()}",
        }
        self.processes = []
        self.apis = []

    def migrate(self, release):
        """Apply the migrations of a release."""
        command = ("-m", "core.database.migrate")
        home = str(self.folder / "migration")
        release.run(*command, **{**self._shared, "FITSERVE_HOME": home})

    def start_api(self, release, name):
        port = free_port()
        process = self._start(release, "service", name, FITSERVE_PORT=str(port))
        self.apis.append(Api(f"http://127.0.0.1:{port}"))
        return process, self.apis[-1]

    def start_worker(self, release, name, **given):
        return self._start(release, "workers", name, **given)

    def _start(self, release, module, name, **given):
        home = {"FITSERVE_HOME": str(self.folder / name)}
        log = self.folder / f"{name}.log"
        process = release.start(module, {**self._shared, **home, **given}, log)
        self.processes.append(process)
        return process

    def counted_attempts(self):
        """Return the number of attempts of each run, without those handed back."""
        database = Database(self.database_url)
        with database.read() as session:
            runs = session.query(Run).all()
            found = {run.id: run.attempt - run.handed_back for run in runs}
        database.close()
        return found

    def close(self):
        for api in self.apis:
            api.close()
        for process in self.processes:
            if process.is_alive:
                process.kill()


@pytest.fixture
def release(tmp_path):
    try:
        exported = release_before(MIGRATION, tmp_path)
    except NoHistory as error:
        pytest.skip(str(error))
    assert exported.revision < MIGRATION <= CHECKOUT.revision
    for one in (exported, CHECKOUT):
        origins = one.origins()
        assert all(path.is_relative_to(one.folder) for path in origins), origins
    return exported


@pytest.fixture
def upgrade(tmp_path):
    with redis_of(tmp_path / "broker") as broker_url:
        found = Upgrade(tmp_path, broker_url)
        try:
            yield found
        finally:
            found.close()


@pytest.mark.timeout(600)
def test_runs_move_from_the_release_before_to_this_one(upgrade, release, steps):
    """No run is lost, no attempt is counted twice, and predictions stay the same."""
    old_process, old = _start_the_release_before(upgrade, release)
    first, predictions = _serve_a_model(old)
    answers = old.reads(first)
    what = f"the release before (revision {release.revision})"
    steps(f"{what} has trained a model, and answers {len(answers)} routes to read")
    began = time.monotonic()
    runs = _post_runs(old)
    steps("two runs train on the old worker, three are queued")
    _migrate_beside(upgrade, old, runs, steps)
    _check_reads(old, first, answers)
    steps(f"the old API answers {len(answers)} routes as before")
    assert old.predict(TABLE) == predictions
    runs["later"] = _post_everything(old, first, runs["cancelled"])
    steps("the old API stores what is posted, and predicts as before")
    _, new = upgrade.start_api(CHECKOUT, "new-api")
    _end_runs_on_both_apis(old, new, runs)
    steps("the old worker ended its runs, and one that the new API accepted")
    _move_a_run(upgrade, old, runs["moved"], began + 0.8 * _LONG_SECONDS, steps)
    histories = {run_id: old.history(run_id) for run_id in _ended(old)}
    assert old.predict(TABLE) == new.predict(TABLE) == predictions
    old_process.terminate()
    steps("the old API has stopped; until then it answered as the new one")
    _check_all(upgrade, new, {"first": first, **runs})
    assert {run_id: new.history(run_id) for run_id in histories} == histories
    assert new.predict(TABLE) == predictions
    assert [part.log_text() for part in upgrade.processes if part.has_failed()] == []
    steps(f"{len(runs)} runs succeeded in one counted attempt each; nothing has changed")


def _start_the_release_before(upgrade, release):
    upgrade.migrate(release)
    process, old = upgrade.start_api(release, "old-api")
    processes = {"FITSERVE_WORKER_PROCESSES": "2"}
    upgrade.old_worker = upgrade.start_worker(release, "old-worker", **processes)
    until(lambda: old.is_ready("database", "migrations", "workers"), 120)
    return process, old


def _post_runs(old):
    """Post two long runs, until they train, and others, which wait. Return the ids."""
    long = {"epochs": 1_000_000, "batch_size": 1}  # they end by time
    runs = {"moved": old.post("moved", **long, time_limit_seconds=_LONG_SECONDS)}
    runs["short"] = old.post("short", **long, time_limit_seconds=25)
    for name in ("queued1", "queued2", "cancelled"):
        runs[name] = old.post(name)
    for name in ("moved", "short"):
        old.until_epoch(runs[name], 5)
    assert old.run(runs["cancelled"])["status"] == "queued"
    return runs


def _migrate_beside(upgrade, old, runs, steps):
    """Apply the migrations of this release while the release before works."""
    before = old.epoch(runs["moved"])
    upgrade.migrate(CHECKOUT)
    epoch = old.epoch(runs["moved"])
    assert old.run(runs["moved"])["status"] == "running"
    steps(f"the database is migrated, while a run trains the epochs {before} to {epoch}")
    until(lambda: not old.is_ready("migrations"))  # it notices the newer database
    old.until_epoch(runs["moved"], epoch + 5)


def _end_runs_on_both_apis(old, new, runs):
    """Let the old worker end its runs, and one that the new API accepts."""
    until(lambda: new.is_ready("database", "migrations", "workers"), 60)
    runs["by_new"] = new.post("by-new")
    for name in ("short", "queued1", "queued2", "later", "by_new"):
        assert old.until_ended(runs[name])["status"] == "succeeded", name


def _move_a_run(upgrade, old, run_id, latest, steps):
    """Stop the old worker in the middle of a run, which the new worker continues.

    On a slow machine, the new worker may still be starting at the latest time to stop.
    """
    new_worker = upgrade.start_worker(CHECKOUT, "new-worker")
    until(lambda: new_worker.child_pids() or time.monotonic() > latest, _LONG_SECONDS)
    before = old.history(run_id)
    assert old.run(run_id)["status"] == "running", "the run ended too early"
    seconds = upgrade.old_worker.terminate()
    assert upgrade.old_worker.process.returncode == 0
    steps(
        f"the old worker stopped in {seconds:.1f} s, after {before['epoch'][-1]} epochs"
    )
    resumed = re.compile(rf"{run_id}: resumed at epoch (\d+)")
    until(lambda: resumed.search(new_worker.log_text()), 150)
    epoch = int(resumed.search(new_worker.log_text())[1])
    assert epoch >= before["epoch"][-1]
    old.until_epoch(run_id, epoch + 5)
    after, count = old.history(run_id), len(before["epoch"])
    assert after["epoch"] == list(range(1, len(after["epoch"]) + 1))
    assert after["history"]["loss"][:count] == before["history"]["loss"]
    steps(f"the new worker continues after epoch {epoch}, and the old API shows it")


def _check_all(upgrade, new, runs):
    """Check that every run has ended well, with one counted attempt and each epoch once."""
    ended = {name: new.until_ended(run_id) for name, run_id in runs.items()}
    assert ended.pop("cancelled")["status"] == "cancelled"
    for name, run in ended.items():
        assert run["status"] == "succeeded", (name, run["error"])
        epochs = list(range(1, run["progress"]["epoch"] + 1))
        assert new.history(run["id"])["epoch"] == epochs, name
    assert {run["id"] for run in _all_runs(new)} == set(runs.values())
    counted = upgrade.counted_attempts()
    assert counted.pop(runs["cancelled"]) == 0
    assert set(counted.values()) == {1}


def _serve_a_model(api):
    """Train and serve a model; return the id of its run, and predictions."""
    given = {"params": {"name": "diabetes"}, "content": TABLE.read_bytes()}
    api.ask("POST", "/v1/datasets", 201, **given)
    until(lambda: api.ask("GET", "/v1/datasets/diabetes")["status"] == "ready")
    run_id = api.post("served")
    assert api.until_ended(run_id)["status"] == "succeeded"
    api.ask("PUT", "/v1/models/served/aliases/live", json={"version": 1})
    return run_id, api.predict(TABLE)


def _check_reads(api, run_id, answers):
    """Check that answers are as before; lists of runs and models may have grown."""
    now = api.reads(run_id)
    assert now.keys() == answers.keys()
    assert max(status for status, _ in now.values()) < 500
    changed = {path for path in now if now[path] != answers[path]}
    lists = {"/v1/runs", "/v1/models", "/v1/fine_tuning/jobs", "/v2/models"}
    assert changed <= lists, changed


def _post_everything(api, run_id, queued):
    """Send one request of each kind that writes; return the id of a new run."""
    api.ask("POST", f"/v1/runs/{queued}/cancel", 202)
    assert api.run(queued)["status"] == "cancelled"
    api.ask("PATCH", f"/v1/runs/{run_id}", json={"notes": "before the upgrade"})
    rows = TABLE.read_text().splitlines()
    content = "\n".join([rows[0], *rows[1:9]])
    api.ask("POST", "/v1/datasets", 201, params={"name": "later"}, content=content)
    api.ask("POST", "/v1/datasets/diabetes/rows", 201, content=content)
    api.ask("PUT", "/v1/models/served/aliases/later", json={"version": 1})
    return api.post("later")


def _ended(api):
    return [run["id"] for run in _all_runs(api) if run["status"] == "succeeded"]


def _all_runs(api):
    return api.ask("GET", "/v1/runs?limit=200")["items"]
