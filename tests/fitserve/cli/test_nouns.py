"""Test `fitserve datasets`, `runs` and `models`."""

import json

import pytest

from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem


def test_datasets_are_listed(wire, fitserve):
    """The table has name, size and id."""
    wire.answers("GET /v1/datasets", bodies.page(bodies.dataset()))
    header, row = fitserve("datasets", "list").stdout.splitlines()
    assert header.split() == ["name", "version", "rows", "columns", "created", "id"]
    assert row.split()[:4] == ["wine", "1", "3", "1"]
    assert row.split()[-1] == "ds_1"


def test_a_dataset_is_uploaded_and_shown(wire, fitserve, tmp_path):
    """The table has the detected columns; a pipe gets no progress bar."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    path = tmp_path / "[x] wine.csv"
    path.write_text("alcohol\n9\n")
    done = fitserve("datasets", "upload", path, "--name", "red")
    first, _, column = done.stdout.splitlines()
    assert first == "wine  3 rows  ds_1"
    assert column.split() == ["alcohol", "numeric", "0", "3", "9", "11.5", "14"]
    assert done.stderr == ""
    assert wire.asked[0].query["name"] == "red"


def test_rows_are_appended_and_the_differences_shown(wire, fitserve, tmp_path):
    """The new version comes first, then its warnings, notes and columns."""
    note = "the column 'ph': missing in rows 1 to 2: they are earlier than the column"
    odd = "2 of the 3 appended rows are already in wine@1 and count twice"
    read = bodies.dataset(
        version=2,
        parent_id="ds_0",
        num_added=1,
        warnings=[note, odd],
        warning_kinds=["appended", "repeated"],
    )
    read["columns"][0] |= {
        "warnings": ["2 cells are infinite", "constant; left out of training"],
        "warning_kinds": ["reading", "left_out"],
    }
    wire.answers("POST /v1/datasets/wine/rows", Answer(read, 201))
    path = tmp_path / "more.csv"
    path.write_text("alcohol\n9\n")
    done = fitserve("datasets", "append", "wine", path, "--decimal", ",")
    *lines, head, _ = done.stdout.splitlines()
    assert lines == [
        "1 row added to wine@2",
        f"warning: {odd}",
        f"note: {note}",
        "wine@2  3 rows  ds_1",
    ]
    assert head.split()[-2:] == ["warnings", "notes"]
    column = done.stdout.splitlines()[-1]
    warned = column.index("2 cells are infinite")
    assert (warned, column.index("constant;")) == (
        head.index("warnings"),
        head.index("notes"),
    )
    assert wire.asked[0].query == {"filename": "more.csv", "decimal": ","}


def test_a_refused_append_names_the_line_of_the_file(wire, fitserve, tmp_path):
    detail = "row 2, column 'alcohol': 'x' is not a number"
    error = {"pointer": "#/rows/1/alcohol", "detail": detail, "row": 1}
    answer = problem(422, "invalid-table", f"{detail}.", (error,))
    wire.answers("POST /v1/datasets/wine/rows", answer)
    path = tmp_path / "more.csv"
    path.write_text("alcohol\n9\nx\n")
    done = fitserve("datasets", "append", "wine", path)
    said = f"  {path}, line 3, column 'alcohol': 'x' is not a number"
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (3, said)


def test_a_missing_file_is_wrong_usage(fitserve, wire, tmp_path):
    """No request is sent."""
    assert fitserve("datasets", "upload", tmp_path / "none.csv").exit_code == 2
    assert wire.asked == []


def test_a_dataset_is_deleted(wire, fitserve):
    """A key may delete and not read. The confirmation is on stderr; stdout is empty."""
    wire.answers("DELETE /v1/datasets/wine", Answer(status=204))
    wire.answers("GET /v1/datasets/wine", problem(403, "insufficient-scope", "no"))
    done = fitserve("datasets", "delete", "wine")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "deleted dataset 'wine'\n"


def test_a_dataset_is_renamed(wire, fitserve):
    """The sentence has both names."""
    wire.answers("PATCH /v1/datasets/wine", bodies.dataset(name="red"))
    assert fitserve("datasets", "rename", "wine", "red").stdout == (
        "renamed 'wine' to 'red'\n"
    )


def test_runs_are_listed_by_filter_up_to_a_limit(wire, fitserve):
    """The service filters; the client applies the limit."""
    wire.answers("GET /v1/runs", bodies.page(*[bodies.run_summary()] * 3))
    done = fitserve("runs", "list", "--status", "succeeded", "--model", "wine",
                    "--tag", "team:red", "--target", "quality", "--text", "wider", "--limit", 2)  # fmt: skip
    _, *rows = done.stdout.splitlines()
    assert [row.split() for row in rows] == [
        ["run_1", "succeeded", "wine", "2", "-", "-", "quality", "3/5", "0.5"]
    ] * 2
    assert wire.asked[0].query == {
        "status": "succeeded",
        "model": "wine",
        "tag": "team:red",
        "target": "quality",
        "text": "wider",
        "view": "summary",
    }


def test_a_list_as_json_has_whole_runs(wire, fitserve):
    """The table needs only summaries."""
    wire.answers("GET /v1/runs", bodies.page(bodies.run()))
    assert json.loads(fitserve("runs", "list", "--json").stdout) == [bodies.run()]
    assert wire.asked[0].query == {}


def test_an_empty_list_says_so(wire, fitserve):
    """On stderr: stdout has the header only, and `[]` with --json."""
    wire.answers("GET /v1/runs", bodies.page())
    done = fitserve("runs", "list", "--status", "failed")
    assert done.stdout.split()[:2] == ["id", "status"]
    assert done.stderr == "none found\n"
    done = fitserve("runs", "list", "--json")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_tag_has_a_name_and_a_value(wire, fitserve):
    """Nothing is sent otherwise."""
    done = fitserve("runs", "list", "--tag", "red")
    assert done.exit_code == 2
    assert "name:value" in done.stderr
    assert wire.asked == []


def test_tags_and_notes_of_a_run_are_changed(wire, fitserve):
    """Only what is given is sent; the answer is printed."""
    wire.answers(
        "PATCH /v1/runs/run_1",
        bodies.run(tags={"team": "red", "size": "wide"}),
        bodies.run(tags={}, notes="wider"),
    )
    done = fitserve("runs", "tag", "run_1", "team:red", "size:a:b", "--remove", "old")
    assert done.stdout == "run_1: team:red, size:wide\n"
    done = fitserve("runs", "note", "run_1", "wider")
    assert done.stdout == "run_1: wider\n"
    assert fitserve("runs", "note", "run_1", "").exit_code == 0
    assert fitserve("runs", "tag", "run_1", "--remove", "old").exit_code == 0
    assert wire.asked.pop().json == {"tags": {"old": None}}
    assert [asked.json for asked in wire.asked] == [
        {"tags": {"team": "red", "size": "a:b", "old": None}},
        {"notes": "wider"},
        {"notes": ""},
    ]
    assert fitserve("runs", "tag", "run_1", "red").exit_code == 2


def test_a_run_is_shown_as_json(wire, fitserve):
    """The JSON contains the resolved spec."""
    wire.answers("GET /v1/runs/run_1", bodies.run(spec={"fit": {"seed": 1}}))
    shown = json.loads(fitserve("runs", "show", "run_1").stdout)
    assert shown["spec"] == {"fit": {"seed": 1}}


def test_cancel_reports_whether_the_run_has_ended(wire, fitserve):
    """A running run stops soon; a queued run has ended; an ended run stays as it is."""
    route = "POST /v1/runs/run_1/cancel"
    statuses = ("running", "cancelled", "succeeded")
    wire.answers(route, *(bodies.run(status) for status in statuses))
    said = [fitserve("runs", "cancel", "run_1").stdout for _ in statuses]
    assert said == [
        "run_1: running, stopping soon\n",
        "run_1: cancelled\n",
        "run_1: succeeded; it had already ended\n",
    ]


def test_an_upload_may_have_parsing_options(wire, fitserve, tmp_path):
    """Options become the query; a type without a column is refused."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    path = tmp_path / "wine.csv"
    path.write_text("alcohol\n9,5\n")
    done = fitserve(
        *("datasets", "upload", path, "--decimal", ",", "--no-header"),
        *("--type", "a=b=text", "--null", "x", "--null", "y"),
    )
    assert done.exit_code == 0, done.output
    query = wire.asked[0].query
    assert (query["decimal"], query["header"]) == (",", "false")
    assert query["types"] == '{"a=b": "text"}'
    assert fitserve("datasets", "upload", path, "--type", "text").exit_code == 2


