"""Measure predict requests of every protocol against liveness and the textbook service.

The network has three layers of 512 units over 11 features; one API process answers, and
another process sends the load. Ratios are computed within each of REPEATS rounds; the
medians over the rounds are printed.
"""

import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import onnxruntime as ort

from benchmarks.baselines import baseline
from benchmarks.load import load, need_wrk
from benchmarks.requests import FEATURES, cases, features, table
from benchmarks.service import service
from fitserve import Client

REPEATS = int(os.environ.get("REPEATS", "3"))
SECONDS = int(os.environ.get("SECONDS", "4"))
MODEL = "wide"
HIDDEN = [{"type": "Dense", "units": 512, "activation": "relu"}] * 3
SPEC = {
    "dataset": "numbers",
    "target": "y",
    "model_name": MODEL,
    "model": {"layers": [*HIDDEN, {"type": "Dense", "units": 1}]},
    "fit": {"epochs": 2, "seed": 1},
}
MANY = 4096
Figures = dict[str, list[float]]


def train(client: Client, folder: Path) -> None:
    """Upload the table and train the network."""
    csv = folder / "numbers.csv"
    csv.write_text(table(2000))
    client.datasets.upload(csv)
    run = client.runs.wait(client.runs.create(SPEC).id)
    if run.status != "succeeded":
        raise SystemExit(f"the run ended as {run.status}: {run.error}")


def bare_rows_a_second(session: ort.InferenceSession) -> float:
    """Measure ONNX Runtime alone: one thread, MANY rows per call."""
    numbers = features(MANY).astype("float64")
    feed = {name: numbers[:, i : i + 1].copy() for i, name in enumerate(FEATURES)}
    session.run(None, feed)
    calls, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        session.run(None, feed)
        calls += 1
    return calls * MANY / (time.perf_counter() - began)


def one_round(
    url: str, plain: str, folder: Path, session: ort.InferenceSession, results: Figures
) -> None:
    """Measure every case once; append its figures to `results` by name."""

    def note(name: str, figures: dict[str, Any], rows: int = 1) -> float:
        for key, value in figures.items():
            results[f"{name} {key}"].append(value)
        results[f"{name} rows_a_second"].append(figures["rate"] * rows)
        return float(figures["rate"])

    for connections in (1, 16):
        live = f"{url}/health/live"
        alive = load(live, connections=connections, seconds=SECONDS)
        rate = note(f"liveness, {connections} conn", alive)
        for rows in (1, 64):
            for name, case in cases(folder, MODEL, rows).items():
                label = f"{name}, {rows} row(s), {connections} conn"
                figures = load(
                    url + case.path,
                    case.body,
                    connections=connections,
                    seconds=SECONDS,
                    header_length=case.header_length,
                )
                own = note(label, figures, rows)
                results[f"{label} over_liveness"].append(own / rate)
    _textbook_round(plain, folder, note, results)
    _many_round(url, folder, session, note, results)


def _textbook_round(plain: str, folder: Path, note: Any, results: Figures) -> None:
    body = cases(folder, MODEL, 1)["native"].body
    for connections in (1, 16):
        figures = load(f"{plain}/predict", body, connections=connections, seconds=SECONDS)
        slow = note(f"textbook, 1 row(s), {connections} conn", figures)
        ours = results[f"native, 1 row(s), {connections} conn rate"][-1]
        results[f"native over textbook, {connections} conn"].append(ours / slow)


def _many_round(
    url: str, folder: Path, session: ort.InferenceSession, note: Any, results: Figures
) -> None:
    case = cases(folder, MODEL, MANY)["V2 binary"]
    bare = bare_rows_a_second(session)
    results["bare ONNX Runtime, one thread rows_a_second"].append(bare)
    for connections in (1, 2):
        figures = load(
            url + case.path,
            case.body,
            connections=connections,
            seconds=SECONDS,
            header_length=case.header_length,
        )
        rate = note(f"V2 binary, {MANY} rows, {connections} conn", figures, MANY)
        ratio = rate * MANY / bare
        results[f"V2 binary, {MANY} rows, {connections} conn over_bare"].append(ratio)


def main() -> None:
    """Print the medians as JSON."""
    need_wrk()
    results: Figures = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home:
        folder = Path(home)
        with service(home) as (url, _, _), Client(url) as client:
            train(client, folder)
            for name in ("model.keras", "model.onnx"):
                client.models.download(MODEL, 1, name, folder / name)
            options = ort.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            session = ort.InferenceSession(folder / "model.onnx", options)
            with baseline("textbook", folder / "model.keras") as plain:
                for _ in range(REPEATS):
                    one_round(url, plain, folder, session, results)
    medians = {name: round(statistics.median(own), 3) for name, own in results.items()}
    print(json.dumps(medians, indent=1), flush=True)


if __name__ == "__main__":
    main()
