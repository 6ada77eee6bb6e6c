"""Test the parts of `examples/demo.py` that need no service; `make demo` tests the rest."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fitserve.specs import RunCreate

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def demo(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("demo", EXAMPLES / "demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.tempfile, "tempdir", str(tmp_path))
    return module


def instead_of_up(demo, monkeypatch, code):
    """Replace `fitserve up` by another program."""
    popen = subprocess.Popen
    monkeypatch.setattr(
        demo.subprocess,
        "Popen",
        lambda _, **options: popen([sys.executable, "-uc", code], **options),
    )


def test_the_url_is_read_and_the_folder_removed(demo, monkeypatch, tmp_path):
    """The program may print much; it is stopped at the end."""
    code = (
        "print('x' * 200_000); print('fitserve is ready at http://127.0.0.1:1')\n"
        "import time; time.sleep(60)"
    )
    instead_of_up(demo, monkeypatch, code)
    with demo.running_service() as url:
        assert url == "http://127.0.0.1:1"
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", ["raise SystemExit(1)", "import time; time.sleep(60)"])
def test_a_service_that_never_starts_is_reported_with_its_log(
    demo, monkeypatch, tmp_path, after
):
    """The service has ended or hangs."""

    def monotonic():  # a minute passes as soon as the service has printed its line
        logs = [log.read_text() for log in tmp_path.rglob("log")]
        return 61.0 if any("taken" in log for log in logs) else 0.0

    clock = SimpleNamespace(monotonic=monotonic, sleep=lambda _: time.sleep(0.01))
    monkeypatch.setattr(demo, "time", clock)
    instead_of_up(demo, monkeypatch, f"print('the port is taken')\n{after}")
    with pytest.raises(SystemExit, match="the port is taken"), demo.running_service():
        pass
    assert list(tmp_path.iterdir()) == []


def test_its_spec_is_valid(demo):
    """The spec has two hidden layers of 64 with Dropout, early stopping, and a seed."""
    spec = RunCreate.model_validate(json.loads(demo.SPEC.read_text()))
    assert [getattr(layer, "units", layer.type) for layer in spec.model.layers] == [
        64,
        "Dropout",
        64,
        1,
    ]
    assert spec.target == demo.TARGET
    assert spec.fit.seed is not None
    assert spec.fit.early_stopping.restore_best_weights