@pytest.mark.parametrize("command", ["upload", "preview"])
def test_a_type_may_be_an_object(wire, fitserve, tmp_path, command):
    """Its JSON is part of the query; what is not JSON is refused before it is sent."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    wire.answers("POST /v1/datasets/preview", Answer(bodies.preview(), 200))
    path = tmp_path / "wine.csv"
    path.write_text("a=b\n1=2\n")
    fits = {"type": "datetime", "format": "%d=%m %Y"}
    done = fitserve(
        *("datasets", command, path, "--type", f"a=b={json.dumps(fits)}"),
        *("--type", "c=numeric"),
    )
    assert done.exit_code == 0, done.output
    assert json.loads(wire.asked[0].query["types"]) == {"a=b": fits, "c": "numeric"}
    refused = fitserve("datasets", command, path, "--type", 'a={"type": datetime}')
    assert refused.exit_code == 2
    assert "is not JSON" in refused.output
    assert len(wire.asked) == 1


def test_a_preview_shows_columns_and_rows(wire, fitserve, tmp_path):
    """And how many rows were read, with the warnings."""
    wire.answers("POST /v1/datasets/preview", Answer(bodies.preview(), 200))
    path = tmp_path / "wine.csv"
    path.write_text("alcohol\n9.5\n")
    done = fitserve("datasets", "preview", path)
    assert done.exit_code == 0, done.output
    for shown in ("1 row read, more follow", "a warning", "alcohol", "numeric", "9.5"):
        assert shown in done.output
    assert wire.asked[0].body == path.read_bytes()


def test_a_promotion_may_require_figures(wire, fitserve):
    """`--require` may be repeated; an invalid condition is wrong usage."""
    wire.answers("PUT /v1/models/wine/aliases/live", bodies.version(2))
    required = (
        "--alias",
        "live",
        "--require",
        "roc_auc>=current",
        "--require",
        "brier=< 0.2",
    )
    done = fitserve("models", "promote", "wine", "2", *required)
    assert done.exit_code == 0, done.stderr
    assert wire.asked[-1].json == {
        "version": 2,
        "require": {"roc_auc": ">=current", "brier": "< 0.2"},
    }
    done = fitserve(
        "models", "promote", "wine", "2", "--alias", "live", "--require", "better"
    )
    assert done.exit_code == 2
    assert "roc_auc>=current" in done.stderr


def test_lists_show_the_main_figure_next_to_the_best_baseline(wire, fitserve):
    """Runs, models, versions and compared runs; a run without a figure has dashes."""
    figure = bodies.main_figure()
    runs = [bodies.run(main_figure=figure), bodies.run(main_figure=None)]
    wire.answers("GET /v1/models", bodies.page({**bodies.model(), "main_figure": figure}))
    versions = bodies.page(bodies.version(main_figure=figure))
    wire.answers("GET /v1/models/wine/versions", versions)
    summaries = [bodies.run_summary(main_figure=run["main_figure"]) for run in runs]
    compared = [{**run, "fit_seconds": 1.0, "headline": None} for run in runs]
    body = {"runs": compared, "epoch": [], "curves": {}, "differences": []}
    wire.answers("GET /v1/runs/compare", {**body, "warnings": []})
    wire.answers("GET /v1/runs", bodies.page(*summaries))
    listed = fitserve("runs", "list").stdout.splitlines()
    assert "version  main figure          best baseline  target" in listed[0]
    assert "2        R² 0.84 (0.80–0.88)  linear 0.61    quality" in listed[1]
    assert listed[2].split()[4:6] == ["-", "-"]
    for noun in (("list",), ("show", "wine")):
        assert "R² 0.84 (0.80–0.88)  linear 0.61" in fitserve("models", *noun).stdout
    rows = fitserve("runs", "compare", "run_1", "run_1").stdout.splitlines()
    assert ["main", "figure", "R²", "0.84", "(0.80–0.88)", "-"] in [
        r.split() for r in rows
    ]
    assert ["best", "baseline", "linear", "0.61", "-"] in [r.split() for r in rows]


def test_json_reports_the_action(wire, fitserve, tmp_path):
    """Each command prints one object; runs and versions are as in the API."""
    artifact = "GET /v1/models/wine/versions/2/artifacts/model.onnx"
    wire.answers("DELETE /v1/datasets/ds_1", Answer(status=204))
    wire.answers("GET /v1/datasets/wine", bodies.dataset())
    wire.answers("POST /v1/runs/run_1/cancel", bodies.run("cancelled"))
    wire.answers("PUT /v1/models/wine/aliases/live", bodies.version(1))
    wire.answers(artifact, Answer(b"onnx"))
    target = tmp_path / "m.onnx"

    def result(*args):
        return json.loads(fitserve(*args, "--json").stdout)

    deleted = {"deleted": "wine", "id": "ds_1", "version": 1}
    assert result("datasets", "delete", "wine") == deleted
    assert result("runs", "cancel", "run_1")["status"] == "cancelled"
    promote = ("models", "promote", "wine", 1, "--alias", "live")
    assert result(*promote)["version"] == 1
    download = ("models", "download", "wine", 2, "model.onnx", "--to", target)
    assert result(*download) == {"path": str(target)}


def test_a_model_or_one_version_is_deleted(wire, fitserve):
    """The confirmation is on stderr, or an object on stdout."""
    wire.answers("DELETE /v1/models/wine", Answer(status=204))
    wire.answers("DELETE /v1/models/wine/versions/2", Answer(status=204))
    done = fitserve("models", "delete", "wine")
    assert (done.stdout, done.stderr) == (
        "",
        "deleted model 'wine' with all its versions\n",
    )
    printed = fitserve("models", "delete", "wine", "--version", 2, "--json").stdout
    assert json.loads(printed) == {"deleted": "wine", "version": 2, "alias": None}
    assert [asked.path for asked in wire.asked if asked.method == "DELETE"] == [
        "/v1/models/wine",
        "/v1/models/wine/versions/2",
    ]


def test_an_alias_alone_is_deleted(wire, fitserve):
    """The version remains; `--alias` with `--version` is wrong usage."""
    wire.answers("DELETE /v1/models/wine/aliases/live", Answer(status=204))
    done = fitserve("models", "delete", "wine", "--alias", "live")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "deleted alias 'live' of model 'wine'; the version is kept\n"
    printed = fitserve("models", "delete", "wine", "--alias", "live", "--json").stdout
    assert json.loads(printed) == {"deleted": "wine", "version": None, "alias": "live"}
    both = fitserve("models", "delete", "wine", "--alias", "live", "--version", 2)
    assert (both.exit_code, len(wire.asked)) == (2, 2)
