"""`fitserve storage check` and `fitserve doctor` with real S3 servers."""

import json

import pytest
from typer.testing import CliRunner

from core.settings import Settings
from core.storage import open_storage
from ops.doctor.command import examine
from ops.storage import app
from tests import s3
from tests.core.storage import faulty_proxy as proxies

REQUIRED = ["put", "get", "missing", "list", "delete"]


def check(home):
    """Run the command; return its exit code, and its findings by name."""
    done = CliRunner().invoke(app, ["check", "--home", str(home), "--json"])
    report = json.loads(done.stdout)
    assert report["ok"] == (done.exit_code == 0)
    return done.exit_code, {found["name"]: found for found in report["findings"]}


@pytest.mark.parametrize(
    ("server", "answer"),
    [(s3.rclone, "Not supported"), (s3.moto, "Supported")],
    ids=["rclone", "moto"],
)
def test_a_bucket_is_proved(tmp_path, monkeypatch, server, answer):
    """The report also has the optional abilities of a store. No test file remains."""
    url = server().new_url(monkeypatch)
    monkeypatch.setenv("FITSERVE_STORAGE_URL", url)
    code, found = check(tmp_path)
    assert code == 0
    assert list(found) == [*REQUIRED, "ranges", "conditional puts", "clock"]
    for name in ("ranges", "conditional puts"):
        assert found[name]["detail"].startswith(answer)
    assert open_storage(Settings(home=tmp_path, storage_url=url)).list("probes") == []


def test_a_folder_is_proved(tmp_path):
    code, found = check(tmp_path)
    assert (code, list(found)) == (0, REQUIRED)


@pytest.mark.parametrize(
    ("fault", "method", "failing", "reason"),
    [
        (proxies.denied, None, "put", "refuses the credentials"),
        (proxies.overloaded, None, "put", "503"),
        (proxies.denied, "GET", "get", "refuses the credentials"),
        (proxies.denied, "DELETE", "delete", "refuses the credentials"),
        (proxies.cut_after(1_000), "GET", "get", "breaks off"),
    ],
)
def test_a_bucket_that_lacks_something_fails_with_the_reason(
    tmp_path, monkeypatch, fault, method, failing, reason
):
    """The finding has the answer of the server, and names the variables."""
    server = s3.moto()
    with proxies.proxy_of(server.endpoint).serving() as proxy:
        url = server.new_url(monkeypatch, proxy.endpoint)
        monkeypatch.setenv("FITSERVE_STORAGE_URL", url)
        proxy.faults.append(proxies.times(10**6, fault, method))
        code, found = check(tmp_path)
    last = list(found.values())[-1]
    assert (code, last["name"], last["verdict"]) == (1, failing, "failed")
    assert reason in last["detail"]
    assert "AWS_ENDPOINT_URL" in last["mend"]


def test_a_missing_bucket_is_named(tmp_path, monkeypatch):
    s3.rclone().new_url(monkeypatch)
    monkeypatch.setenv("FITSERVE_STORAGE_URL", "s3://absent")
    code, found = check(tmp_path)
    assert code == 1
    assert "has no such bucket" in found["put"]["detail"]


def test_a_wrong_setting_is_a_finding(tmp_path, monkeypatch):
    monkeypatch.setenv("FITSERVE_STORAGE_URL", "s3://")
    code, found = check(tmp_path)
    assert code == 1
    assert "does not name a bucket" in found["settings"]["detail"]


def test_doctor_checks_the_bucket(tmp_path, monkeypatch):
    """The finding names the command that says more."""
    url = s3.rclone().new_url(monkeypatch)
    monkeypatch.setenv("FITSERVE_STORAGE_URL", url)
    found = {finding.name: finding for finding in examine(tmp_path, 0)}
    assert found["storage"].verdict == "ok"
    assert found["storage"].detail.startswith("The store of files answers.")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    found = {finding.name: finding for finding in examine(tmp_path, 0)}
    assert found["storage"].verdict == "failed"
    assert "fitserve storage check" in found["storage"].mend
