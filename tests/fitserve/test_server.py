"""Test the paths of the server's packages, and how its modules are started."""

import os
import subprocess
import sys
from pathlib import Path

from fitserve.server import server_path

ROOT = Path(__file__).parents[2]


def run(code, **environment):
    return subprocess.run(
        [sys.executable, *code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_checkout_is_its_own_server_path():
    """The root contains `core` and `service`."""
    assert server_path() == ROOT


def test_the_server_comes_first_for_this_process_and_its_children():
    """The entry is added once, before the previous entries of PYTHONPATH."""
    code = (
        "import os, sys; from fitserve.server import use_server_path\n"
        "use_server_path(); use_server_path()\n"
        "print(sys.path[0], sys.path.count(sys.path[0]), os.environ['PYTHONPATH'])"
    )
    inherited = os.pathsep.join(["/elsewhere", str(ROOT)])
    done = run(["-c", code], PYTHONPATH=inherited)
    expected = os.pathsep.join([str(ROOT), "/elsewhere"])
    assert done.stdout.split() == [str(ROOT), "1", expected], done.stderr


def test_a_module_gets_the_arguments_after_its_name():
    """The worker's health check refuses an unknown queue."""
    done = run(["-m", "fitserve.server", "workers.health", "paint"])
    assert done.returncode == 2
    assert "got 'paint'" in done.stderr


def test_without_a_module_the_usage_is_printed():
    done = run(["-m", "fitserve.server"])
    assert done.returncode == 1
    assert done.stderr == "usage: python -m fitserve.server MODULE [ARGUMENT ...]\n"
