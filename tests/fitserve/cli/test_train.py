"""Test `fitserve train`, `fitserve watch`, and their progress output."""

import io
import json

import pytest
from rich.console import Console

from fitserve import Client
from fitserve.cli import progress, report
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem, sse

SPEC = {"target": "quality", "fit": {"epochs": 5}}
EPOCHS = [("epoch", bodies.epoch(number)) for number in (1, 2, 3)]


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(SPEC))
    return path


@pytest.fixture
def trained(wire):
    """Return the answers of a successful run."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(), 201))
    wire.answers("POST /v1/runs", Answer(bodies.run("queued"), 202))
    wire.answers("GET /v1/runs/run_1", bodies.run("queued"))
    wire.answers("GET /v1/runs/run_1/events", sse(*EPOCHS, ("status", bodies.run())))
    wire.answers("GET /v1/runs/run_1/report", bodies.report())
    return wire


def test_what_was_left_out_is_said_at_the_end(trained, fitserve, spec):
    """The run's warnings; `runs report` lists the columns with their reasons."""
    warning = "1 column is left out of training: 'title' (free text)"
    done = bodies.run(warnings=[warning])
    events = sse(*EPOCHS, ("status", done))
    trained.answers("GET /v1/runs/run_1/events", events)
    lines = fitserve("train", spec).stdout.splitlines()
    assert f"warning: {warning}" in lines
    excluded = {"quality": "the target", "title": "free text"}
    trained.answers("GET /v1/runs/run_1/report", bodies.report(excluded=excluded))
    assert "not features: title (free text)" in fitserve("runs", "report", "run_1").stdout


def sent(wire):
    return next(asked.json for asked in wire.asked if asked.path == "/v1/runs")


def test_train_prints_the_result_and_the_next_command(trained, fitserve, spec):
    """The output has stop reason, best epoch, metrics, version, and the predict command."""
    done = fitserve("train", spec)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "epoch 1/5  loss 1  val_loss 2",
        "succeeded (early_stopping) after epoch 3, kept epoch 2",
        "  loss                     0.25",
        "  val_loss                 0.5",
        "R² 0.84 on 480 validation rows; linear 0.61",
        "drift: it moved",
        "still improving: It still fell. Try more epochs.",
        "model wine, version 2; now try:",
        "  fitserve predict wine ROWS.csv",
        "  fitserve open run_1",
    ]
    assert done.stderr == "queued run_1\n"
    assert sent(trained) == SPEC


def test_a_version_that_does_not_serve_says_what_serves(trained, fitserve, spec):
    """The command to predict names the new version, and one more lets it serve."""
    trained.answers("GET /v1/models/wine", bodies.model(serving_version=1))
    *_, title, command, _ = fitserve("train", spec).stdout.splitlines()
    promote = "`fitserve models promote wine 2`"
    assert title == f"model wine, version 2 (version 1 serves; {promote}); now try:"
    assert command == "  fitserve predict wine ROWS.csv --version 2"
    trained.answers("GET /v1/models/wine", bodies.model(serving_version=2))
    undo = "serves now; `fitserve models rollback wine` undoes that"
    assert f"model wine, version 2 ({undo}); now try:" in fitserve("train", spec).stdout


def of_two_versions(wire, own, other, **changes):
    """Answer with version 2, which serves, and the figures of it and of version 1."""
    against = {
        "against": 1,
        "served": True,
        "num_rows": 3,
        "spec": [],
        "contract": [],
        "dataset": bodies.run()["dataset"],
        "not_comparable": [],
    }
    new = bodies.version(2, serves=True, main_figure=own, changes=against | changes)
    old = bodies.version(1, run_id="run_0", main_figure=other)
    wire.answers("GET /v1/models/wine", bodies.model(serving_version=2))
    wire.answers("GET /v1/models/wine/versions/2", new)
    wire.answers("GET /v1/models/wine/versions/1", old)


def test_a_worse_version_is_said_to_be_worse(trained, fitserve, spec):
    """The figures are those of the new version and of the one that it replaced."""
    own = bodies.main_figure(value=0.5, low=0.4, high=0.6)
    of_two_versions(trained, own, bodies.main_figure())
    assert (
        "version 2 is worse than version 1, which served before: R² 0.50 (0.40–0.60) "
        "against R² 0.84 (0.80–0.88); the intervals do not overlap\n"
    ) in fitserve("train", spec).stdout


def of_other_rows(wire, common):
    """Answer with two versions whose reports have figures of different rows."""
    own = bodies.main_figure(value=0.5, low=0.4, high=0.6)
    reasons = ["the datasets differ", "the seeds differ"]
    of_two_versions(wire, own, bodies.main_figure(), not_comparable=reasons)
    compared = {"runs": [], "epoch": [], "curves": {}, "differences": [], "warnings": []}
    wire.answers("GET /v1/runs/compare", {**compared, "common": common})


