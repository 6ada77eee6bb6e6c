"""Test that the sessions in the README run as described."""

import asyncio
import json
import re
import subprocess
import textwrap
import zipfile

import pytest

from fitserve import AsyncClient, Client
from tests.e2e_service import FITSERVE, ROOT, running

pytestmark = [pytest.mark.e2e, pytest.mark.keras]
README = (ROOT / "README.md").read_text()


CLIENT_PAGE = (ROOT / "docs/client.md").read_text()
NOTEBOOK = ROOT / "examples/quickstart.ipynb"


def blocks(kind: str, page: str = README) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)


def block(kind: str) -> str:
    return blocks(kind)[0]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("readme")) as (url, _):
        yield url


def shell(script: str, url: str) -> str:
    script = "set -e\n" + script.replace("http://127.0.0.1:8000", url)
    done = subprocess.run(
        ["bash", "-c", script.replace("curl ", "curl -sS ")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={
            "PATH": f"{FITSERVE.parent}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "FITSERVE_URL": url,
            "HOME": "/nonexistent",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_curl_session_ends_in_a_prediction(url):
    """The last output is one number from version 1."""
    answer = json.loads("{" + shell(block("sh session"), url).rsplit("}{", 1)[1])
    assert (answer["model_name"], answer["model_version"]) == ("diabetes", 1)
    assert 25 < answer["predictions"][0] < 350


def test_an_alias_is_set_and_used(url):
    """The block uses version 1 of the curl session."""
    answer = json.loads("{" + shell(block("sh aliases"), url).rsplit("}{", 1)[1])
    assert (answer["model_name"], answer["model_version"]) == ("diabetes", 1)


@pytest.mark.heavy
def test_the_command_line_session_writes_predictions(url, tmp_path):
    """Training ends with a verdict; the table gets a column for each class."""
    script = block("sh command-line").replace("predictions.csv", str(tmp_path / "p.csv"))
    shown = shell(script, url)
    verdict = r"^accuracy [01]\.\d+ .*on \d+ validation rows; "
    assert re.search(verdict, shown, re.MULTILINE)
    assert f"{url}/" in shown.splitlines()
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert len(lines) == 179
    assert ",cultivar,prediction,P(cultivar 1)," in lines[0]


@pytest.mark.heavy
def test_a_spec_in_a_file_is_trained(url):
    assert "succeeded (early_stopping)" in shell(block("sh spec"), url)


@pytest.mark.heavy
def test_the_python_session_predicts(url, monkeypatch, capsys):
    """The block runs unchanged."""
    monkeypatch.setenv("FITSERVE_URL", url)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(block("python"), names)
    assert "predictions=['cultivar 1'" in capsys.readouterr().out
    client = names["client"]
    assert isinstance(client, Client)
    client.close()


@pytest.mark.heavy
def test_the_clients_page_trains_predicts_and_downloads_in_eight_lines(
    url, monkeypatch, capsys, tmp_path
):
    """All blocks run unchanged, including the one for an event loop."""
    monkeypatch.setenv("FITSERVE_URL", url)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    session, awaited, _ = blocks("python", CLIENT_PAGE)
    assert len([line for line in session.splitlines() if line]) <= 8
    names: dict[str, object] = {}
    exec(session, names)
    assert "cultivar 1" in capsys.readouterr().out
    assert zipfile.is_zipfile(tmp_path / "wine.keras")
    exec("async def session():\n" + textwrap.indent(awaited, "    "), names)
    names["AsyncClient"] = AsyncClient
    asyncio.run(names["session"]())
    assert "status=<RunStatus.SUCCEEDED" in capsys.readouterr().out
    names["client"].close()


@pytest.mark.heavy
def test_the_notebook_runs(url, monkeypatch, tmp_path):
    """Every cell runs in order; the last one saves a model."""
    monkeypatch.setenv("FITSERVE_URL", url)
    (tmp_path / "data").symlink_to(ROOT / "examples/data")
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert names["epochs"][-1].epoch == names["history"]["epoch"].iloc[-1]
    assert set(names["answer"].predictions) <= {f"cultivar {n}" for n in (1, 2, 3)}
    assert zipfile.is_zipfile(tmp_path / "model.keras")
    names["client"].close()


def test_the_notebook_is_valid():
    """The format is 4.5, without outputs."""
    notebook = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert {(cell["execution_count"], *cell["outputs"]) for cell in code} == {(None,)}
