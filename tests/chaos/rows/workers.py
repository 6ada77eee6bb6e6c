"""Rows 1 to 7 and 12: what befalls workers."""

import random
import resource
import signal
import time

from core.runs.tables import Run
from tests.chaos.client import Client
from tests.chaos.cluster import House, until
from tests.chaos.registry import longest, row


def at_epoch(house: House, run_id: str, epoch: int = 2) -> None:
    """Until so many are written."""
    until(lambda: house.client.epochs(run_id) >= epoch)


def taken_up(house: House, run_id: str, attempt: int = 2) -> None:
    """Until another attempt has the run."""
    until(lambda: house.client.read(run_id)["attempt"] >= attempt)


def succeeded(house: House, run_id: str) -> None:
    """It ends well, or that is told."""
    run = house.client.ended(run_id)
    if run["status"] != "succeeded":
        house.ledger.say(f"{run_id} is {run['status']}: {run['error']}")


@row(1, "SIGKILL on a worker", gate=20, full=300)
def kill_worker(house: House, times: int, choice: random.Random) -> str:
    """With its child, or leaving that behind; another worker takes the run up."""
    took = []
    for number in range(times):
        run_id = house.client.post(choice.randrange(9000), 30)
        at_epoch(house, run_id)
        time.sleep(choice.uniform(0, 0.8))
        worker = house.holder(run_id)
        if number % 4 == 3:
            worker.kill_alone()
        else:
            worker.kill()
            began = time.monotonic()
            taken_up(house, run_id)
            took.append(time.monotonic() - began)
        worker.start()
        succeeded(house, run_id)
    return f"0 lost; taken up within {longest(took)}"


@row(2, "SIGKILL on a child alone", gate=20, full=300, workers=1)
def kill_child(house: House, times: int, choice: random.Random) -> str:
    """The worker lives, and another child of it goes on."""
    took, worker = [], house.workers[0]
    for _ in range(times):
        run_id = house.client.post(choice.randrange(9000), 30)
        at_epoch(house, run_id)
        time.sleep(choice.uniform(0, 0.8))
        worker.child().kill()
        began = time.monotonic()
        taken_up(house, run_id)
        took.append(time.monotonic() - began)
        succeeded(house, run_id)
    if not worker.is_alive:
        house.ledger.say("the worker died with its child")
    return f"0 lost; taken up within {longest(took)}; the worker lived"


@row(3, "A run that kills its process", gate=10, full=50)
def poison(house: House, times: int, choice: random.Random) -> str:
    """Three attempts, then failed with a sentence; others run on meanwhile."""
    for _ in range(times):
        bad = house.client.post(choice.randrange(9000), 6, fault="die")
        succeeded(house, house.client.post(choice.randrange(9000), 6))
        run = house.client.ended(bad)
        told = run["error"] and run["error"]["type"]
        if (run["status"], run["attempt"], told) != (
            "failed",
            3,
            "/problems/worker-lost",
        ):
            house.ledger.say(f"{bad}: {run['status']}, {run['attempt']}, {told}")
    return "3 attempts each; others ran on"


