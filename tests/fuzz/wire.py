"""Run Schemathesis on the OpenAPI document of a live service, and count the results."""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

HERE = Path(__file__).parent
KEY = "a-key-of-a-service-under-attack"
HEADERS = {"Authorization": f"Bearer {KEY}"}
PHASES = "examples,coverage,fuzzing,stateful"
LIMITS = {
    "FITSERVE_API_KEY": KEY,
    "FITSERVE_DEFAULT_MODEL": "table",
    "FITSERVE_LIMITS__MAX_EPOCHS": "3",
    "FITSERVE_LIMITS__MAX_PARAMETERS": "10000",
    "FITSERVE_LIMITS__MAX_QUEUED_RUNS": "100000",
}
"""Settings that end every run of the attack soon."""
TABLE = "x,z,y\n" + "".join(f"{i},{'ab'[i % 2]},{3 * i}\n" for i in range(60))
SPEC = {
    "dataset": "table",
    "target": "y",
    "model_name": "table",
    "model": {"layers": [{"type": "Output"}]},
    "fit": {"epochs": 1},
}


@dataclass
class Attack:
    """The results of Schemathesis: its report and its output."""

    report: dict[str, Any]
    words: str

    @property
    def num_cases(self) -> int:
        return int(self.report["test_cases"]["generated"])

    @property
    def findings(self) -> list[str]:
        """Return one line per finding; broken references in the document are findings, too."""
        failures = [
            f"{failure['title']}: {', '.join(failure['operations'])}"
            for failure in self.report["failures"]
        ]
        errors = [f"error: {error}"[:300] for error in self.report["errors"]]
        broken = self.report["warnings"]["unresolvable_reference"]
        return [*failures, *errors, *(f"broken reference: {name}" for name in broken)]


def attack(
    url: str, seconds: int, *, seed: int, examples: int, phases: str = PHASES
) -> Attack:
    """Run all checks, with valid and invalid data."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", HERE / "schemathesis.toml", "--no-color"),
                *("run", f"{url}/openapi.json", "--phases", phases),
                *("--max-time", str(seconds), "--max-examples", str(examples)),
                *("--seed", str(seed), "--continue-on-failure", "--no-shrink"),
                *("--header", f"Authorization: {HEADERS['Authorization']}"),
                *("--report", "json", "--report-json-path", path),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        if not path.exists():
            raise RuntimeError(f"Schemathesis did not run:\n{done.stdout}{done.stderr}")
        return Attack(json.loads(path.read_text()), done.stdout)


def answers(url: str) -> Counter[str]:
    """Return the number of answers per class of status, from the service's metrics."""
    counts: Counter[str] = Counter()
    for _, status, count in _counted(url):
        counts[status] += count
    return counts


def failing_routes(url: str) -> list[str]:
    """Return the routes that answered 5xx."""
    return [route for route, status, _ in _counted(url) if status == "5xx"]


def _counted(url: str) -> Iterator[tuple[str, str, int]]:
    page = httpx.get(f"{url}/metrics", headers=HEADERS).text
    for family in text_string_to_metric_families(page):
        if family.name == "fitserve_http_requests":
            for sample in family.samples:
                route = f"{sample.labels['method']} {sample.labels['route']}"
                yield route, sample.labels["status"], int(sample.value)
