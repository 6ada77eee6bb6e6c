"""The wheel by itself, in an environment of its own, as `pip install fitserve` leaves it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.app import create_app
from tests.conftest import bench_in
from tests.e2e_service import ROOT
from tests.live import live
from tests.service.small_model import ROW, SPEC, TABLE

pytestmark = [pytest.mark.e2e, pytest.mark.keras]
UV = Path(sys.executable).with_name("uv")
ROOMS = ("fitserve", "core", "service", "workers", "migrations")
FILES = ("pyproject.toml", "README.md", "LICENSE")
SERVERS = {"fastapi", "sqlalchemy", "celery", "tensorflow", "keras", "numpy", "polars"}


def uv(*arguments):
    done = subprocess.run(
        [UV, *arguments], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Folder of the programs of an environment that holds the wheel and its needs."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"  # a build leaves things in the tree that it builds
    without_caches = shutil.ignore_patterns("__pycache__")
    for room in ROOMS:
        shutil.copytree(ROOT / room, tree / room, ignore=without_caches)
    for name in FILES:
        shutil.copy(ROOT / name, tree)
    uv("build", "--quiet", "--wheel", "--out-dir", folder, tree)
    [wheel] = folder.glob("*.whl")
    uv("venv", "--quiet", "--python", sys.executable, folder / "env")
    python = folder / "env/bin/python"
    locked = ROOT / "requirements/dev.lock"
    uv("pip", "install", "--quiet", "--python", python, "--constraint", locked, wheel)
    return python.parent


@pytest.fixture(scope="module")
def url(tmp_path_factory, broker_url):
    """A service with a trained model."""
    with bench_in(tmp_path_factory.mktemp("served") / "home", broker_url) as bench:
        bench.upload(TABLE)
        bench.train(SPEC)
        with live(create_app(bench.settings)) as url:
            yield url


def run(alone, program, *arguments, url="", cwd="/"):
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [alone / program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**clean, "FITSERVE_URL": url},
    )


def test_it_brings_no_server(alone):
    """Neither FastAPI nor SQLAlchemy nor TensorFlow, nor what they want."""
    listed = uv("pip", "list", "--format", "json", "--python", alone / "python")
    names = {package["name"] for package in json.loads(listed)}
    assert "httpx" in names
    assert names & SERVERS == set()


def test_its_client_predicts(alone, url):
    """With either client."""
    code = (
        "import asyncio; from fitserve import AsyncClient, Client\n"
        f"row = {ROW!r}\n"
        "with Client() as client: print(client.predict('m', [row]).predictions)\n"
        "async def main():\n"
        "    async with AsyncClient() as client:\n"
        "        print((await client.predict('m', [row])).predictions)\n"
        "asyncio.run(main())\n"
    )
    done = run(alone, "python", "-c", code, url=url)
    first, second = done.stdout.splitlines()
    assert first == second, done.stderr
    assert isinstance(json.loads(first)[0], float)


def test_its_command_line_does(alone, url, tmp_path):
    """And says of the server's commands what to install."""
    rows = tmp_path / "rows.csv"
    rows.write_text("x,c,label\n3,a,yes\n")
    done = run(alone, "fitserve", "predict", "m", rows, "--json", url=url)
    assert len(json.loads(done.stdout)["predictions"]) == 1, done.stderr
    for command in ("up", "doctor"):
        done = run(alone, "fitserve", command)
        assert done.returncode == 2
        assert "pip install 'fitserve[worker]'" in done.stderr
        assert "Traceback" not in done.stderr
