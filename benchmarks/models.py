"""Measure many models: memory of the API with ten, a hundred over a cache of twenty.

A thousand models are stored: copies of one trained network, each with a separate file.
"""

import json
import os
import secrets
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import psutil
from sqlalchemy import select

from benchmarks.predict import MODEL, train
from benchmarks.requests import FEATURES, features
from benchmarks.service import service
from core.database.base import new_id
from core.database.sessions import Database
from core.models.network import ModelFile
from core.models.repository import ModelRepository
from core.models.tables import Artifact, Version
from core.runs.tables import Run
from fitserve import Client

STORED, USED, CACHED = 1000, 100, 20
TURNS = int(os.environ.get("TURNS", "13"))
WARM_TURNS = 3
IDLE_SECONDS = 20
ROW = dict(zip(FEATURES, features(1)[0].tolist(), strict=True))


def store_copies(home: Path, count: int) -> int:
    """Copy the trained model under new names; return the size of its file."""
    database = Database(f"sqlite:///{home / 'fitserve.db'}")
    with database.write() as session:
        models = ModelRepository(session, "default")
        first = models.version(MODEL, 1)
        onnx = first.artifact("model.onnx")
        assert onnx is not None  # noqa: S101  it was trained
        run = session.scalars(select(Run).where(Run.id == first.run_id)).one()
        for i in range(count):
            columns = {c.key: getattr(run, c.key) for c in Run.__table__.columns}
            twin = Run(**columns | {"id": new_id("run")})
            session.add(twin)
            session.flush()
            key = f"runs/{twin.id}/{secrets.token_hex(4)}/model.onnx"
            (home / "files" / key).parent.mkdir(parents=True)
            shutil.copy(home / "files" / onnx.key, home / "files" / key)
            artifact = Artifact(
                name=onnx.name, key=key, sha256=onnx.sha256, num_bytes=onnx.num_bytes
            )
            columns = {
                c.key: getattr(first, c.key)
                for c in Version.__table__.columns
                if c.key not in ("id", "number")
            }
            own = {"model_name": f"copy-{i}", "run_id": twin.id, "artifacts": [artifact]}
            models.add_version(Version(**columns | own))
    database.close()
    return onnx.num_bytes


def ask(client: httpx.Client, name: str) -> float:
    """Return the milliseconds of one request."""
    began = time.perf_counter()
    answer = client.post(f"/v1/models/{name}/predict", json={"instances": [ROW]})
    if answer.status_code != 200:
        raise SystemExit(f"{name}: {answer.status_code} {answer.text}")
    return 1000 * (time.perf_counter() - began)


def api_of(up: psutil.Process) -> psutil.Process:
    """Return the only API process."""
    return next(part for part in up.children() if "service" in part.cmdline())


def idle_percent(process: psutil.Process) -> float:
    """Return the share of a core that an idle process uses."""
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE_SECONDS)
    return 100 * (sum(process.cpu_times()[:2]) - before) / IDLE_SECONDS


def in_turn(client: httpx.Client, api: psutil.Process) -> dict[str, float]:
    """Ask a hundred models once per turn, so that most are loaded again."""
    times: list[float] = []
    sizes = []
    for _ in range(TURNS):
        times += [ask(client, f"copy-{7 * i}") for i in range(USED)]
        sizes.append(api.memory_info().rss / 1e6)
    times.sort()
    return {
        "in_turn_p50_ms": statistics.median(times),
        "in_turn_p99_ms": times[int(0.99 * len(times))],
        "in_turn_mb_after_first_turn": sizes[0],
        "in_turn_mb_after_last_turn": sizes[-1],
        "in_turn_mb_at_most": max(sizes),
        "in_turn_kb_a_load": kb_a_load(sizes[WARM_TURNS:]),
    }


def kb_a_load(sizes: list[float]) -> float:
    """Return how many kilobytes each loaded and dropped model adds."""
    turns = range(len(sizes))
    return 1000 * statistics.linear_regression(turns, sizes).slope / USED


def main() -> None:
    """Print the figures as JSON."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home:
        with service(home) as (url, up, _), Client(url) as client:
            train(client, Path(home))
            num_bytes = store_copies(Path(home), STORED)
            api = api_of(up)
            with httpx.Client(base_url=url) as asking:
                for i in range(10):
                    ask(asking, f"copy-{i}")
                figures["ten_models_mb"] = api.memory_info().rss / 1e6
            figures["idle_percent_of_a_core"] = idle_percent(api)
        file = ModelFile("", "", "", num_bytes)
        os.environ["FITSERVE_PREDICT_CACHE_BYTES"] = str(CACHED * file.resident_bytes)
        with service(home) as (url, up, _), httpx.Client(base_url=url) as asking:
            figures |= in_turn(asking, api_of(up))
    print(json.dumps({k: round(v, 2) for k, v in figures.items()}, indent=1), flush=True)


if __name__ == "__main__":
    main()
