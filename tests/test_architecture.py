"""Check the architecture: import contracts, file sizes and dangerous calls."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_import_contracts_hold():
    """service and workers import core, core imports fitserve, and never the reverse."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_api_leaves_tensorflow_unloaded(tmp_path):
    """A new process that builds the whole API imports neither TensorFlow nor Keras."""
    code = (
        "import sys; from core.settings import Settings; from service.app import "
        "create_app; create_app(Settings(home=sys.argv[1])).openapi(); "
        "print([m for m in ('tensorflow', 'keras', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "home"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_no_file_is_over_400_lines():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / line for line in listed.stdout.splitlines()]
    long = [str(f) for f in files if f.exists() and len(f.read_text().splitlines()) > 400]
    assert long == []


def test_nothing_deserialises_with_keras():
    """No code that handles users' bytes names a Keras loader."""
    forbidden = (
        "model_from_json",
        "from_config",
        "load_model",
        "deserialize_keras_object",
        "clone_model",
    )
    found = [
        f"{path}: {name}"
        for package in ("fitserve", "core", "service", "workers")
        for path in (ROOT / package).rglob("*.py")
        for name in forbidden
        if f"{name}(" in path.read_text()
    ]
    assert found == []
