"""Test KEDA's query on PostgreSQL: it counts the runs for which a pool needs workers."""

import psycopg
import pytest

from core.database.sessions import Database
from core.workers.tags import joined
from fitserve.enums import RunStatus
from tests.core.runs.rows import add_run, resolved_spec
from tests.deploy.helm import render
from tests.servers import postgres_at_head

POOLS = {
    "default": [],
    "gpu": ["gpu"],
    "both": ["large-memory", "gpu"],
}
RUNS = [
    ("queued", []),
    ("queued", []),
    ("running", []),
    ("queued", ["gpu"]),
    ("running", ["gpu", "large-memory"]),
    ("queued", ["large-memory"]),
    ("queued", ["gpu-a"]),  # no pool has this tag
    ("succeeded", []),
    ("failed", ["gpu"]),
    ("cancelled", []),
]


def scaled_objects(**pool):
    """Return the objects of KEDA by the name of the pool."""
    scaling = {"scaling": {"enabled": True}}
    pools = {name: {"tags": tags} | scaling | pool for name, tags in POOLS.items()}
    made = [each for each in render(workers=pools) if each["kind"] == "ScaledObject"]
    return {each["metadata"]["name"].removeprefix("test-worker-"): each for each in made}


def trigger(found):
    [only] = found["spec"]["triggers"]
    return only


@pytest.fixture(scope="module")
def url():
    """Return the URL as the Secret has it: without the name of Python's driver."""
    return postgres_at_head().replace("postgresql+psycopg://", "postgresql://")


@pytest.fixture(scope="module")
def counts(url):
    """Return what the query of each pool counts, asked as KEDA asks it."""
    database = Database(url)  # fitserve reads the same URL
    for status, tags in RUNS:
        spec = resolved_spec(worker_tags=tags)
        add_run(database, spec=spec, status=RunStatus(status))
    database.close()
    with psycopg.connect(url) as connection:
        return {
            name: connection.execute(trigger(found)["metadata"]["query"]).fetchone()
            for name, found in scaled_objects().items()
        }


def test_a_pool_without_tags_counts_unfinished_runs_without_tags(counts):
    assert counts["default"] == (3,)


def test_a_pool_counts_the_runs_whose_tags_it_has(counts):
    """Those without tags are trained by the other pool, and `gpu-a` is not `gpu`."""
    assert counts["gpu"] == (1,)
    assert counts["both"] == (3,)


def test_an_empty_queue_needs_no_worker():
    with psycopg.connect(postgres_at_head().replace("+psycopg", "")) as connection:
        for found in scaled_objects().values():
            query = trigger(found)["metadata"]["query"]
            assert connection.execute(query).fetchone() == (0,)


def test_tags_of_a_run_are_stored_as_the_query_splits_them():
    assert joined(["large-memory", "gpu"]).split(".") == ["gpu", "large-memory"]


@pytest.mark.parametrize(("processes", "runs"), [(1, "1"), (2, "1"), (5, "4")])
def test_one_of_several_processes_is_kept_for_small_runs(processes, runs):
    """So a worker is counted for one run less than it has processes."""
    for found in scaled_objects(processes=processes).values():
        assert trigger(found)["metadata"]["targetQueryValue"] == runs


def test_keda_has_what_its_objects_require():
    """Without a database, KEDA keeps `fallback` workers, for an average value only."""
    made = render(
        workers={"default": {"scaling": {"enabled": True, "min": 2, "fallback": 5}}}
    )
    [found] = [each for each in made if each["kind"] == "ScaledObject"]
    [access] = [each for each in made if each["kind"] == "TriggerAuthentication"]
    assert found["apiVersion"] == access["apiVersion"] == "keda.sh/v1alpha1"
    spec, name = found["spec"], access["metadata"]["name"]
    assert spec["scaleTargetRef"] == {"name": "test-worker-default"}
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 10)
    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 5}
    assert trigger(found)["type"] == "postgresql"
    assert trigger(found)["metricType"] == "AverageValue"
    assert trigger(found)["authenticationRef"] == {"name": name}
    assert all(isinstance(value, str) for value in trigger(found)["metadata"].values())
    [secret] = access["spec"]["secretTargetRef"]
    assert secret == {
        "parameter": "connection",
        "name": "secrets",
        "key": "FITSERVE_DATABASE_URL",
    }
