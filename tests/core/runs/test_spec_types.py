"""Types in a spec read the original text, from the check of a run to its predictions."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from core.storage.scratch import scratch_root
from tests.conftest import bench_in
from tests.problems import assert_problem

NETWORK = {"layers": [{"type": "Dense", "units": 4, "activation": "tanh"}, {"type": "Output"}]}  # fmt: skip
FIT = {"epochs": 3, "seed": 1, "batch_size": 16}
CELLS = {
    "zip": ("01", "1", "001", "6", "06", "6.0"),
    "share": ("45%", "5%", "50%"),
    "float": ("1.0", "2.0", "2.50"),
    "day": ("2024-01-31", "2024-02-01", "2024-12-24"),
    "yn": ("Y", "N"),
    "cash": ("$1,234.50", "$7", "($3)"),
    "engine": ("1000 CC", "1200 CC", "90 CC"),
    "size": ("1", "2.5", "big", "4", "tiny"),
}
"""The cells of each column, in turn."""
NUM_ROWS = 120


def csv(cells=CELLS, num_rows=NUM_ROWS, **more):
    cells = {**cells, **more}
    lines = [",".join([*(_quoted(name) for name in cells), "y"])]
    for i in range(num_rows):
        row = [_quoted(of[i % len(of)]) for of in cells.values()]
        weight = sum((k + 1) * (i % len(of)) for k, of in enumerate(cells.values()))
        lines.append(",".join([*row, str(weight + i % 7 / 10)]))
    return "\n".join(lines) + "\n"


def _quoted(cell):
    return f'"{cell}"' if "," in cell else cell


def spec(types=None, **changes):
    features = changes.pop("features", {})
    return {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "features": {**features, "types": types or {}},
        "model": NETWORK,
        "fit": FIT,
        **changes,
    }


@pytest.fixture(scope="module")
def shared(tmp_path_factory, broker_url):
    """Provide a table for tests that change nothing."""
    home = tmp_path_factory.mktemp("types") / "home"
    with bench_in(home, broker_url, default_model="m") as bench:
        bench.upload(csv())
        yield bench


class TestChecks:
    """Checks of types before a run is queued."""

    @pytest.mark.parametrize(
        ("column", "kind", "cell"),
        [("engine", "boolean", "1000 CC"), ("yn", "datetime", "Y"), ("day", "boolean", "2024-01-31"), ("share", "datetime", "45%")],
    )  # fmt: skip
    def test_a_type_that_fits_no_cell_is_refused(self, shared, column, kind, cell):
        """The error is that of an upload, with a pointer into the spec."""
        given = {"types": json.dumps({column: kind}), "name": "other"}
        upload = shared.client.post("/v1/datasets", params=given, content=csv())
        refusal = assert_problem(upload, 422, "invalid-table")
        for url in ("/v1/runs", "/v1/runs/validate"):
            answer = shared.client.post(url, json=spec({column: kind}))
            problem = assert_problem(answer, 422, "invalid-spec")
            (error,) = problem["errors"]
            assert problem["detail"] == refusal["detail"]
            assert error["pointer"] == f"#/features/types/{column}"
            assert error["detail"] == refusal["errors"][0]["detail"]
            assert cell in error["detail"]
        assert shared.client.get("/v1/runs").json()["items"] == []

    def test_cells_that_do_not_fit_are_counted(self, shared):
        """The warning has the column, the number and examples."""
        answer = shared.client.post("/v1/runs/validate", json=spec({"size": "numeric"}))
        warnings = [w for w in answer.json()["warnings"] if "'size'" in w and "cell" in w]
        assert len(warnings) == 1
        assert (
            "48 cell(s) are not numeric and count as missing: 'big', 'tiny'"
            in warnings[0]
        )

    def test_a_unit_behind_numbers_is_dropped_with_a_word(self, shared):
        """No cell becomes missing."""
        answer = shared.client.post("/v1/runs/validate", json=spec({"engine": "numeric"}))
        found = [w for w in answer.json()["warnings"] if "'engine'" in w]
        assert found == ["the column 'engine' of 'table': the unit CC is dropped"]

    def test_classes_that_are_written_in_two_ways_are_named(self, bench):
        """On the run, with both spellings and their counts."""
        bench.upload(csv({"loan": ("Approved", "approved", "Rejected")}))
        answer = bench.client.post("/v1/runs/validate", json=spec(target="loan"))
        assert answer.status_code == 200, answer.text
        (found,) = [w for w in answer.json()["warnings"] if "probably the same" in w]
        assert "the target 'loan'" in found
        assert "'Approved' (40) and 'approved' (40)" in found

    def test_a_doubt_about_the_target_is_named(self, bench):
        """With the count of the upload."""
        bench.upload(csv({"x": ("1", "2"), "rate": ("inf", "1.5", "2.5", "7")}))
        answer = bench.client.post("/v1/runs/validate", json=spec(target="rate"))
        assert (
            "the target 'rate': 30 cell(s) are infinite, such as 'inf', and count as missing"
            in answer.json()["warnings"]
        )

    def test_an_unknown_column_is_named(self, shared):
        """The hint is the most similar name."""
        answer = shared.client.post("/v1/runs/validate", json=spec({"zpi": "text"}))
        (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
        assert error["pointer"] == "#/features/types/zpi"
        assert "zip" in error["hint"]

    def test_many_requests_at_once(self, shared):
        """Each request reads the original in a separate scratch folder."""
        kinds = ["categorical", "text", "numeric", "categorical"] * 3

        def ask(kind):
            return shared.client.post("/v1/runs/validate", json=spec({"zip": kind}))

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(ask, kinds))
        assert [answer.status_code for answer in answers] == [200] * len(kinds)
        assert list(scratch_root().iterdir()) == []


def answers_of(bench, name, cells, model="m"):
    """Yield the predictions for `cells` by every protocol that accepts texts."""
    rows = [{name: cell} for cell in cells]
    text = "\n".join([name, *(_quoted(cell) for cell in cells)]) + "\n"
    file = {"content": text.encode(), "headers": {"Content-Type": "text/csv"}}
    tensor = {"name": name, "datatype": "BYTES", "shape": [len(cells)], "data": list(cells)}  # fmt: skip
    sent = {
        f"/v1/models/{model}/predict": [{"json": {"instances": rows}}, file],
        f"/mlflow/{model}/invocations": [{"json": {"dataframe_records": rows}}, file],
        f"/v1/models/{model}:predict": [{"json": {"instances": rows}}],
        f"/v2/models/{model}/infer": [{"json": {"inputs": [tensor]}}],
    }
    for url, bodies in sent.items():
        for body in bodies:
            answer = bench.client.post(url, **body)
            assert answer.status_code == 200, answer.text
            found = answer.json()
            assert "warnings" not in found, found
            values = found.get("predictions") or found["outputs"][0]["data"]
            yield [v[0] if isinstance(v, list) else v for v in values]


@pytest.mark.keras
class TestPredictions:
    """Cells of the file, sent in predict requests by every protocol."""

    @pytest.mark.parametrize(
        ("column", "kind"),
        [
            ("zip", "categorical"),
            ("share", "categorical"),
            ("float", "categorical"),
            ("day", "categorical"),
            ("yn", "categorical"),
            ("cash", "categorical"),
            ("engine", "text"),
        ],
    )
    def test_every_cell_of_the_file_is_known(self, shared, column, kind):
        """Each protocol gives the same prediction, and each category another one."""
        model = f"{column}-model"
        run = shared.train(
            spec({column: kind}, features={"include": [column]}, model_name=model)
        )
        assert run["status"] == "succeeded", run["error"]
        cells = CELLS[column]
        ways = list(answers_of(shared, column, cells, model))
        assert len(ways) == 6
        for way in ways:
            assert way == pytest.approx(ways[0], rel=1e-5)
        assert len({round(value, 5) for value in ways[0]}) == len(cells)
        signature = shared.client.get(f"/v1/models/{model}/versions/1/artifacts/signature.json").json()  # fmt: skip
        (feature,) = signature["features"]
        assert sorted(feature["encoder"]["vocabulary"]) == sorted(cells)
        assert signature["reading"] == 2

    @pytest.mark.parametrize(
        "cells",
        [
            ("\u22125", "3", "7"),
            ("5-", "3", "7"),
            ("1,00,000", "5,00,000", "10"),
            ("0,998", "0,001", "0,500"),
            ("Q1-1985", "Q3-1995", "Q4-2005"),
            ("19850101", "20050101", "20240131"),
            ("2024-01-02 24:00", "2014-01-02 01:00", "2004-01-02 02:00"),
            ("2024-01-02 03:04:05,5 UTC", "2014-01-02 03:04:05 UTC", "2004-01-02"),
            ("Tue, 02 Jan 2024", "Thu, 02 Jan 2014", "Fri, 02 Jan 2004"),
        ],
    )
    def test_every_notation_of_the_file_is_read(self, bench, cells):
        """Each way in gives one answer per cell, without a warning."""
        bench.upload(csv({"x": cells}))
        run = bench.train(spec(model_name="m"))
        assert run["status"] == "succeeded", run["error"]
        ways = list(answers_of(bench, "x", cells))
        for way in ways:
            assert way == pytest.approx(ways[0], rel=1e-5)
        assert len({round(value, 5) for value in ways[0]}) == len(cells)

    def test_digits_of_a_date_may_be_a_json_number(self, bench):
        """The number and its text are the same day."""
        bench.upload(csv({"x": ("19850101", "20050101", "20240131")}))
        assert bench.train(spec(model_name="m"))["status"] == "succeeded"
        for rows in ([{"x": 20050101}], [{"x": 20050101}, {"x": "20050101"}]):
            answer = bench.client.post("/v1/models/m/predict", json={"instances": rows})
            (found,) = set(answer.json()["predictions"])
        url = "/v1/models/m/predict"
        far = bench.client.post(url, json={"instances": [{"x": 19850101}]}).json()
        assert far["predictions"] != [found]
        refused = bench.client.post(url, json={"instances": [{"x": 1_700_000_000}]})
        assert_problem(refused, 422, "invalid-instances")

    def test_strays_count_as_missing_with_a_warning(self, shared):
        """Strays of the training rows count as missing, and any other word is refused."""
        features = {"include": ["size"]}
        run = shared.train(spec({"size": "numeric"}, features=features, model_name="s"))
        assert any("'big', 'tiny'" in warning for warning in run["warnings"])
        url = "/v1/models/s/predict"
        rows = [{"size": "big"}, {"size": None}]
        answer = shared.client.post(url, json={"instances": rows}).json()
        assert answer["predictions"][0] == answer["predictions"][1]
        (warning,) = answer["warnings"]
        assert warning["detail"] == "'big' counts as missing, as in training"
        refused = shared.client.post(url, json={"instances": [{"size": "huge"}]})
        assert_problem(refused, 422, "invalid-instances")
        file = shared.client.post(
            url, content=b'size\nbig\n""\n2.5\n', headers={"Content-Type": "text/csv"}
        ).json()
        assert file["predictions"][0] == answer["predictions"][0]

    def test_with_many_strays_any_word_counts_as_missing(self, bench):
        """The model records that there were more than the fifty strays that it keeps."""
        cells = [*(f"w{i}" for i in range(60)), *(str(i) for i in range(60))]
        bench.upload(csv({"size": cells}))
        run = bench.train(spec({"size": "numeric"}))
        assert run["status"] == "succeeded", run["error"]
        rows = [{"size": "w7"}, {"size": "never seen"}, {"size": None}, {"size": "30"}]
        answer = bench.client.post("/v1/models/m/predict", json={"instances": rows})
        first, second, third, other = answer.json()["predictions"]
        assert first == second == third != other
        assert [w["row"] for w in answer.json()["warnings"]] == [0, 1]

    def test_a_target_of_another_type(self, bench):
        """Numbers read as classes keep the file's spelling."""
        bench.upload(csv({"quality": ("03", "3", "4.0"), "x": ("1", "2", "3")}))
        given = spec({"quality": "categorical"}, target="quality", features={"include": ["x"]})  # fmt: skip
        run = bench.train(given)
        assert (run["status"], run["task"]) == ("succeeded", "multiclass"), run["error"]
        rows = {"instances": [{"x": 1}, {"x": 2}]}
        answer = bench.client.post("/v1/models/m/predict", json=rows).json()
        assert set(answer["probabilities"][0]) == {"03", "3", "4.0"}
        assert set(answer["predictions"]) <= {"03", "3", "4.0"}

    def test_a_split_by_a_column_of_another_type(self, bench):
        """A split reads groups and times from the original text."""
        sides = ("train", "train", "validation", "test")
        days = [f"{i % 28 + 1}.{i // 28 + 1}.2024" for i in range(NUM_ROWS)]
        days[3] = "soon"
        bench.upload(csv({"x": ("1", "2", "3"), "side": sides, "when": days}))
        by_time = {"by": "time", "column": "when", "test": 0.2}
        run = bench.train(spec({"when": "datetime"}, split=by_time))
        assert run["status"] == "succeeded", run["error"]
        by_group = {"by": "group", "column": "x", "test": 0.4}
        run = bench.train(spec({"x": "categorical"}, split=by_group))
        assert run["status"] == "succeeded", run["error"]

    def test_a_validation_dataset_is_read_as_the_run_reads(self, bench):
        """Its upload read the codes as numbers or as other categories."""
        bench.upload(csv())
        held = {**CELLS, "zip": ("6", "1"), "day": CELLS["day"][::-1], "yn": ("N",)}
        bench.upload(csv(held, 40), name="held")
        kinds = dict.fromkeys(("zip", "day", "yn"), "categorical")
        features = {"include": ["zip", "day", "yn"]}
        fit = FIT | {"validation_dataset": "held"}
        run = bench.train(spec(kinds, features=features, fit=fit))
        assert run["status"] == "succeeded", run["error"]
        assert run["metrics"]["val_loss"] is not None
        other = {**held, "zip": ("77", "78")}
        bench.upload(csv(other, 40), name="other")
        refused = spec(
            kinds, features=features, fit=FIT | {"validation_dataset": "other"}
        )
        answer = bench.client.post("/v1/runs", json=refused)
        (error,) = assert_problem(answer, 422, "invalid-spec")["errors"]
        assert error["pointer"] == "#/fit/validation_dataset"

    @pytest.mark.parametrize("newer", [{}, {"zip": "categorical"}])
    def test_promotion_between_two_readings(self, bench, newer):
        """The held-out rows are read for each version with that version's types."""
        bench.upload(csv())
        older = {} if newer else {"zip": "categorical"}
        features = {"include": ["zip", "day"]}
        for types in (older, newer):
            run = bench.train(spec(types, features=features))
            assert run["status"] == "succeeded", run["error"]
        url = "/v1/models/m/aliases/live"
        assert bench.client.put(url, json={"version": 1}).status_code == 200
        require = {"mae": "<= current", "rmse": "< 1000000"}
        answer = bench.client.put(url, json={"version": 2, "require": require})
        assert answer.status_code in (200, 409), answer.text
        if answer.status_code == 409:
            problem = assert_problem(answer, 409, "requirement-not-met")
            assert [e["pointer"] for e in problem["errors"]] == ["#/require/mae"]

    def test_a_run_continues_from_its_checkpoint(self, bench, monkeypatch):
        """The second attempt uses the same rows and categories."""
        from workers.heartbeat import Heartbeat
        from workers.training import xla

        stop, original = Event(), Heartbeat.epoch_ended

        def epoch_ended(pulse, epoch, logs, fit):
            original(pulse, epoch, logs, fit)
            if epoch == 3:
                stop.set()

        monkeypatch.setattr(xla, "_PRICE_SECONDS", float("inf"))
        bench.upload(csv())
        given = spec({"zip": "categorical", "size": "numeric"}, fit=FIT | {"epochs": 6})
        whole = bench.train(given)
        run_id = bench.post(given)
        monkeypatch.setattr(Heartbeat, "epoch_ended", epoch_ended)
        stopped = bench.execute(run_id, stop.is_set)
        assert (stopped["status"], stopped["progress"]["epoch"]) == ("queued", 3)
        run = bench.execute(run_id)
        assert (run["status"], run["attempt"]) == ("succeeded", 2), run["error"]
        assert run["metrics"] == whole["metrics"]


