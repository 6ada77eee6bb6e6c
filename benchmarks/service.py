"""Measure the default service: start, memory, idle load, and delay of a run's claim."""

import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from fitserve import Client

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "examples" / "data" / "diabetes.csv"
SPEC = {
    "dataset": "diabetes",
    "target": "progression",
    "model": {"layers": [{"type": "Output"}]},
    "fit": {"epochs": 1, "seed": 1},
}
RUNS = 15
IDLE_SECONDS = 20


@contextmanager
def service(home: str) -> Iterator[tuple[str, psutil.Process, float]]:
    """Start a service; yield its URL, its process, and the seconds until it was ready."""
    command = [str(Path(sys.executable).with_name("fitserve")), "up"]
    began = time.monotonic()
    process = subprocess.Popen(
        [*command, "--port", "0", "--home", home], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None  # noqa: S101  it is a pipe
    ready = next(line for line in process.stdout if " ready at " in line)
    try:
        yield ready.split()[-1], psutil.Process(process.pid), time.monotonic() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def api_ready_seconds(home: str) -> float:
    """Return the seconds from the API's start to its first answer, with a database."""
    with service(home) as (url, up, _):
        api = _api(up)
        api.kill()
        api.wait()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"{url}/health/ready", timeout=5)
            except httpx.TransportError:
                continue
            return time.time() - _api(up).create_time()
    raise SystemExit("the API did not restart within 60 s")


def _api(up: psutil.Process) -> psutil.Process:
    while True:
        for child in up.children():
            if "service" in child.cmdline():
                return child
        time.sleep(0.005)


def claim_milliseconds(client: Client, url: str) -> tuple[float, float]:
    """Return median ms from POST to claim on a warm worker, and of a liveness request."""
    client.runs.wait(client.runs.create(SPEC).id)
    claims, lives = [], []
    for _ in range(RUNS):
        time.sleep(1)  # the worker cleans up after a run
        began = time.monotonic()
        httpx.get(f"{url}/health/live")
        lives.append(time.monotonic() - began)
        posted = time.time()
        run = client.runs.wait(client.runs.create(SPEC).id)
        assert run.started_at is not None  # noqa: S101  it has ended
        claims.append(run.started_at.timestamp() - posted)
    return 1000 * statistics.median(claims), 1000 * statistics.median(lives)


def idle_percent(up: psutil.Process) -> float:
    """Return the share of one core that all idle processes use together."""
    before = _cpu_seconds(up)
    time.sleep(IDLE_SECONDS)
    return 100 * (_cpu_seconds(up) - before) / IDLE_SECONDS


def _cpu_seconds(up: psutil.Process) -> float:
    parts = [up, *up.children(recursive=True)]
    return sum(sum(part.cpu_times()[:2]) for part in parts)


def main() -> None:
    """Print the figures as JSON."""
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home:
        figures: dict[str, float] = {}
        with service(home) as (url, up, seconds), Client(url) as client:
            figures["up_first_start_seconds"] = seconds
            client.datasets.upload(TABLE)
            claim, live = claim_milliseconds(client, url)
            figures["post_to_claim_ms"] = claim
            figures["post_to_claim_over_liveness"] = claim / live
            figures["api_resident_mb"] = _api(up).memory_info().rss / 1e6
            time.sleep(2)
            figures["idle_percent_of_a_core"] = idle_percent(up)
        readies = [api_ready_seconds(home) for _ in range(3)]
        figures["api_ready_seconds"] = statistics.median(readies)
    print(
        json.dumps({name: round(value, 2) for name, value in figures.items()}, indent=1)
    )


if __name__ == "__main__":
    main()
