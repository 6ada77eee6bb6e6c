"""`make demo`: start the service, train on a real table, predict, stop."""

import contextlib
import csv
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from fitserve import Client
from fitserve.cli.progress import watch
from fitserve.schemas.runs import RunRead

HERE = Path(__file__).parent
TABLE = HERE / "data" / "diabetes.csv"
SPEC = HERE / "demo.json"
TARGET = "progression"
FITSERVE = str(Path(sys.executable).with_name("fitserve"))
START_SECONDS = 60
console = Console(highlight=False)


@contextlib.contextmanager
def running_service() -> Iterator[str]:
    """Start a service on a free port in a temporary home; yield its URL."""
    with tempfile.TemporaryDirectory(prefix="fitserve-demo-") as folder:
        log = Path(folder) / "log"
        command = [FITSERVE, "up", "--port", "0", "--home", str(Path(folder) / "home")]
        # a file, because the service would block on a full pipe
        with log.open("w") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            yield wait_for_url(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the URL that the service prints when ready; raise with its log if not."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        found = re.search(r"ready at (\S+)\n", log.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    raise SystemExit(f"The service did not start. Its log:\n{log.read_text()}")


def show_curve(client: Client, run: RunRead) -> None:
    """Print the end of the learning curve and the kept epoch."""
    read = client.runs.history(run.id)
    console.print(f"\n[bold]{run.status}[/] by {run.stop_reason}; the last epochs:")
    for i in range(-3, 0):
        cells = (f"{name} {values[i]:.3f}" for name, values in read.history.items())
        console.print(f"  epoch {read.epoch[i]:>3}  {'  '.join(cells)}")
    kept = "  ".join(f"{name} {value:.3f}" for name, value in run.metrics.items())
    console.print(f"kept epoch {run.best_epoch}: {kept}")


def show_predictions(client: Client, run: RunRead) -> None:
    """Print predictions for three rows of the table, and their true values."""
    with TABLE.open() as file:
        rows = list(csv.DictReader(file))[:3]
    answer = client.predict(run.model_name, rows)
    console.print(f"\npredictions of [bold]{run.model_name}[/] and true values:")
    for row, prediction in zip(rows, answer.predictions, strict=True):
        console.print(f"  predicted {prediction:7.1f}   true {float(row[TARGET]):7.1f}")


def show_curl(url: str) -> None:
    """Print the request as a shell command."""
    with TABLE.open() as file:
        row = {k: float(v) for k, v in next(csv.DictReader(file)).items() if k != TARGET}
    body = json.dumps({"model": "diabetes", "instances": [row]})
    console.print("\nthe same requests with curl, after `make up`:")
    for line in (
        f"curl -F file=@examples/data/diabetes.csv {url}/v1/datasets",
        f"curl -d @examples/demo.json {url}/v1/runs",
        f"curl '{url}/v1/runs/RUN_ID?wait=30'",
        f"curl -d '{body}' {url}/v1/predict",
    ):
        console.print(f"  {line}", soft_wrap=True, markup=False)


def main() -> None:
    """Upload, train, predict."""
    began = time.monotonic()
    with running_service() as url, Client(url) as client:
        console.print(f"started a service at {url}")
        dataset = client.datasets.upload(TABLE)
        columns = len(dataset.columns)
        console.print(
            f"uploaded {dataset.name}: {dataset.num_rows} rows, {columns} columns"
        )
        run = client.runs.create(SPEC)
        console.print(f"queued {run.id}; the worker imports TensorFlow first")
        run = watch(client, run.id, console)
        show_curve(client, run)
        show_predictions(client, run)
        show_curl("http://127.0.0.1:8000")
    console.print(f"\nstopped and removed after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
