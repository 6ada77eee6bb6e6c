"""Rows 1 to 7 and 12: faults of workers."""

import random
import resource
import signal
import time

from core.runs.tables import Run
from tests.chaos.client import Client
from tests.chaos.cluster import Cluster, until
from tests.chaos.registry import longest, row


def at_epoch(cluster: Cluster, run_id: str, epoch: int = 2) -> None:
    """Wait until so many epochs are recorded."""
    until(lambda: cluster.client.epochs(run_id) >= epoch)


def taken_up(cluster: Cluster, run_id: str, attempt: int = 2) -> None:
    """Wait until another attempt has the run."""
    until(lambda: cluster.client.read(run_id)["attempt"] >= attempt)


def succeeded(cluster: Cluster, run_id: str) -> None:
    """Wait for the end of the run; note a violation if it did not succeed."""
    run = cluster.client.ended(run_id)
    if run["status"] != "succeeded":
        cluster.request_log.say(f"{run_id} is {run['status']}: {run['error']}")


@row(1, "SIGKILL on a worker", default=20, full=300)
def kill_worker(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Kill a worker with or without its child: another worker takes the run up."""
    took = []
    for number in range(times):
        run_id = cluster.client.post(choice.randrange(9000), 30)
        at_epoch(cluster, run_id)
        time.sleep(choice.uniform(0, 0.8))
        worker = cluster.holder(run_id)
        if number % 4 == 3:
            worker.kill_alone()
        else:
            worker.kill()
            began = time.monotonic()
            taken_up(cluster, run_id)
            took.append(time.monotonic() - began)
        worker.start()
        succeeded(cluster, run_id)
    return f"0 lost; taken up within {longest(took)}"


@row(2, "SIGKILL on a child alone", default=20, full=300, workers=1)
def kill_child(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Kill a child: the worker survives, and another child continues the run."""
    took, worker = [], cluster.workers[0]
    for _ in range(times):
        run_id = cluster.client.post(choice.randrange(9000), 30)
        at_epoch(cluster, run_id)
        time.sleep(choice.uniform(0, 0.8))
        worker.child().kill()
        began = time.monotonic()
        taken_up(cluster, run_id)
        took.append(time.monotonic() - began)
        succeeded(cluster, run_id)
    if not worker.is_alive:
        cluster.request_log.say("the worker died with its child")
    return f"0 lost; taken up within {longest(took)}; the worker lived"


@row(3, "A run that kills its process", default=10, full=50)
def poison(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Kill the process three times: the run fails with a reason; other runs continue."""
    for _ in range(times):
        bad = cluster.client.post(choice.randrange(9000), 6, fault="die")
        succeeded(cluster, cluster.client.post(choice.randrange(9000), 6))
        run = cluster.client.ended(bad)
        kind = run["error"] and run["error"]["type"]
        if (run["status"], run["attempt"], kind) != (
            "failed",
            3,
            "/problems/worker-lost",
        ):
            cluster.request_log.say(f"{bad}: {run['status']}, {run['attempt']}, {kind}")
    return "3 attempts each; others ran on"


@row(4, "Memory runs out in a fit", default=20, full=100, workers=1)
def out_of_memory(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Run out of memory in Python, in TensorFlow or in the kernel: the child survives."""
    # the first run loads what the later ones need, above all the allocator of polars,
    # which aborts the process if the limit leaves no room for it
    succeeded(cluster, cluster.client.post(1, 6))
    child = cluster.workers[0].child()
    for number in range(times):
        fault = ("memory", "exhausted", "allocate")[number % 3]
        limit = child.memory_info().vms + 256 * 2**20
        child.rlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        run = cluster.client.ended(cluster.client.post(1, 6, fault=fault))
        kind = run["error"] and run["error"]["type"]
        if (kind, run["attempt"]) != ("/problems/out-of-memory", 1):
            cluster.request_log.say(f"{fault}: {kind}, attempt {run['attempt']}")
    succeeded(cluster, cluster.client.post(1, 6))
    if cluster.workers[0].child().pid != child.pid:
        cluster.request_log.say("the child died")
    return "0 deaths"


@row(5, "The kernel kills a child for memory (SIGKILL)", default=5, full=20, workers=1)
def killed_for_memory(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Kill every attempt from outside: the run fails, and its error names the reason."""
    for _ in range(times):
        run_id = cluster.client.post(choice.randrange(9000), 400)
        for attempt in (1, 2, 3):
            taken_up(cluster, run_id, attempt)
            until(lambda i=run_id: cluster._holder(i)).child().kill()
        run = cluster.client.ended(run_id)
        kind = run["error"] and run["error"]["type"]
        if (kind, run["attempt"]) != ("/problems/worker-lost", 3):
            cluster.request_log.say(f"{run_id}: {run['status']}, {kind}")
    return "3 attempts each, then worker-lost"


@row(6, "Native code hangs", default=3, full=50, workers=1)
def hang(cluster: Cluster, times: int, _: random.Random) -> str:
    """Hang in native code: the run fails soon after its time limit; the next run trains."""
    late = []
    for _ in range(times):
        run_id = _post_limited(cluster.client, 2)
        at_epoch(cluster, run_id)
        began = time.monotonic()
        run = cluster.client.ended(run_id)
        late.append(time.monotonic() - began - 2)
        if (run["status"], run["stop_reason"]) != ("failed", "time_limit"):
            cluster.request_log.say(f"{run_id}: {run['status']}, {run['stop_reason']}")
        succeeded(cluster, cluster.client.post(2, 6))
    if max(late) > 10:
        cluster.request_log.say(f"{max(late):.1f} s after the limit")
    return f"at most {longest(late)} after the limit"


def _post_limited(client: Client, seconds: float) -> str:
    from tests.chaos.client import spec

    body = spec(1, 50, fault="hang")
    body["fit"]["time_limit_seconds"] = seconds
    run = client.insist("POST", "/v1/runs", json=body).json()
    client.request_log.note_accepted(run)
    return str(run["id"])


@row(7, "Zombie: SIGSTOP beyond the lease, SIGCONT when another has ended", 20, 100)
def zombie(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Freeze and continue a worker: its late writes change nothing."""
    woken = locked = 0
    while woken < times:
        run_id = cluster.client.post(choice.randrange(9000), 30)
        at_epoch(cluster, run_id)
        time.sleep(choice.uniform(0, 1.5))
        worker = cluster._holder(run_id)
        if worker is None:  # it ended earlier
            continue
        worker.signal_all(signal.SIGSTOP)
        try:
            _until_ended_or_locked(cluster, run_id)
        except _Locked:
            locked += 1
        else:
            woken += 1
        worker.signal_all(signal.SIGCONT)
        time.sleep(0.5)
        cluster.client.read(run_id)
    suffix = f", {locked} more froze with SQLite's lock" if locked else ""
    return f"{woken} zombies, 0 late writes accepted{suffix}"


class _Locked(Exception):
    """A worker froze during a write on SQLite, which has one writer: all writers wait."""


def _until_ended_or_locked(cluster: Cluster, run_id: str) -> None:
    """Wait until the run ends; PostgreSQL ends a frozen transaction after 60 s."""
    if cluster.is_locked():
        raise _Locked
    try:
        cluster.client.ended(run_id, 30)
    except TimeoutError:
        if cluster.is_locked():  # it took the lock immediately before it froze
            raise _Locked from None
        cluster.client.ended(run_id, 120)


@row(12, "SIGTERM on a worker", default=20, full=50, workers=1)
def stop_worker(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Stop a worker: it hands its run back, and the attempt is not counted."""
    took, worker = [], cluster.workers[0]
    for _ in range(times):
        run_id = cluster.client.post(choice.randrange(9000), 30)
        at_epoch(cluster, run_id)
        time.sleep(choice.uniform(0, 0.8))
        took.append(worker.terminate())
        with cluster.database.read() as session:
            run = session.get_one(Run, run_id)
            if (run.status, run.attempt - run.handed_back) != ("queued", 0):
                cluster.request_log.say(f"{run_id} is {run.status}, not handed back")
        worker.start()
        succeeded(cluster, run_id)
    if max(took) > 20:
        cluster.request_log.say(f"an exit took {max(took):.1f} s")
    return f"exit within {longest(took)}; 0 counted"
