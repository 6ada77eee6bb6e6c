"""The command line as a whole: help, exit codes, errors on stderr."""

import json
import re
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fitserve import __version__
from fitserve.cli.app import make_app
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem, sse


def code(text):
    """A Python process of its own; returncode, stdout, stderr."""
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False
    )


def test_help_names_every_command_and_exit_code():
    """What a newcomer reads first."""
    shown = CliRunner().invoke(make_app(), ["--help"]).stdout
    for name in ("train", "watch", "predict", "datasets", "runs", "models", "up"):
        assert re.search(rf"^\W*{name} ", shown, re.MULTILINE), name
    for word in ("0 done", "1 the run failed", "2 wrong usage", "3 the service refused"):
        assert word in shown
    assert "4 no service answers" in " ".join(shown.split())


def test_version_is_printed():
    """And nothing else."""
    assert CliRunner().invoke(make_app(), ["--version"]).stdout == (
        f"fitserve {__version__}\n"
    )


@pytest.mark.parametrize(
    "arguments", [[], ["--url", "http://x"], ["trian"], ["watch"], ["runs", "show"]]
)
def test_wrong_usage_is_2(arguments):
    """Nothing, nothing to do, no such command, an argument missing."""
    assert CliRunner().invoke(make_app(), arguments).exit_code == 2


def test_a_failed_run_is_1(wire, fitserve):
    """The reason stands on stderr."""
    wire.answers("GET /v1/runs/run_1", bodies.run("running"))
    wire.answers("GET /v1/runs/run_1/events", sse(("status", bodies.failed_run())))
    wire.answers("GET /v1/runs/run_1/report", bodies.report())
    done = fitserve("watch", "run_1")
    assert done.exit_code == 1
    assert done.stderr == "run_1 failed: The loss became NaN in epoch 4.\n"


def test_a_refusal_is_3_with_its_hints(wire, fitserve, tmp_path):
    """Sentence, then a line for each field; stdout stays clean."""
    lines = ({"pointer": "#/fit", "detail": "[bold]?", "hint": "did you mean `fit`?"},)
    long = "The spec names columns that the dataset lacks. " * 5
    wire.answers("POST /v1/runs", problem(422, "invalid-spec", long, lines))
    spec = tmp_path / "spec.json"
    spec.write_text("{}")
    done = fitserve("train", spec)
    assert done.exit_code == 3
    assert done.stderr == f"{long}\n  #/fit: [bold]? (did you mean `fit`?)\n"
    assert done.stdout == ""


def test_no_service_is_4():
    """And says how to start one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = CliRunner().invoke(make_app(), ["--url", url, "runs", "list"])
    assert done.exit_code == 4
    assert "fitserve up" in done.stderr


def test_another_service_is_4(wire, fitserve):
    """It answers, and not as fitserve does."""
    wire.answers("GET /v1/runs", {"hello": "world"})
    done = fitserve("runs", "list")
    assert done.exit_code == 4
    assert "no fitserve" in done.stderr


def test_url_and_key_may_stand_before_the_command(wire):
    """Global options."""
    wire.answers("GET /v1/models", bodies.page())
    arguments = ["--url", wire.url, "--api-key", "secret", "models", "list"]
    assert CliRunner().invoke(make_app(), arguments).exit_code == 0
    assert wire.asked[0].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize("option", ["--limit=2000", "--json"])
def test_a_reader_that_goes_away_hears_no_complaint(wire, option):
    """`fitserve runs list | true`, table or JSON."""
    wire.answers("GET /v1/runs", bodies.page(*[bodies.run()] * 2000))
    script = (
        f"from fitserve.cli.app import main; import sys; "
        f"sys.argv = ['fitserve', '--url', '{wire.url}', 'runs', 'list', '{option}']"
        "; main()"
    )
    done = subprocess.run(
        ["bash", "-c", f'{sys.executable} -c "{script}" | true; exit ${{PIPESTATUS[0]}}'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_an_extras_command_is_imported_only_when_it_is_named():
    """A client never pays for the server."""
    script = (
        "import sys; from fitserve.cli.app import make_app\n"
        "try: make_app()({arguments})\n"
        "except SystemExit: pass\n"
        "print('core' in sys.modules)"
    )
    assert code(script.format(arguments=["predict", "--help"])).stdout.endswith("False\n")
    assert code(script.format(arguments=["up", "--help"])).stdout.endswith("True\n")


@pytest.mark.parametrize("missing", ["core", "pydantic_settings"])
def test_up_without_the_server_says_what_to_install(missing):
    """Absent before the command, or before what the command imports."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from fitserve.cli.app import make_app; make_app()(['up', '--port', '0'])"
    )
    done = code(script)
    assert done.returncode == 2
    assert "pip install 'fitserve[worker]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_in_a_pipe_is_not_cut(wire, fitserve):
    """One row a line, every character of it."""
    long = bodies.run(model_name="m" * 90)
    wire.answers("GET /v1/runs", bodies.page(long, long))
    lines = fitserve("runs", "list").stdout.splitlines()
    assert len(lines) == 3
    assert "m" * 90 in lines[1]


def test_markup_in_a_name_is_text(wire, fitserve):
    """A column named like a style is shown, and breaks nothing."""
    column = {**bodies.dataset()["columns"][0], "name": "[/red] [b]x"}
    wire.answers("GET /v1/datasets/wine", bodies.dataset(columns=[column]))
    done = fitserve("datasets", "show", "wine")
    assert "[/red] [b]x" in done.stdout, done.stderr


def test_json_is_for_other_programs(wire, fitserve):
    """stdout is one JSON document."""
    wire.answers("GET /v1/datasets", bodies.page(bodies.dataset()))
    wire.answers("GET /v1/models", Answer(bodies.page(bodies.model())))
    assert json.loads(fitserve("datasets", "list", "--json").stdout)[0]["id"] == "ds_1"
    assert json.loads(fitserve("models", "list", "--json").stdout)[0]["name"] == "wine"