def test_versions_that_cannot_be_compared_say_why(trained, fitserve, spec):
    of_other_rows(trained, None)
    assert (
        "version 2 has R² 0.50 (0.40–0.60) and version 1, which served before, has R² "
        "0.84 (0.80–0.88): not comparable, because the datasets differ; the seeds differ"
    ) in fitserve("train", spec).stdout.splitlines()


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.375, -0.125, "is worse than"),
        (-0.375, 0.125, "shows no clear difference from"),
    ],
)
def test_common_rows_compare_versions(trained, fitserve, spec, low, high, words):
    """One sentence leads with the comparison, and says that the reports have other rows."""
    common = {"metric": "r2", "side": "test", "num_rows": 60, "values": [0.75, 0.5]}
    of_other_rows(trained, {**common, "low": low, "high": high})
    lines = fitserve("train", spec).stdout.splitlines()
    (line,) = (line for line in lines if "version 1" in line)
    assert line == (
        f"version 2 {words} version 1, which served before: R² on 60 common test rows is "
        f"0.5 against 0.75, difference -0.25 ({low} to {high}); the figures of their "
        "reports, R² 0.50 (0.40–0.60) and R² 0.84 (0.80–0.88), are of different rows, "
        "because the datasets differ and the seeds differ"
    )
    assert trained.asked[-1].query == {"ids": "run_0,run_1"}


def test_a_table_is_uploaded_first(trained, fitserve, spec, tmp_path):
    """The run uses the id of that upload; the name of the file is the name of the model."""
    data = tmp_path / "wine.csv"
    data.write_text("quality\n1\n")
    done = fitserve("train", spec, data)
    assert "uploaded wine: 3 rows" in done.stderr
    assert sent(trained) == {**SPEC, "dataset": "ds_1", "model_name": "wine"}


def test_a_given_name_is_the_name_of_the_model(trained, fitserve, spec):
    fitserve("train", spec, "--name", "red")
    assert sent(trained)["model_name"] == "red"


def test_without_watching_the_command_to_watch_is_printed(trained, fitserve, spec):
    """No further request is sent."""
    done = fitserve("train", spec, "--no-watch")
    assert done.stdout == "fitserve watch run_1\n"
    assert trained.paths() == ["/v1/runs"]


def test_json_prints_the_ended_run(trained, fitserve, spec):
    """Progress goes to stderr."""
    done = fitserve("train", spec, "--json")
    assert json.loads(done.stdout)["status"] == "succeeded"
    assert "epoch 1/5" in done.stderr


