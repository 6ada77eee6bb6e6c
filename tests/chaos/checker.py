"""Compare the API's answers and the files on disk with the promise."""

import hashlib
import time
from collections import Counter
from typing import Any

from sqlalchemy import select

from core.datasets.tables import Dataset
from core.models.tables import Artifact, Version
from core.orphan_files import remove_orphan_files
from core.runs.checkpoint_files import remove_orphans
from core.runs.tables import Run
from core.storage import Storage, open_storage
from core.storage.scratch import sweep_scratch
from tests.chaos.cluster import FAST, Cluster
from tests.chaos.request_log import ENDED
from tests.chaos.stand_in.weights import NAN_SEED, losses, prediction

SETTLE_SECONDS = FAST.lease_seconds / 2
"""Seconds to wait for late writes."""


def violations(
    cluster: Cluster, deadline: float = 60.0, allowed: tuple[int, ...] = ()
) -> list[str]:
    """Return one sentence per broken promise; ignore the 5xx statuses in `allowed`."""
    unfinished = _wait_for_ends(cluster, deadline)
    if unfinished:
        return [f"no end within {deadline:.0f} s: {one}" for one in unfinished]
    time.sleep(SETTLE_SECONDS)
    runs = [cluster.client.read(run_id) for run_id in cluster.request_log.accepted]
    found = [*cluster.request_log.wrong]
    found += [sentence for run in runs for sentence in _of_run(cluster, run)]
    found += _of_versions(cluster, runs)
    found += _of_attempts(cluster)
    found += _of_files(cluster)
    found += _of_answers(cluster, allowed)
    found += _of_logs(cluster)
    return found


def _wait_for_ends(cluster: Cluster, seconds: float) -> list[str]:
    deadline = time.monotonic() + seconds
    missing = [
        i for i in cluster.request_log.accepted if i not in cluster.request_log.ended
    ]
    while missing and time.monotonic() < deadline:
        still = [i for i in missing if cluster.client.read(i)["status"] not in ENDED]
        missing = still
        time.sleep(0.1)
    return [f"{i} is {cluster.client.read(i)['status']}" for i in missing]


def _of_run(cluster: Cluster, run: dict[str, Any]) -> list[str]:
    """Check that epochs are 1…n, each once, and that each loss is that of its epoch."""
    answer = cluster.client.insist("GET", f"/v1/runs/{run['id']}/history").json()
    epochs, recorded = answer["epoch"], answer["history"].get("loss", [])
    found = []
    if epochs != list(range(1, run["progress"]["epoch"] + 1)):
        found.append(f"{run['id']} ({run['status']}) has epochs {epochs}")
    seed = run["spec"]["fit"]["seed"]
    if seed != NAN_SEED and recorded != losses(seed, len(recorded)):
        found.append(f"{run['id']} has another history than its seed gives")
    if (run["status"] == "succeeded") != (run["model_version"] is not None) and run[
        "status"
    ] != "cancelled":
        found.append(f"{run['id']} is {run['status']} with {run['model_version']}")
    return found


def _of_versions(cluster: Cluster, runs: list[dict[str, Any]]) -> list[str]:
    """Check that each run has at most one version, with the answers of that run."""
    with cluster.database.read() as session:
        versions = session.scalars(select(Version)).all()
    by_run = Counter(version.run_id for version in versions)
    found = [f"{i} has {n} versions" for i, n in by_run.items() if n > 1]
    reported = {r["id"]: (r["model_name"], r["model_version"]) for r in runs}
    for version in versions:
        name = (version.model_name, version.number)
        if version.run_id in reported and reported[version.run_id] != name:
            found.append(
                f"{version.run_id} reports {reported[version.run_id]}, has {name}"
            )
    for run in runs[-20:]:
        found += _of_answer(cluster, run)
    return found


def _of_answer(cluster: Cluster, run: dict[str, Any]) -> list[str]:
    if run["model_version"] is None:
        return []
    path = f"/v1/models/{run['model_name']}/versions/{run['model_version']}/predict"
    answer = cluster.client.insist("POST", path, json={"instances": [{"x": 2.5}]})
    if answer.status_code != 200:
        return [f"{path}: {answer.text}"]
    expected = prediction(run["spec"]["fit"]["seed"], run["best_epoch"], 2.5)
    got = answer.json()["predictions"]
    return [] if got == [expected] else [f"{path} answers {got}, not {expected}"]


def _of_attempts(cluster: Cluster) -> list[str]:
    """Check that runs have one to three counted attempts, and attempts at most one fit."""
    with cluster.database.read() as session:
        rows = session.scalars(select(Run)).unique().all()
    most = FAST.max_attempts
    found = [
        f"{row.id} was tried {row.attempt - row.handed_back} times"
        for row in rows
        if row.attempt - row.handed_back > most
    ]
    begun = Counter((run_id, attempt) for run_id, attempt, _ in cluster.executions())
    found += [f"{key} began {n} times" for key, n in begun.items() if n > 1]
    return found


def _of_files(cluster: Cluster) -> list[str]:
    """Check that all recorded files are intact, and that no other file survives a sweep."""
    storage = open_storage(cluster.settings)
    with cluster.database.read() as session:
        remove_orphans(storage, session)
        remove_orphan_files(storage, session, older_than_seconds=0.0)
        sweep_scratch(0.0)
        artifacts = session.scalars(select(Artifact)).all()
        datasets = session.scalars(
            select(Dataset).where(Dataset.deleted_at.is_(None))
        ).all()
        query = select(Run.split_key).join(Version, Version.run_id == Run.id)
        splits = set(session.scalars(query.where(Run.split_key.is_not(None))))
    found = [
        f"{artifact.key} is not as recorded"
        for artifact in artifacts
        if _sha256(storage, artifact.key) != artifact.sha256
    ]
    found += [
        f"{dataset.content_key} is not as recorded"
        for dataset in datasets
        if "sha256:" + _sha256(storage, dataset.content_key) != dataset.digest
    ]
    recorded = {a.key for a in artifacts} | splits
    recorded |= {key for dataset in datasets for key in dataset.file_keys}
    there = cluster.stored_files()
    found += [f"{key} is not recorded" for key in sorted(there - recorded)]
    found += [f"{key} is missing" for key in sorted(recorded - there)]
    return found


def _sha256(storage: Storage, key: str) -> str:
    try:
        with storage.open(key) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return "no file"


def _of_answers(cluster: Cluster, allowed: tuple[int, ...]) -> list[str]:
    return [
        f"{cluster.request_log.answers[key]} answers {key}"
        for key in cluster.request_log.failures()
        if key[1] not in allowed
    ]


def _of_logs(cluster: Cluster) -> list[str]:
    return [
        f"{path.name} holds {secret!r}"
        for path in cluster.logs()
        for secret in cluster.secrets
        if secret in path.read_text(errors="replace")
    ]
