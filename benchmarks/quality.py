"""Measure quality: two presets and gradient boosting on the same splits of tables.

The spec of a run has only a dataset, a target, a preset, a seed and a share of test rows.
HistGradientBoosting, with scikit-learn's defaults, gets the training and the validation
rows, with categories marked as such. Both predict the same test rows; the network's
`model.onnx` predicts them from raw columns.
"""

import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import onnxruntime as ort
import pandas as pd
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from benchmarks.fit import Bench
from benchmarks.tables import TABLES, Table, write_csv
from core.models.signature import MISSING, Signature
from core.runs.planning.splits import TEST
from core.runs.reporting.row_sets import codes_of
from core.runs.splitting import NO_TARGET
from core.runs.tables import Run

SEEDS = tuple(int(seed) for seed in os.environ.get("SEEDS", "0,1,2").split(","))
TEST_SHARE = 0.2
PRESETS = ("default", "small")
_RESULTS = Path(__file__).with_name("quality.json")
_PAGE = Path(__file__).parent.parent / "docs" / "quality.md"
_MOST_CATEGORIES = 255  # of HistGradientBoosting

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Rows:
    """The raw rows of one run: `known` to train and validate, `unseen` to test."""

    signature: Signature
    known: pl.DataFrame
    unseen: pl.DataFrame

    def y(self, frame: pl.DataFrame) -> Array:
        """Return targets, or the indexes of classes, as float64 `[N]`."""
        from workers.training.targets import target_values  # noqa: PLC0415

        column = frame[self.signature.target]
        return target_values(column, self.signature.classes or [], 0.0)


def rows_of(bench: Bench, run: Run, signature: Signature) -> Rows:
    """Return the rows that the worker held out, and all others."""
    names = [feature.name for feature in signature.features]
    with bench.storage.local_copy(run.dataset.table_key) as table:
        frame = pl.read_parquet(table, columns=[*names, run.target])
    codes = codes_of(run, bench.storage)
    is_test, has_target = pl.Series(codes == TEST), pl.Series(codes != NO_TARGET)
    return Rows(signature, frame.filter(~is_test & has_target), frame.filter(is_test))


def scores(rows: Rows, answers: Array) -> dict[str, float]:
    """Return AUC (each class against the others) and log loss, or R²."""
    y = rows.y(rows.unseen)
    if not rows.signature.classes:
        return {"score": float(r2_score(y, answers))}
    if answers.ndim == 1:
        answers = np.column_stack([1 - answers, answers])
    answers = np.clip(answers, 1e-7, 1)
    answers /= answers.sum(axis=1, keepdims=True)
    labels = range(answers.shape[1])
    ranked = answers if len(labels) > 2 else answers[:, 1]
    return {
        "score": float(roc_auc_score(y, ranked, multi_class="ovr")),
        "log_loss": float(log_loss(y, answers, labels=labels)),
    }


def by_network(path: Path, rows: Rows) -> Array:
    """Predict the test rows with `model.onnx`."""
    raw = {
        feature.name: feature.texts(column)
        .fill_null(MISSING)
        .to_numpy()
        .astype(object)[:, None]
        if feature.is_text
        else feature.numbers(column)[:, None]
        for feature in rows.signature.features
        for column in [rows.unseen[feature.name]]
    }
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    answers = np.asarray(session.run(None, raw)[0])
    return answers[:, 0] if answers.shape[1] == 1 else answers


def by_boosting(rows: Rows) -> Array:
    """Predict the test rows with HistGradientBoosting."""
    known, unseen = (_frame(rows, frame) for frame in (rows.known, rows.unseen))
    for feature in rows.signature.features:
        if feature.is_text:
            kept = known[feature.name].value_counts().index[:_MOST_CATEGORIES]
            for frame in (known, unseen):
                frame[feature.name] = pd.Categorical(frame[feature.name], kept)
    is_class = bool(rows.signature.classes)
    kind = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    model = kind(random_state=0).fit(known, rows.y(rows.known))
    if not is_class:
        return model.predict(unseen)
    answers = model.predict_proba(unseen)
    return answers[:, 1] if answers.shape[1] == 2 else answers


def _frame(rows: Rows, frame: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            f.name: f.texts(frame[f.name]).to_list()
            if f.is_text
            else f.numbers(frame[f.name])
            for f in rows.signature.features
        }
    )