class TestQueued:
    """A queued run needs the original."""

    def test_its_dataset_cannot_be_deleted(self, bench):
        bench.upload(csv())
        run_id = bench.post(spec({"zip": "categorical"}))
        answer = bench.client.delete("/v1/datasets/table")
        assert_problem(answer, 409, "dataset-in-use")
        bench.client.post(f"/v1/runs/{run_id}/cancel")
        assert bench.client.delete("/v1/datasets/table").status_code == 204

    @pytest.mark.parametrize("spelled", ["gro\u0308ße", " größe ", "größe"])
    @pytest.mark.parametrize("header", ["gro\u0308ße", "größe"])
    def test_names_are_found_in_any_form_of_unicode(self, bench, header, spelled):
        """This holds for every key that names columns; the run has the dataset's spelling."""
        more = {"two": ("1", "2", "3"), "three": ("x", "y")}
        bench.upload(csv({header: [f"{i:02}" for i in range(12)], **more}))
        other = f"\t{spelled}"
        kinds = {spelled: "categorical"}
        by = {"by": "group", "column": other}
        specs = [
            spec(kinds, target=spelled, features={"include": [" two"]}),
            spec(kinds, features={"include": [spelled, "two "]}),
            spec(features={"exclude": [spelled]}),
            spec(features={"include": ["two"]}, split=by),
        ]
        found = []
        for given in specs:
            answer = bench.client.post("/v1/runs", json=given)
            assert answer.status_code == 202, answer.text
            found.append(answer.json()["spec"])
        first, second, third, fourth = found
        assert first["target"] == "größe"
        assert first["features"]["types"] == {"größe": "categorical"}
        assert first["features"]["include"] == ["two"]
        assert second["features"]["include"] == ["größe", "two"]
        assert third["features"]["exclude"] == ["größe"]
        assert fourth["split"]["column"] == "größe"
