"""Helm's own library, in a process of its own: its threads would make `fork` unsafe here.

The process reads a request as JSON from each line of its input, and answers in a line.
"""

import atexit
import importlib.util
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/chart"
IMAGES = {
    name: f"registry.example.org/fitserve-{name}:1" for name in ("service", "worker")
}
VALUES = {
    "images": IMAGES,
    "secretName": "secrets",
    "settings": {"FITSERVE_STORAGE_URL": "s3://bucket/prefix"},
}
"""The values without which the chart renders nothing."""


class Refused(Exception):
    """Helm refused the values or the chart; the message is Helm's."""


def render(release: str = "test", **values: Any) -> list[dict[str, Any]]:
    """Return the objects of the chart with `VALUES`, changed by `values`."""
    wanted = {"values": VALUES | values, "release": release}
    files = _ask({"do": "render", **wanted})
    texts = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    return [found for text in texts for found in yaml.safe_load_all(text) if found]


def lint(kubernetes: str, **values: Any) -> dict[str, Any]:
    """Return Helm's report of the chart for a release of Kubernetes."""
    return _ask({"do": "lint", "values": VALUES | values, "kubernetes": kubernetes})


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    if importlib.util.find_spec("helm_python") is None:
        import pytest

        pytest.skip("helm-python-sdk has no wheel for this machine")
    helper = _helper()
    assert helper.stdin is not None
    assert helper.stdout is not None
    helper.stdin.write(json.dumps(request) + "\n")
    helper.stdin.flush()
    answer = json.loads(helper.stdout.readline())
    if "refused" in answer:
        raise Refused(answer["refused"])
    return answer["answer"]


@cache
def _helper() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.deploy.helm"]
    pipe = subprocess.PIPE
    helper = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)

    def stop() -> None:
        helper.communicate()

    atexit.register(stop)
    return helper


def main() -> None:
    """Answer requests until the input ends."""
    import helm_python

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "lint":
            version = request["kubernetes"]
            options = {"strict": True, "kube_version": version}
            return helm_python.lint(CHART, request["values"], **options)
        with helm_python.Chart.load(CHART) as chart:
            return chart.render(request["values"], name=request["release"])

    for line in sys.stdin:
        try:
            said = {"answer": answer(json.loads(line))}
        except helm_python.HelmError as error:
            said = {"refused": str(error)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
