"""Test the whole command line: help, exit codes, errors on stderr."""

import json
import re
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from docs.generating.cli import every_command
from fitserve import __version__
from fitserve.cli.app import make_app
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem, sse


def code(text):
    """Run code in a new Python process."""
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_names_every_command_and_exit_code(columns):
    """Built-in commands come first, then the commands of the server by name."""
    done = CliRunner().invoke(make_app(), ["--help"], env={"COLUMNS": columns})
    names = list(dict.fromkeys(path[0] for path, _ in every_command()))
    server = ["backup", "doctor", "keys", "prune", "restore", "storage", "up"]
    assert names[-7:] == server
    commands = done.stdout.partition(" Commands ")[2]
    assert re.findall(r"^\W{1,2}(\w+) ", commands, re.MULTILINE) == names
    shown = done.stdout
    shown = " ".join(shown.split())
    for word in ("0 success", "1 the run failed", "2 wrong usage", "3 the service refused",
                 "4 the service cannot be reached", "5 --timeout expired"):  # fmt: skip
        assert word in shown


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("train", "the weights of the last epoch are kept, not those of the best one"),
        ("predict", "predicted numbers have a decimal point"),
    ],
)
def test_the_help_of_a_command_says_what_surprises(command, sentence):
    """Words are compared, without the frame around them."""
    done = CliRunner().invoke(make_app(), [command, "--help"], env={"COLUMNS": "200"})
    assert sentence in " ".join(re.sub("[│╭╮╰╯─]", " ", done.stdout).split())


def test_version_is_printed():
    assert CliRunner().invoke(make_app(), ["--version"]).stdout == (
        f"fitserve {__version__}\n"
    )


@pytest.mark.parametrize(
    "arguments", [[], ["--url", "http://x"], ["trian"], ["watch"], ["runs", "show"]]
)
def test_wrong_usage_is_2(arguments):
    """No arguments, no command, an unknown command and a missing argument are wrong usage."""
    assert CliRunner().invoke(make_app(), arguments).exit_code == 2


def test_a_failed_run_is_1(wire, fitserve):
    """stderr has the reason."""
    wire.answers("GET /v1/runs/run_1", bodies.run("running"))
    wire.answers("GET /v1/runs/run_1/events", sse(("status", bodies.failed_run())))
    wire.answers("GET /v1/runs/run_1/report", bodies.report())
    done = fitserve("watch", "run_1")
    assert done.exit_code == 1
    assert done.stderr == "run_1 failed: The loss became NaN in epoch 4.\n"


def test_a_refusal_is_3_with_its_hints(wire, fitserve):
    """stderr has the sentence and a line per field; markup is printed as text."""
    lines = ({"pointer": "#/fit", "detail": "[bold]?", "hint": "did you mean `fit`?"},)
    long = "The request is as long as a terminal is not wide. " * 5
    wire.answers("GET /v1/models", problem(422, "invalid-body", long, lines))
    done = fitserve("models", "list")
    assert done.exit_code == 3
    assert done.stderr == f"{long}\n  #/fit: [bold]? (did you mean `fit`?)\n"
    assert done.stdout == ""


def test_a_missing_key_is_explained_for_the_command_line(wire, fitserve):
    """The hint names the variable and the option, not the header."""
    wire.answers("GET /v1/models", problem(401, "unauthorized", "Send it as `…`."))
    done = fitserve("models", "list")
    assert done.exit_code == 3
    assert done.stderr == (
        "Send it as `…`.\nThis client sends the key from FITSERVE_API_KEY, from "
        "Client(api_key=…) or from `fitserve --api-key KEY COMMAND`.\n"
    )


def test_a_refusal_with_json_prints_the_problem(wire, fitserve):
    """The problem is on stderr; stdout has only results."""
    wire.answers("GET /v1/models", problem(404, "model-not-found", "None."))
    done = fitserve("models", "list", "--json")
    assert (done.exit_code, done.stdout) == (3, "")
    assert json.loads(done.stderr)["type"] == "/problems/model-not-found"


