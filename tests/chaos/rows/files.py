"""Rows 20 and 23: faults of the disk and of its files."""

import contextlib
import os
import random
import shutil
import time
from pathlib import Path

from tests.chaos.client import CSV, spec
from tests.chaos.cluster import Cluster
from tests.chaos.registry import row
from tests.chaos.rows.workers import succeeded
from tests.chaos.stand_in.weights import prediction

_STEP = 4 * 1024


@row(
    20,
    "The disk is full",
    default=20,
    full=200,
    workers=1,
    allowed=(503, 507),
    tmpfs="96m",
)
def full(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Fill the disk, with 4 KiB more free each time, so that another step fails.

    The steps are an upload, a run, its history, checkpoint and artifacts, and a
    database write.
    """
    failed = refused = 0
    for number in range(times):
        at_work = cluster.client.post(choice.randrange(9000), 10)
        time.sleep(choice.uniform(0, 0.6))
        _fill(cluster.home, number * _STEP)
        for answer in (
            cluster.client.ask("POST", "/v1/datasets?name=other", content=CSV * 40),
            cluster.client.ask("POST", "/v1/runs", json=spec(number, 3)),
            cluster.client.ask("GET", f"/v1/runs/{at_work}"),
        ):
            if answer is not None and answer.status_code == 202:
                cluster.request_log.note_accepted(answer.json())
            refused += answer is not None and answer.status_code in (503, 507)
        time.sleep(0.5)
        (cluster.home / "filler").unlink()
        run = cluster.client.ended(at_work, 90)
        failed += run["status"] == "failed"
        kind = run["error"] and run["error"]["type"]
        if kind not in (None, "/problems/storage-full"):
            cluster.request_log.say(f"{at_work}: {run['error']}")
    succeeded(cluster, cluster.client.post(1, 3))
    return (
        f"{refused} answers 503 or 507, {failed} runs failed by storage-full; 0 crashes"
    )


def _fill(home: Path, left: int) -> None:
    """Fill the disk except for so many bytes, while other processes write to it."""
    with (home / "filler").open("wb") as file:
        while True:
            size = shutil.disk_usage(home).free - left
            with contextlib.suppress(OSError):
                return os.posix_fallocate(file.fileno(), 0, max(size, 1))


@row(
    23,
    "A damaged artifact",
    default=100,
    full=400,
    workers=1,
    allowed=(503,),
    environment={"FITSERVE_PREDICT_CACHE_BYTES": "1"},
)
def damaged(cluster: Cluster, times: int, choice: random.Random) -> str:
    """Flip or cut off bytes: the file is refused before it is loaded; other versions serve."""
    runs = [cluster.client.post(seed, 4, model="p") for seed in (5, 6)]
    for run_id in runs:
        succeeded(cluster, run_id)
    path = next((cluster.settings.files_dir / "runs" / runs[1]).rglob("model.onnx"))
    whole, refused = path.read_bytes(), 0
    for _ in range(times):
        path.write_bytes(_damage(whole, choice))
        refused += _predict(cluster, 2) is None
        if _predict(cluster, 1) != prediction(5, 4, 1.5):
            cluster.request_log.say("the other version did not serve")
    path.write_bytes(whole)
    if refused != times or _predict(cluster, 2) != prediction(6, 4, 1.5):
        cluster.request_log.say(f"{refused} of {times} damaged files were refused")
    return f"{refused} of {times} refused; 0 crashes"


def _damage(whole: bytes, choice: random.Random) -> bytes:
    if choice.random() < 0.5:
        return whole[: choice.randrange(len(whole))]
    damaged = bytearray(whole)
    for place in choice.sample(range(len(damaged)), choice.randrange(1, 6)):
        damaged[place] ^= choice.randrange(1, 256)
    return bytes(damaged)


def _predict(cluster: Cluster, version: int) -> float | None:
    """Return the answer, or None if the artifact is refused as damaged."""
    path = f"/v1/models/p/versions/{version}/predict"
    answer = cluster.client.ask("POST", path, json={"instances": [{"x": 1.5}]})
    if answer is not None and answer.status_code == 200:
        return float(answer.json()["predictions"][0])
    kind = answer and answer.json().get("type")
    if kind != "/problems/artifact-damaged":
        cluster.request_log.say(f"version {version}: {kind}")
    return None
