"""Cause random faults under load, and run the checker at intervals and at the end."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from core.queue import TRAIN, Queue, make_celery
from core.queue_names import RUNS
from tests.chaos.checker import violations
from tests.chaos.cluster import Cluster, Restarter, cluster
from tests.chaos.profiles import Profile
from tests.chaos.rows.queue import UNREADABLE

CHECK_SECONDS = 180.0
_PAUSE = (3.0, 9.0)
"""Seconds between two faults, in which ended processes can restart."""
ALLOWED = (503,)
"""Statuses while the database is unavailable."""


class Soak:
    """Faults and load on one cluster, both determined by one seed."""

    def __init__(self, built: Cluster, seed: int) -> None:
        self.cluster = built
        self.faults: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._choice = random.Random(seed)
        self._load = random.Random(seed + 1)
        self._pause = threading.Event()
        self._over = threading.Event()

    def run(self, minutes: float) -> None:
        """Run until the time is up; collect violations in `wrong`."""
        end = time.monotonic() + 60 * minutes
        thread = threading.Thread(target=self._ask_always, daemon=True)
        thread.start()
        next_check = time.monotonic() + CHECK_SECONDS
        with Restarter(self.cluster):
            while time.monotonic() < end and not self.wrong:
                time.sleep(self._choice.uniform(*_PAUSE))
                self._one_fault()
                if time.monotonic() > next_check:
                    self._check()
                    next_check = time.monotonic() + CHECK_SECONDS
            self._over.set()
            thread.join(120)
            self._check()

    def _check(self) -> None:
        """Stop the load and check the cluster."""
        self._pause.set()
        time.sleep(3.0)
        self.wrong += violations(self.cluster, deadline=180.0, allowed=ALLOWED)
        request_log = self.cluster.request_log
        counts = f"{sum(self.faults.values())} faults, {len(request_log.accepted)} runs"
        print(
            f"{time.strftime('%H:%M:%S')} {counts}, {len(self.wrong)} violations",
            flush=True,
        )
        for sentence in self.wrong:
            print(f"    {sentence}", flush=True)
        self._pause.clear()

    def _one_fault(self) -> None:
        fault = self._choice.choice(self._known())
        self.faults[fault.__name__.strip("_")] += 1
        fault()

    def _known(self) -> list[Callable[[], None]]:
        known = [
            self._kill_worker,
            self._kill_child,
            self._stop_worker,
            self._freeze_worker,
            self._kill_api,
            self._kill_before_sending,
            self._wipe_broker,
            self._kill_broker,
            self._double,
            self._send_unreadable,
            self._poison,
        ]
        return known if self.cluster.profile.is_sqlite else [*known, self._crash_database]

    def _worker(self):
        return self._choice.choice(self.cluster.workers)

    def _kill_worker(self) -> None:
        self._worker().kill()

    def _kill_child(self) -> None:
        for child in self._worker()._children():
            child.kill()

    def _stop_worker(self) -> None:
        self._worker().process.terminate()

    def _freeze_worker(self) -> None:
        worker = self._worker()
        worker.signal_all(signal.SIGSTOP)
        time.sleep(self._choice.uniform(1.0, 6.0))
        worker.signal_all(signal.SIGCONT)

    def _kill_api(self) -> None:
        self._choice.choice(self.cluster.apis).kill()

    def _kill_before_sending(self) -> None:
        folder = self.cluster.home / "failpoints"
        folder.mkdir(exist_ok=True)
        (folder / "send").touch()

    def _wipe_broker(self) -> None:
        self.cluster.broker.client.flushall()

    def _kill_broker(self) -> None:
        self.cluster.broker.kill()
        time.sleep(self._choice.uniform(0, 3))
        self.cluster.broker.start()

    def _double(self) -> None:
        queue = Queue(make_celery(self.cluster.settings))
        known = list(self.cluster.request_log.accepted)
        for run_id in self._choice.sample(known, min(20, len(known))):
            queue.send(TRAIN, run_id)

    def _send_unreadable(self) -> None:
        for message in UNREADABLE:
            self.cluster.broker.client.lpush(RUNS, message)

    def _poison(self) -> None:
        self.cluster.client.post(self._choice.randrange(9000), 5, fault="die")

    def _crash_database(self) -> None:
        self.cluster.profile.server.kill()
        time.sleep(self._choice.uniform(0, 3))
        self.cluster.profile.server.start()

    def _ask_always(self) -> None:
        """Send about four requests per second: runs, uploads, predictions and cancels."""
        client, number, ids = self.cluster.client, 0, []
        while not self._over.wait(0.25):
            if self._pause.is_set():
                continue
            number += 1
            if number % 8 == 0:
                epochs = self._load.randrange(2, 25)
                ids.append(client.post(self._load.randrange(9000), epochs))
            elif number % 40 == 1:
                client.upload(f"other-{number}")
            elif number % 40 == 5 and ids:
                client.cancel(self._load.choice(ids[-5:]))
            elif ids:
                client.predict({}, "m", self._load.random())
                client.read(self._load.choice(ids[-30:]))


def soak(where: Profile, folder: Path, minutes: float, seed: int) -> list[str]:
    """Return the violations; print faults and answers."""
    with cluster(where, folder / "soak", apis=2, workers=2) as built:
        one = Soak(built, seed)
        one.run(minutes)
        print(f"{where.name}: {sum(one.faults.values())} faults {dict(one.faults)}")
        print(f"answers {dict(built.request_log.answers)}", flush=True)
        return one.wrong