def test_json_prints_a_failed_run(trained, fitserve, spec):
    """The exit code is 1, and stdout has the run."""
    failed = sse(("status", bodies.failed_run()))
    trained.answers("GET /v1/runs/run_1/events", failed)
    done = fitserve("train", spec, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["type"] == "/problems/nan-loss"


def test_train_waits_for_baselines(trained, fitserve, spec, monkeypatch):
    """The baselines are ready a few seconds after the end of the run."""
    monkeypatch.setattr(report, "_LOOK_SECONDS", 0.01)
    pending = bodies.report(baselines=bodies.baselines("pending"), summary="R² alone")
    trained.answers("GET /v1/runs/run_1/report", pending, pending, bodies.report())
    done = fitserve("train", spec)
    assert "R² 0.84 on 480 validation rows; linear 0.61" in done.stdout
    assert "R² alone" not in done.stdout


def test_the_report_of_a_failed_run_is_printed(trained, fitserve, spec):
    """The reading of the curve and the advice precede the error."""
    failed = sse(("status", bodies.failed_run()))
    trained.answers("GET /v1/runs/run_1/events", failed)
    done = fitserve("train", spec)
    assert done.exit_code == 1
    assert "Try more epochs." in done.stdout


def test_a_run_without_a_report_succeeds(trained, fitserve, spec, client_clock):
    """stderr has the reason, and the exit code is 0."""
    answer = problem(503, "artifact-damaged", "report.json is damaged.")
    trained.answers("GET /v1/runs/run_1/report", answer)
    done = fitserve("train", spec)
    assert done.exit_code == 0
    assert "report.json is damaged." in done.stderr
    assert "now try:" in done.stdout


def test_missing_parts_are_reported_by_reason(trained, fitserve):
    """Each reason is printed once, with all parts that it concerns."""
    missing = [
        {"part": part, "reason": reason}
        for part, reason in (
            ("metrics", "stopped"),
            ("traps", "stopped"),
            ("plots", "late"),
        )
    ]
    trained.answers("GET /v1/runs/run_1/report", bodies.report(missing=missing))
    done = fitserve("runs", "report", "run_1")
    lines = [line for line in done.stdout.splitlines() if "not measured" in line]
    assert lines == [
        "not measured: metrics, traps (stopped)",
        "not measured: plots (late)",
    ]


def test_a_run_of_several_fits_prints_the_fit(trained, fitserve, spec):
    """The fit is on every line, and with the kept epoch."""
    epochs = [("epoch", bodies.epoch(k, fit=k)) for k in (1, 2)]
    ended = bodies.run(kept_fit=1)
    trained.answers("GET /v1/runs/run_1/events", sse(*epochs, ("status", ended)))
    done = fitserve("train", spec)
    assert "epoch 1/5  fit 1  loss 1" in done.stdout
    assert "kept epoch 2 of fit 1" in done.stdout


def test_the_next_spec_is_saved(trained, fitserve, tmp_path):
    """`runs report --next-spec` writes a spec for the next run."""
    path = tmp_path / "next.json"
    done = fitserve("runs", "report", "run_1", "--next-spec", path)
    assert done.exit_code == 0, done.stderr
    assert json.loads(path.read_text()) == {"target": "quality"}


def test_the_advice_ends_with_the_commands_that_follow_it(trained, fitserve):
    """The words are the title and the label of the report."""
    advice = {
        "title": "A column gives the target away",
        "suggestion": {"kind": "leave_out", "label": "Leave out a and train", "spec": {}},
    }
    reading = bodies.report()["reading"] | advice
    trained.answers("GET /v1/runs/run_1/report", bodies.report(reading=reading))
    lines = fitserve("runs", "report", "run_1").stdout.splitlines()
    commands = (
        "fitserve runs report run_1 --next-spec next.json && fitserve train next.json"
    )
    assert lines[-2:] == [
        "A column gives the target away. It still fell. Try more epochs.",
        f"Leave out a and train: {commands}",
    ]
    reading |= {"title": "Good", "suggestion": None}
    trained.answers("GET /v1/runs/run_1/report", bodies.report(reading=reading))
    lines = fitserve("runs", "report", "run_1").stdout.splitlines()
    assert lines[-1] == "Good. It still fell. Try more epochs."


def test_no_spec_is_saved_where_none_is_suggested(trained, fitserve, tmp_path):
    """stderr has the advice instead."""
    reading = bodies.report()["reading"] | {"title": "Good", "advice": "Add rows."}
    trained.answers("GET /v1/runs/run_1/report", bodies.report(reading=reading))
    path = tmp_path / "next.json"
    done = fitserve("runs", "report", "run_1", "--next-spec", path)
    assert done.exit_code == 0
    assert "no spec is suggested. Add rows." in done.stderr
    assert not path.exists()


def test_ctrl_c_explains_that_the_run_continues(trained, fitserve, monkeypatch):
    """stderr names the commands to watch and to cancel the run."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fitserve.cli.train.follow", interrupted)
    done = fitserve("watch", "run_1")
    assert done.exit_code == 130
    assert "`fitserve watch run_1`" in done.stderr
    assert "`fitserve runs cancel run_1`" in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"), [("{", "is not JSON"), ("[]", "is not a JSON object")]
)
def test_an_invalid_spec_is_wrong_usage(wire, fitserve, spec, text, sentence):
    """No request is sent."""
    spec.write_text(text)
    done = fitserve("train", spec)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert wire.asked == []


def test_metrics_with_long_names_are_aligned(trained, fitserve):
    """Large losses are plain numbers."""
    metrics = {"loss": 688412345.6, "val_root_mean_squared_error": 54.5812}
    ended = bodies.run(metrics=metrics)
    trained.answers("GET /v1/runs/run_1/events", sse(("status", ended)))
    lines = fitserve("watch", "run_1").stdout.splitlines()
    assert "  loss                        688,412,346" in lines
    assert "  val_root_mean_squared_error 54.58" in lines


def test_a_cancelled_run_is_no_failure(trained, fitserve):
    """The exit code is 0, and no predict command is printed."""
    cancelled = bodies.run("cancelled", stop_reason="cancelled")
    trained.answers("GET /v1/runs/run_1/events", sse(("status", cancelled)))
    done = fitserve("watch", "run_1")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "cancelled (cancelled) after epoch 0"
    assert "now try:" not in done.stdout


def test_a_terminal_gets_a_bar(trained, monkeypatch):
    """The bar shows the epoch and both losses, and no remaining time at the end."""
    monkeypatch.setenv("TERM", "xterm")  # a dumb terminal gets lines
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    with Client(trained.url) as client:
        assert progress.watch(client, "run_1", console).model_version == 2
    last = screen.getvalue().rstrip("\n\x1b[?25h").splitlines()[-1]
    assert "3/5" in last
    assert "loss 0.3333  val_loss 0.6667" in last
    assert "≤" not in last


def test_a_timeout_ends_the_wait(trained, fitserve):
    """The exit code is 5; the run continues."""
    queued = sse(("status", bodies.run("queued")), hold=20.0)
    trained.answers("GET /v1/runs/run_1/events", queued)
    done = fitserve("watch", "run_1", "--timeout", 0.2)
    assert done.exit_code == 5
    assert done.stderr == "run_1 has not ended in time; it continues.\n"