@row(4, "Memory runs out in a fit", gate=20, full=100, workers=1)
def out_of_memory(house: House, times: int, choice: random.Random) -> str:
    """Told by Python, by a name of TensorFlow's, by the kernel: the child lives."""
    child = house.workers[0].child()
    for number in range(times):
        fault = ("memory", "exhausted", "allocate")[number % 3]
        room = child.memory_info().vms + 256 * 2**20
        child.rlimit(resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
        run = house.client.ended(house.client.post(1, 6, fault=fault))
        told = run["error"] and run["error"]["type"]
        if (told, run["attempt"]) != ("/problems/out-of-memory", 1):
            house.ledger.say(f"{fault}: {told}, attempt {run['attempt']}")
    succeeded(house, house.client.post(1, 6))
    if house.workers[0].child().pid != child.pid:
        house.ledger.say("the child died")
    return "0 deaths"


@row(5, "The kernel kills a child for memory (SIGKILL)", gate=5, full=20, workers=1)
def killed_for_memory(house: House, times: int, choice: random.Random) -> str:
    """From outside, as often as it may be tried: failed, and the reason is told."""
    for _ in range(times):
        run_id = house.client.post(choice.randrange(9000), 400)
        for attempt in (1, 2, 3):
            taken_up(house, run_id, attempt)
            until(lambda i=run_id: house._holder(i)).child().kill()
        run = house.client.ended(run_id)
        told = run["error"] and run["error"]["type"]
        if (told, run["attempt"]) != ("/problems/worker-lost", 3):
            house.ledger.say(f"{run_id}: {run['status']}, {told}")
    return "3 attempts each, then worker-lost"


@row(6, "Native code hangs", gate=3, full=50, workers=1)
def hang(house: House, times: int, _: random.Random) -> str:
    """failed by its time limit, soon; the worker trains the next run."""
    late = []
    for _ in range(times):
        run_id = _post_limited(house.client, 2)
        at_epoch(house, run_id)
        began = time.monotonic()
        run = house.client.ended(run_id)
        late.append(time.monotonic() - began - 2)
        if (run["status"], run["stop_reason"]) != ("failed", "time_limit"):
            house.ledger.say(f"{run_id}: {run['status']}, {run['stop_reason']}")
        succeeded(house, house.client.post(2, 6))
    if max(late) > 10:
        house.ledger.say(f"{max(late):.1f} s behind the limit")
    return f"at most {longest(late)} behind the limit"


def _post_limited(client: Client, seconds: float) -> str:
    from tests.chaos.client import spec

    body = spec(1, 50, fault="hang")
    body["fit"]["time_limit_seconds"] = seconds
    run = client.insist("POST", "/v1/runs", json=body).json()
    client.ledger.note_accepted(run)
    return str(run["id"])


@row(7, "Zombie: SIGSTOP beyond the lease, SIGCONT when another has ended", 20, 100)
def zombie(house: House, times: int, choice: random.Random) -> str:
    """What it writes when it wakes changes nothing."""
    woken = locked = 0
    while woken < times:
        run_id = house.client.post(choice.randrange(9000), 30)
        at_epoch(house, run_id)
        time.sleep(choice.uniform(0, 1.5))
        worker = house._holder(run_id)
        if worker is None:  # it has ended before
            continue
        worker.signal_all(signal.SIGSTOP)
        try:
            _until_ended_or_locked(house, run_id)
        except _Locked:
            locked += 1
        else:
            woken += 1
        worker.signal_all(signal.SIGCONT)
        time.sleep(0.5)
        house.client.read(run_id)
    told = f", {locked} more froze with SQLite's lock" if locked else ""
    return f"{woken} zombies, 0 late writes accepted{told}"


class _Locked(Exception):
    """A worker froze in a write, and SQLite has one writer: nobody goes on."""


def _until_ended_or_locked(house: House, run_id: str) -> None:
    """By another worker; PostgreSQL ends what a frozen one has begun after 60 s."""
    if house.is_locked():
        raise _Locked
    try:
        house.client.ended(run_id, 30)
    except TimeoutError:
        if house.is_locked():  # it took the lock with its last breath
            raise _Locked from None
        house.client.ended(run_id, 120)


@row(12, "SIGTERM on a worker", gate=20, full=50, workers=1)
def stop_worker(house: House, times: int, choice: random.Random) -> str:
    """It hands its run back, which does not count as an attempt."""
    took, worker = [], house.workers[0]
    for _ in range(times):
        run_id = house.client.post(choice.randrange(9000), 30)
        at_epoch(house, run_id)
        time.sleep(choice.uniform(0, 0.8))
        took.append(worker.terminate())
        with house.database.read() as session:
            run = session.get_one(Run, run_id)
            if (run.status, run.attempt - run.handed_back) != ("queued", 0):
                house.ledger.say(f"{run_id} is {run.status}, not handed back")
        worker.start()
        succeeded(house, run_id)
    if max(took) > 20:
        house.ledger.say(f"an exit took {max(took):.1f} s")
    return f"exit within {longest(took)}; 0 counted"