def test_openapi_is_printed_or_written_to_a_file(wire, fitserve, tmp_path):
    """The document is the service's or a model's."""
    wire.answers("GET /openapi.json", {"openapi": "3.1.0"})
    wire.answers("GET /v1/models/wine/openapi.json", {"info": {"title": "wine"}})
    assert json.loads(fitserve("openapi").stdout) == {"openapi": "3.1.0"}
    target = tmp_path / "wine.json"
    done = fitserve("openapi", "wine", "--output", target)
    assert done.stdout == f"{target}\n"
    assert json.loads(target.read_text()) == {"info": {"title": "wine"}}


def test_every_command_has_json():
    """The commands of the server have it, too."""
    found = dict(every_command())
    assert {("up",), ("doctor",), ("keys", "revoke"), ("runs", "list")} <= found.keys()
    for path, command in found.items():
        options = [name for parameter in command.params for name in parameter.opts]
        assert "--json" in options, path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fitserve wat", ["watch"]),
        ("fitserve models show w", ["wine"]),
        ("fitserve watch ", ["run_1"]),
        ("fitserve runs report ", ["run_1"]),
        ("fitserve runs compare r", ["run_1"]),
        ("fitserve runs compare run_1 ", []),
        ("fitserve models promote wine ", ["2", "1"]),
        ("fitserve models promote wine 1 --alias ", ["production"]),
        ("fitserve models delete wine --alias p", ["production"]),
        ("fitserve models delete wine --version ", ["2", "1"]),
        ("fitserve models download wine 2 model.o", ["model.onnx"]),
        ("fitserve predict wine --version ", ["2", "1"]),
        ("fitserve predict wine rows.csv --alias ", ["production"]),
        ("fitserve predict --alias ", []),
        ("fitserve models promote white ", []),
        ("fitserve datasets delete x", []),
    ],
)
def test_the_shell_completes_commands_and_names(wire, line, expected):
    """Completions are models, runs and datasets of the service."""
    wire.answers("GET /v1/models", bodies.page(bodies.model(), bodies.model("red")))
    wire.answers("GET /v1/models/wine", bodies.model())
    wire.answers("GET /v1/runs", bodies.page(bodies.run_summary()))
    wire.answers("GET /v1/datasets", bodies.page(bodies.dataset()))
    assert completed(line, wire.url) == expected


def test_without_a_service_nothing_is_completed():
    """Nothing is printed, because the user only pressed a key."""
    assert completed("fitserve models show w", "http://127.0.0.1:1") == []


def completed(line, url):
    environment = {
        "_FITSERVE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        "FITSERVE_URL": url,
    }
    done = CliRunner().invoke(make_app(), prog_name="fitserve", env=environment)
    assert done.stderr == ""
    return done.stdout.split()


