"""The README's sessions do what they say."""

import json
import re
import subprocess

import pytest

from fitserve import Client
from tests.e2e_service import FITSERVE, ROOT, running

pytestmark = [pytest.mark.e2e, pytest.mark.keras]
README = (ROOT / "README.md").read_text()


def block(kind: str) -> str:
    return re.search(rf"```{kind}\n(.*?)```", README, re.DOTALL)[1]


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
        env={"PATH": "/usr/bin:/bin", "FITSERVE_URL": url, "HOME": "/nonexistent"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_curl_session_ends_in_a_prediction(url):
    """The last thing it prints is one number from version 1."""
    answer = json.loads("{" + shell(block("sh session"), url).rsplit("}{", 1)[1])
    assert (answer["model_name"], answer["model_version"]) == ("diabetes", 1)
    assert 25 < answer["predictions"][0] < 350


def test_an_alias_is_pointed_and_asked(url):
    """Behind the session, which made version 1."""
    answer = json.loads("{" + shell(block("sh aliases"), url).rsplit("}{", 1)[1])
    assert (answer["model_name"], answer["model_version"]) == ("diabetes", 1)


def test_the_command_line_session_writes_predictions(url, tmp_path):
    """train and predict as printed; the table comes back with a column more."""
    script = block("sh command-line").replace("predictions.csv", str(tmp_path / "p.csv"))
    shown = shell(script.replace(".venv/bin/fitserve", str(FITSERVE)), url)
    assert "succeeded (early_stopping)" in shown
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert len(lines) == 443
    assert lines[0].endswith(",progression,prediction")


def test_the_python_session_predicts(url, monkeypatch, capsys):
    """The block runs as it stands."""
    monkeypatch.setenv("FITSERVE_URL", url)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(block("python"), names)
    assert "predictions=['cultivar 1'" in capsys.readouterr().out
    client = names["client"]
    assert isinstance(client, Client)
    client.close()
