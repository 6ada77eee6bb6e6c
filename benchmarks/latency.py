"""Compare native predict requests with a bare ASGI callable around the same network.

In each of REPEATS rounds, each service is loaded for SECONDS per case. A ratio compares
figures of one round. The medians over the rounds are printed.
"""

import json
import os
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.baselines import baseline
from benchmarks.load import load, need_wrk
from benchmarks.predict import MODEL, Figures, train
from benchmarks.requests import cases
from benchmarks.service import service
from fitserve import Client

REPEATS = int(os.environ.get("REPEATS", "3"))
SECONDS = int(os.environ.get("SECONDS", "10"))
CASES = ((1, 1), (1, 16), (1, 32), (64, 16))
"""The rows of a request, and the connections."""


def one_round(url: str, bare: str, folder: Path, results: Figures) -> None:
    """Measure every case at both services; append the figures to `results` by name."""
    for rows, connections in CASES:
        case = cases(folder, MODEL, rows)["native"]
        name = f"{rows} row(s), {connections} conn"
        by_service = {
            "fitserve": load(
                url + case.path, case.body, connections=connections, seconds=SECONDS
            ),
            "bare": load(bare, case.body, connections=connections, seconds=SECONDS),
        }
        for service_name, figures in by_service.items():
            for key, value in figures.items():
                results[f"{name}: {service_name} {key}"].append(value)
        for key, value in by_service["fitserve"].items():
            results[f"{name}: ratio {key}"].append(value / by_service["bare"][key])


def main() -> None:
    """Print the medians as JSON."""
    need_wrk()
    results: Figures = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home:
        folder = Path(home)
        with service(home) as (url, _, _), Client(url) as client:
            train(client, folder)
            client.models.download(MODEL, 1, "model.onnx", folder / "model.onnx")
            with baseline("bare", folder / "model.onnx") as bare:
                for _ in range(REPEATS):
                    one_round(url, bare, folder, results)
    medians = {name: round(statistics.median(own), 3) for name, own in results.items()}
    print(json.dumps(medians, indent=1), flush=True)


if __name__ == "__main__":
    main()
