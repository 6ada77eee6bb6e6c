"""Test the checks of data on tables with and without problems."""

import numpy as np
import polars as pl
import pytest

from core.models.signature import Signature
from fitserve.enums import ColumnType, Task
from fitserve.schemas.datasets import ColumnFormat

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)
N = 400
A, B, NOISE = RNG.normal(size=(3, N))
KINDS = {pl.String: ColumnType.CATEGORICAL, pl.Datetime: ColumnType.DATETIME}


def splits(columns, held_out=None):
    """Return the training and held-out rows of a table with the target `y`."""
    from workers.report.evidence import SplitRows
    from workers.training.feature_fit import fit_feature

    frame = pl.DataFrame(columns)
    is_held_out = np.arange(N) % 5 == 0 if held_out is None else held_out
    train, rest = frame.filter(~is_held_out), frame.filter(is_held_out)
    is_label = frame["y"].dtype == pl.String
    signature = Signature(
        model_name="m",
        task=Task.MULTICLASS if is_label else Task.REGRESSION,
        target="y",
        classes=frame["y"].unique().sort().to_list() if is_label else None,
        ignored=[],
        features=[
            fit_feature(
                name,
                KINDS.get(frame[name].dtype.base_type(), ColumnType.NUMERIC),
                ColumnFormat(),
                train[name],
                standardize=True,
            )
            for name in frame.columns
            if name != "y"
        ],
    )
    return SplitRows(train, signature), SplitRows(rest, signature)


def traps(columns, held_out=None):
    """Return the findings by kind and column."""
    from workers.report.data_checks import duplicates, imbalances
    from workers.report.drift import drifts
    from workers.report.leakage import leaks

    train, rest = splits(columns, held_out)
    found = [
        *leaks(train, rest, 60.0),
        *duplicates(train, rest, "validation"),
        *drifts(train, rest, "validation"),
        *imbalances(train),
    ]
    return {(trap.kind, *trap.columns): trap for trap in found}


def test_a_clean_table_has_no_findings():
    """Rows are random, and the target is numeric or a class with noise."""
    assert traps({"a": A, "b": B, "y": A + NOISE}) == {}
    labels = np.where(A + NOISE > 0, "x", "z")
    assert traps({"a": A, "b": B, "y": labels}) == {}


@pytest.mark.parametrize("bend", [np.abs, np.exp, lambda x: -(x**3)])
def test_a_number_that_determines_a_numeric_target(bend):
    """The form of the curve does not matter."""
    y = A + NOISE
    found = traps({"a": A, "b": bend(A), "leak": y**3 + 0.001 * B, "y": y})
    assert list(found) == [("leakage", "leak")]
    assert found["leakage", "leak"].numbers["explained"] > 0.98


def test_a_number_that_determines_a_class():
    """A duration is 0 for one class only."""
    y = np.where(A + NOISE > 0, "won", "lost")
    duration = np.where(y == "won", np.abs(B) + 1, 0.0)
    assert list(traps({"a": A, "duration": duration, "y": y})) == [
        ("leakage", "duration")
    ]


def test_a_strong_feature_is_no_leak():
    """A feature may explain 90 % of the target."""
    assert traps({"a": A, "b": B, "y": A + 0.3 * NOISE}) == {}


def test_rows_in_both_sets_are_counted():
    """Every fifth row is held out; 40 of these 80 are also training rows."""
    a, noise = A.copy(), NOISE.copy()
    a[0::10], noise[0::10] = a[1::10], noise[1::10]
    (trap,) = traps({"a": a, "y": a + noise}).values()
    assert trap.kind == "duplicates"
    assert trap.numbers == {"rows": 40, "of": 80}
    assert trap.sentence.startswith("40 of 80 validation rows (50%)")


def test_drift_of_a_split_by_time():
    """Numbers, times, categories and the target drift; constant columns are not reported."""
    late = np.arange(N) >= 320
    days = np.datetime64("2024-01-01", "us") + np.arange(N) * np.timedelta64(1, "D")
    shops = np.where(late | (B > 1), "south", "north")
    y = A + NOISE + 3 * late
    columns = {"day": days, "grows": np.arange(N) + 20 * B, "shop": shops, "a": A, "y": y}
    assert {name for _, name in traps(columns, late)} == {"day", "grows", "shop", "y"}


def test_a_rare_class_is_reported_with_its_counts():
    """The class has 10 of 320 training rows."""
    y = np.where(np.arange(N) % 40 == 1, "rare", "often")
    trap = traps({"a": A, "b": B, "y": y})["imbalance", "y"]
    assert trap.numbers == {"rarest": 10, "most": 310}
    assert "10 of 320 training rows have the class 'rare'" in trap.sentence


def csv(**columns):
    rows = zip(*columns.values(), strict=True)
    lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    return ",".join(columns) + "\n" + lines


def spec(**changes):
    fit = {"epochs": 1, "seed": 2}
    model = {"layers": [{"type": "Output"}]}
    return {"dataset": "table", "target": "y", "model": model, "fit": fit, **changes}


def test_a_leak_is_a_warning_on_the_run(bench):
    """The column is no exact copy, so only the worker finds it; run and report agree."""
    y = A + NOISE
    bench.upload(csv(a=A, leak=np.round(y, 4) ** 3, y=y))
    run = bench.train(spec())
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    (trap,) = report["traps"]
    assert run["warnings"] == [trap["sentence"]]
    assert "features.exclude" in trap["sentence"]


def test_categories_that_determine_a_class_are_reported_before_training(bench):
    """`validate` and the run have one warning, although the report finds the leak again."""
    y = np.where(A + NOISE > 0, "yes", "no")
    state = np.where(y == "yes", np.where(B > 0, "won", "paid"), "lost")
    bench.upload(csv(a=A, state=state, y=y))
    validated = bench.client.post("/v1/runs/validate", json=spec()).json()
    (warning,) = validated["warnings"]
    assert "'state' alone determines 'y' (3 values" in warning
    run = bench.train(spec())
    assert run["warnings"] == [warning]
    report = bench.client.get(f"/v1/runs/{run['id']}/report").json()
    assert [trap["columns"] for trap in report["traps"]] == [["state"]]


def test_a_loss_that_makes_a_regression_of_two_values_is_reported(bench):
    """The loss is mae on 0 and 1; an explicit task gives no warning."""
    bench.upload(csv(a=A, y=(A + NOISE > 0).astype(int)))

    def warnings(**changes):
        body = {"dataset": "table", "target": "y", **changes}
        found = bench.client.post("/v1/runs/validate", json=body).json()["warnings"]
        return [warning for warning in found if "two values" in warning]

    (warning,) = warnings(compile={"loss": "mae"})
    assert "two values (0 and 1), and the loss 'mae' makes this a regression" in warning
    assert warnings(compile={"loss": "mae"}, task="regression") == []
    assert warnings() == []


def test_class_weights_that_are_set_are_not_advised():
    """The rare class is reported, with advice that the spec does not follow already."""
    from workers.report.data_checks import imbalances

    y = np.where(np.arange(N) < 8, "rare", "usual")
    train, _ = splits({"a": A, "y": y})
    advice = 'or set `class_weight: "balanced"`'
    (plain,), (weighed,) = imbalances(train), imbalances(train, is_weighed=True)
    assert advice in plain.sentence
    assert advice not in weighed.sentence
    assert "recall" in weighed.sentence
