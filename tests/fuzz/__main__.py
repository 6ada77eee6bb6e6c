"""Attack a whole service on either database, and print the figures.

`python -m tests.fuzz` reads MINUTES (of requests per database: 4), EXAMPLES (orders of
events: 200) and SEED from the environment. The exit code is 1 if a test found a fault.
"""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import psutil

from fitserve import Client
from tests.e2e_service import ROOT, running
from tests.fuzz.wire import (
    HEADERS,
    KEY,
    LIMITS,
    SPEC,
    TABLE,
    answers,
    attack,
    failing_routes,
)
from tests.servers import new_postgres_database

MINUTES = float(os.environ.get("MINUTES", "4"))
EXAMPLES = os.environ.get("EXAMPLES", "200")
SEED = int(os.environ.get("SEED", str(random.randrange(10**6))))
MOST_GROWTH = 32 * 2**20
"""The most growth of the API after its warm-up; in 42,000 requests it grew by 30 MiB."""
READY = "GET /health/ready"
"""The route whose 503 is no failure: the broker of a busy machine may answer late."""
CORPORA = (
    "tests/service/hostile",
    "tests/service/protocols/test_hostile.py",
    "tests/core/datasets/hostile",
    "tests/core/datasets/test_nastiness.py",
    "tests/core/runs/test_machine.py",
    "tests/workers/training/test_keras_json.py",
    "tests/workers/test_equality.py",
)


def main() -> None:
    print(f"seed {SEED}")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for engine in ("sqlite", "postgresql"):
            found += wire(engine, Path(folder) / engine)
        found += corpora(Path(folder) / "pytest")
    print(f"{len(found)} findings")
    sys.exit(1 if found else 0)


def wire(engine: str, home: Path) -> list[str]:
    """Run Schemathesis against a service with a worker, after a first pass as warm-up."""
    more = (
        {} if engine == "sqlite" else {"FITSERVE_DATABASE_URL": new_postgres_database()}
    )
    with (
        running(home, **LIMITS, **more) as (url, process),
        Client(url, api_key=KEY) as client,
    ):
        table = home / "table.csv"
        table.write_text(TABLE)
        client.datasets.upload(table)
        touch(client, client.runs.wait(client.runs.create(SPEC).id).id)
        first = attack(url, int(MINUTES * 20), seed=SEED, examples=3)
        api = api_of(process.pid)
        before, initial = answers(url), api.memory_info().rss
        second = attack(url, int(MINUTES * 40), seed=SEED + 1, examples=1000)
        counts, growth = answers(url), api.memory_info().rss - initial
        found = [*first.findings, *second.findings]
        found += [f"5xx: {route}" for route in failing_routes(url) if route != READY]
    if growth > MOST_GROWTH:
        found.append(f"the API grew by {growth / 2**20:.0f} MiB")
    print(
        f"wire, {engine}: {first.num_cases + second.num_cases} cases, "
        f"{counts['4xx']} answers of 4xx, {counts['5xx']} of 5xx; after "
        f"{before.total()} requests the API grew by {growth / 2**20:.1f} MiB in "
        f"{counts.total() - before.total()} more"
    )
    if found:
        print(first.words, second.words, *found, sep="\n")
    return found


def touch(client: Client, run_id: str) -> None:
    """Make the API load tables, plots and networks, which it loads on first use."""
    client.predict("table", [{"x": 1, "z": "a"}])
    for path in (f"runs/{run_id}/history.svg", "datasets/table/rows"):
        httpx.get(f"{client.base_url}/v1/{path}", headers=HEADERS).raise_for_status()


def api_of(pid: int) -> psutil.Process:
    """Return the API process of `fitserve up`."""
    parts = psutil.Process(pid).children()
    return next(part for part in parts if part.cmdline()[-2:] == ["-m", "service"])


def corpora(folder: Path) -> list[str]:
    """Run the tests of all hostile specs, CSVs and orders of events."""
    environment = {
        "FITSERVE_TEST_HOSTILE": "1",
        "FITSERVE_FUZZ_EXAMPLES": EXAMPLES,
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", f"--basetemp={folder}", *CORPORA],
        cwd=ROOT,
        env=os.environ | environment,
        check=False,
    )
    return ["a hostile corpus or an order of events"] if done.returncode else []


if __name__ == "__main__":
    main()