def test_no_service_is_4():
    """stderr says how to start a service."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = CliRunner().invoke(make_app(), ["--url", url, "runs", "list"])
    assert done.exit_code == 4
    assert "fitserve up" in done.stderr


def test_a_client_waits_for_a_busy_service_and_reports_it(wire, fitserve, client_clock):
    """The report is on stderr; stdout has only the answer."""
    busy = replace(problem(429, "too-many-requests", "."), headers={"Retry-After": "1"})
    wire.answers("GET /v1/models", busy, bodies.page())
    done = fitserve("models", "list", "--json")
    assert (done.exit_code, done.stdout) == (0, "[]\n")
    assert done.stderr == "the service is busy (429); retrying in 1 s\n"
    assert 1 <= client_clock.now <= 1.25


def test_another_service_is_4(wire, fitserve):
    """The server at the URL answers, but is not fitserve."""
    wire.answers("GET /v1/runs", {"hello": "world"})
    done = fitserve("runs", "list")
    assert done.exit_code == 4
    assert "not fitserve" in done.stderr


def test_url_and_key_may_precede_the_command(wire):
    wire.answers("GET /v1/models", bodies.page())
    arguments = ["--url", wire.url, "--api-key", "secret", "models", "list"]
    assert CliRunner().invoke(make_app(), arguments).exit_code == 0
    assert wire.asked[0].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize("option", ["--limit=2000", "--json"])
def test_a_closed_pipe_prints_no_error(wire, option):
    """`fitserve runs list | true` exits like other programs, as a table and as JSON."""
    run = bodies.run() if option == "--json" else bodies.run_summary()
    wire.answers("GET /v1/runs", bodies.page(*[run] * 2000))
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
    assert (done.returncode, done.stderr) == (141, "")


def test_a_server_command_is_imported_only_on_use():
    """Other commands never import the server."""
    script = (
        "import sys; from fitserve.cli.app import make_app\n"
        "try: make_app()({arguments})\n"
        "except SystemExit: pass\n"
        "print('ops' in sys.modules)"
    )
    assert code(script.format(arguments=["predict", "--help"])).stdout.endswith("False\n")
    assert code(script.format(arguments=["up", "--help"])).stdout.endswith("True\n")


@pytest.mark.parametrize("missing", ["core", "pydantic_settings"])
def test_up_without_the_server_names_the_package_to_install(missing):
    """The missing module is imported by the command line or by the command."""
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from fitserve.cli.app import make_app; make_app()(['up', '--port', '0'])"
    )
    done = code(script)
    assert done.returncode == 2
    assert "pip install 'fitserve[worker]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_in_a_pipe_is_not_cut(wire, fitserve):
    """Each row is on one line, without truncation."""
    long = bodies.run_summary(model_name="m" * 90)
    wire.answers("GET /v1/runs", bodies.page(long, long))
    lines = fitserve("runs", "list").stdout.splitlines()
    assert len(lines) == 3
    assert "m" * 90 in lines[1]


def test_markup_in_a_name_is_text(wire, fitserve):
    """A column whose name looks like a style is shown unchanged."""
    column = {**bodies.dataset()["columns"][0], "name": "[/red] [b]x"}
    wire.answers("GET /v1/datasets/wine", bodies.dataset(columns=[column]))
    done = fitserve("datasets", "show", "wine")
    assert "[/red] [b]x" in done.stdout, done.stderr


def test_json_prints_one_document(wire, fitserve):
    wire.answers("GET /v1/datasets", bodies.page(bodies.dataset()))
    wire.answers("GET /v1/models", Answer(bodies.page(bodies.model())))
    assert json.loads(fitserve("datasets", "list", "--json").stdout)[0]["id"] == "ds_1"
    assert json.loads(fitserve("models", "list", "--json").stdout)[0]["name"] == "wine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runs", "list", "--limit", "0"], "got '0'; expected at least 1"),
        (["runs", "list", "--limit", "x"], "got 'x'; expected a whole number"),
        (["runs", "list", "--status", "done"], "'done' is not one of"),
        (["watch", "run_1", "--timeout", "-1"], "got '-1'; expected at least 0"),
    ],
)
def test_a_wrong_option_is_described_in_words(fitserve, arguments, said):
    """The words are those of the service, not those of pydantic."""
    done = fitserve(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Input should" not in done.stderr
    assert "Value error" not in done.stderr


def test_an_error_is_said_once(wire, fitserve):
    """The sentence before the lines does not repeat them."""
    line = {"pointer": "#/ids", "detail": "got 1 id(s); expected 2 to 20"}
    said = "These runs cannot be compared: got 1 id(s); expected 2 to 20."
    wire.answers("GET /v1/runs/compare", problem(400, "invalid-query", said, (line,)))
    assert fitserve("runs", "compare", "run_1").stderr == (
        "These runs cannot be compared:\n  #/ids: got 1 id(s); expected 2 to 20\n"
    )