def measure(
    table: Table, presets: Sequence[str] = PRESETS, seeds: Sequence[int] = SEEDS
) -> Iterator[dict[str, Any]]:
    """Yield a line for each seed: scores and seconds by preset, and boosting's scores."""
    with tempfile.TemporaryDirectory(prefix="fitserve-bench-") as home:
        source = Path(home) / "source.csv"
        write_csv(table, source)
        bench = Bench.of_csv(home, source)
        for seed in seeds:
            yield _compare(bench, table, seed, presets)
        bench.database.close()


def _compare(
    bench: Bench, table: Table, seed: int, presets: Sequence[str]
) -> dict[str, Any]:
    line: dict[str, Any] = {"table": table.name, "seed": seed}
    rows = None
    for preset in presets:
        spec = {
            "dataset": "table",
            "target": table.target,
            "preset": preset,
            "split": {"test": TEST_SHARE},
            "fit": {"seed": seed},
        }
        run, version, seconds = bench.train(spec)
        rows = rows_of(bench, run, Signature.model_validate(version.signature))
        onnx = version.artifact("model.onnx")
        with bench.storage.local_copy(onnx.key) as path:
            answers = by_network(path, rows)
        line[preset] = scores(rows, answers) | {"seconds": round(seconds, 1)}
        line |= {"rows": len(rows.known) + len(rows.unseen), "task": str(run.task)}
    assert rows is not None  # noqa: S101  there are presets
    line["columns"] = len(rows.signature.features)
    line["boosting"] = scores(rows, by_boosting(rows))
    return line


def summary(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the medians over the seeds, one line per table."""
    names = list(dict.fromkeys(line["table"] for line in lines))
    found = []
    for name in names:
        own = [line for line in lines if line["table"] == name]

        def median(side: str, key: str, own: list[dict[str, Any]] = own) -> float:
            return statistics.median(line[side][key] for line in own)

        row = {k: own[0][k] for k in ("table", "task", "rows", "columns")}
        for side in (*PRESETS, "boosting"):
            row[side] = median(side, "score")
        row["ahead"] = statistics.median(
            line["default"]["score"] - line["boosting"]["score"] for line in own
        )
        if "log_loss" in own[0]["default"]:
            row["log_loss_ratio"] = statistics.median(
                line["default"]["log_loss"] / line["boosting"]["log_loss"] for line in own
            )
        row["seconds"] = median("default", "seconds")
        found.append(row)
    return found


def page_table(found: list[dict[str, Any]]) -> str:
    """Return the tables as Markdown, with a summary."""
    head = ("table", "task", "rows", "columns", "default", "small", "boosting")
    head = (*head, "ahead", "log loss", "seconds")
    lines = [f"| {' | '.join(head)} |", "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for r in found:
        ratio = f"{r['log_loss_ratio']:.2f}" if "log_loss_ratio" in r else ""
        lines.append(
            f"| {r['table']} | {r['task']} | {r['rows']:,} | {r['columns']} "
            f"| {r['default']:.4f} | {r['small']:.4f} | {r['boosting']:.4f} "
            f"| {r['ahead']:+.4f} | {ratio} | {r['seconds']:.1f} |"
        )
    gaps = [r["ahead"] for r in found]
    ratios = [r["log_loss_ratio"] for r in found if "log_loss_ratio" in r]
    lines.append("")
    lines.append(
        f"The default is better than boosting, or equal to 0.0005, on "
        f"{sum(g > -0.0005 for g in gaps)} of {len(gaps)} tables; the median difference "
        f"is {statistics.median(gaps):+.4f}, the worst {min(gaps):+.4f}. The median log "
        f"loss is {statistics.median(ratios):.2f} times that of boosting."
    )
    return "\n".join(lines)


def main() -> None:
    """Print one line of JSON per table and seed; write `quality.json` and the page."""
    wanted = [name for name in os.environ.get("TABLES", "").split(",") if name]
    lines: list[dict[str, Any]] = []
    for table in TABLES:
        if wanted and table.name not in wanted:
            continue
        for line in measure(table):
            lines.append(line)
            print(json.dumps(line), flush=True)
    found = summary(lines)
    print(page_table(found), flush=True)
    if not wanted:
        _RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        write_page(_PAGE, page_table(found))


def write_page(page: Path, measured: str) -> None:
    """Write the measured table between the two marks of the page."""
    before, begin, rest = page.read_text().partition("<!-- measured -->\n")
    _, end, after = rest.partition("<!-- end -->")
    page.write_text(f"{before}{begin}{measured}\n{end}{after}")
