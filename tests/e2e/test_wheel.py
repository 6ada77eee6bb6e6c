"""Test the wheel in a separate environment, as `pip install fitserve` installs it."""

import ast
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from fitserve import Client
from service.app import create_app
from tests.conftest import bench_in
from tests.e2e.test_readme import block
from tests.e2e_service import ROOT, running
from tests.live import live
from tests.service.small_model import ROW, SPEC, TABLE

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
UV = Path(sys.executable).with_name("uv")
SERVER_PACKAGES = ("core", "service", "workers", "ops", "migrations", "dashboard")
FILES = ("pyproject.toml", "README.md", "LICENSE")
SERVER_LIBRARIES = {
    *("fastapi", "sqlalchemy", "celery", "tensorflow", "keras", "numpy", "polars"),
}


def uv(*arguments):
    done = subprocess.run(
        [UV, *arguments], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    without_caches = shutil.ignore_patterns("__pycache__")
    for package in ("fitserve", *SERVER_PACKAGES):
        shutil.copytree(ROOT / package, folder / package, ignore=without_caches)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    uv("build", "--quiet", "--wheel", "--out-dir", folder / "dist", folder)
    [wheel] = (folder / "dist").glob("*.whl")
    return wheel


def environment_of(folder, requirement):
    """Create an environment with a requirement; return the folder of its programs."""
    uv("venv", "--quiet", "--python", sys.executable, folder)
    python = folder / "bin/python"
    locked = ROOT / "requirements/dev.lock"
    uv("pip", "install", "-q", "--python", python, "--constraint", locked, requirement)
    return python.parent


@pytest.fixture(scope="module")
def alone(tmp_path_factory, wheel):
    """Return an environment with the client only."""
    return environment_of(tmp_path_factory.mktemp("alone") / "env", wheel)


@pytest.fixture(scope="module")
def server(tmp_path_factory, wheel):
    """Return an environment with the server and with other packages of the same names."""
    folder = tmp_path_factory.mktemp("server") / "env"
    programs = environment_of(folder, f"{wheel}[worker]")
    [site_packages] = folder.glob("lib/python*/site-packages")
    for name in SERVER_PACKAGES:
        (site_packages / f"{name}.py").write_text("OWNER = 'somebody else'\n")
    return programs


@pytest.fixture(scope="module")
def url(tmp_path_factory, broker_url):
    """Start a service with a trained model."""
    with bench_in(tmp_path_factory.mktemp("served") / "home", broker_url) as bench:
        bench.upload(TABLE)
        bench.train(SPEC)
        with live(create_app(bench.settings)) as url:
            yield url


def run(programs, program, *arguments, url="", home=None, cwd="/"):
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    of_home = {} if home is None else {"FITSERVE_HOME": str(home)}
    return subprocess.run(
        [programs / program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**clean, **of_home, "FITSERVE_URL": url},
    )


def test_the_client_installs_no_server(alone):
    """FastAPI, SQLAlchemy, TensorFlow and their dependencies are not installed."""
    listed = uv("pip", "list", "--format", "json", "--python", alone / "python")
    names = {package["name"] for package in json.loads(listed)}
    assert "httpx" in names
    assert names & SERVER_LIBRARIES == set()


def test_the_wheel_has_one_top_level_package(alone):
    """All other packages belong to dependencies, so none can collide."""
    listing = "import importlib.metadata as m; print(m.packages_distributions())"
    owners = ast.literal_eval(run(alone, "python", "-c", listing).stdout)
    assert [name for name, by in owners.items() if "fitserve" in by] == ["fitserve"]


def test_the_client_does_not_import_the_server(alone):
    """The client and the command line do not add the server to `sys.path`."""
    code = (
        "import sys, fitserve.client, fitserve.cli.app\n"
        "print([p for p in sys.path if '_server' in p])\n"
        f"print([m for m in {SERVER_PACKAGES} if m in sys.modules])\n"
    )
    done = run(alone, "python", "-c", code)
    assert done.stdout.splitlines() == ["[]", "[]"], done.stderr


def test_the_client_predicts(alone, url):
    """Client and AsyncClient return the same prediction."""
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


def test_the_command_line_predicts(alone, url, tmp_path):
    """The commands of the server report the missing packages."""
    rows = tmp_path / "rows.csv"
    rows.write_text("x,c,label\n3,a,yes\n")
    done = run(alone, "fitserve", "predict", "m", rows, "--json", url=url)
    assert len(json.loads(done.stdout)["predictions"]) == 1, done.stderr
    for command in ("up", "doctor"):
        done = run(alone, "fitserve", command)
        assert done.returncode == 2
        assert "pip install 'fitserve[worker]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_server_works_next_to_packages_of_the_same_names(server, tmp_path):
    """The server imports none of them from site-packages or from the working directory."""
    here = tmp_path / "shell"
    here.mkdir()
    for name in SERVER_PACKAGES:
        (here / f"{name}.py").write_text("raise SystemExit('not the server')\n")
    (here / "table.csv").write_text(TABLE)
    program = server / "fitserve"
    with (
        contextlib.chdir(here),
        running(tmp_path / "home", program, PYTHONPATH="") as (url, _),
    ):
        with Client(url) as client:
            client.datasets.upload("table.csv")
            client.runs.wait(client.runs.create(SPEC).id)
            assert len(client.predict("m", [ROW]).predictions) == 1
        assert httpx.get(url).text.startswith("<!doctype html>")


def test_the_readme_works_from_the_wheel(server, alone, tmp_path):
    """One environment has the server; another one, with the client only, uses it.

    The block in Python and the block of commands run unchanged in a folder with the
    example tables.
    """
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with running(tmp_path / "home", server / "fitserve", PYTHONPATH="") as (url, _):
        shown = run(alone, "python", "-c", block("python"), url=url, cwd=tmp_path)
        assert "predictions=['cultivar 1'" in shown.stdout, shown.stderr
        for line in block("sh command-line").splitlines():
            done = run(alone, *shlex.split(line), url=url, cwd=tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 179


def test_server_modules_run_by_name(server, tmp_path):
    """A migration and a worker's health check run without a checkout."""
    home = tmp_path / "home"
    home.mkdir()
    module = ("-m", "fitserve.server")
    done = run(server, "python", *module, "core.database.migrate", home=home)
    assert done.returncode == 0, done.stderr
    assert (home / "fitserve.db").exists()
    done = run(server, "python", *module, "workers.health", "runs", home=home)
    assert done.returncode == 1
    assert "No worker for runs" in done.stdout + done.stderr


def test_importing_fitserve_hides_no_other_package(server):
    """A program that imports the client can import other packages of the server's names."""
    code = f"import fitserve.client, {', '.join(SERVER_PACKAGES)}; print(core.OWNER)"
    assert run(server, "python", "-c", code).stdout == "somebody else\n"
