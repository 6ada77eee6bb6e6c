"""Check that the files in CONTRIBUTING.md exist, and that its steps are sufficient."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PACKAGES = ("fitserve", "core", "service", "workers", "migrations", "dashboard", "tests")
LAYER_CLASS = '''
class GaussianDropout(Weightless):
    """Multiplies its inputs by noise while training."""

    type: Literal["GaussianDropout"]
    rate: Rate = Field(examples=[0.3])
    """The variance of the noise is `rate / (1 - rate)`."""

'''
LAYER = {
    "fitserve/specs/layers.py": [
        ("class Output(Weightless):", LAYER_CLASS),
        ("    | Output,", "    | GaussianDropout\n"),
    ],
    "fitserve/specs/keras_json/layers.py": [
        (
            '    "GaussianNoise": {',
            '    "GaussianDropout": {"rate": kept, "seed": _SEEDED},\n',
        )
    ],
    "workers/training/saving/onnx_layers.py": [
        ('    "GaussianNoise": _nothing', '    "GaussianDropout": _nothing,\n')
    ],
}
METRIC = {
    "fitserve/specs/vocabulary.py": [
        ('    "root_mean_squared_error",', '    "mean_squared_logarithmic_error",\n')
    ],
    "workers/training/build.py": [
        (
            '    "root_mean_squared_error": keras',
            '    "mean_squared_logarithmic_error": keras.metrics.MeanSquaredLogarithmicError,\n',
        )
    ],
}


def entry(title):
    """Return the section of the page about one kind of addition."""
    return re.search(
        rf"^- \*\*{title}\*\*.*?(?=^- \*\*|\Z)", PAGE, re.MULTILINE | re.DOTALL
    ).group()


def paths(text):
    return set(re.findall(r"`((?:\w+/)+\w+\.\w+)`", text))


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the repository that a test may change."""
    without_caches = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=without_caches)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def add(copy, file, additions):
    """Insert each text before the one place where its anchor is."""
    content = (copy / file).read_text()
    for anchor, text in additions:
        assert content.count(anchor) == 1, anchor
        content = content.replace(anchor, text + anchor)
    (copy / file).write_text(content)


def python(copy, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_file_that_the_page_names_exists():
    named = paths(PAGE)
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.keras
@pytest.mark.parametrize(
    ("title", "steps", "suite", "cases"),
    [
        ("A layer", LAYER, "tests/workers/training/test_layers.py", "GaussianDropout"),
        ("A metric", METRIC, "tests/workers/training/test_compiled_epoch.py", "mse"),
    ],
)
@pytest.mark.heavy
def test_the_steps_of_an_addition_are_sufficient(copy, title, steps, suite, cases):
    """The steps change exactly the numbered files, and the named test suite passes."""
    section = entry(title)
    numbered = re.findall(r"^  \d\. `([\w/.]+)`", section, re.MULTILINE)
    assert numbered == list(steps)
    assert suite in paths(section)
    for file, additions in steps.items():
        add(copy, file, additions)
    done = python(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite, "-k", cases
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.keras
@pytest.mark.heavy
def test_a_missing_step_is_reported(copy):
    """Importing the module whose table lacks the entry fails."""
    first, *_ = METRIC
    add(copy, first, METRIC[first])
    done = python(copy, "-c", "import workers.training.build")
    assert (
        "a metric's Keras class is missing for mean_squared_logarithmic_error"
        in done.stderr
    )
