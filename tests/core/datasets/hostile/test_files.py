"""1,500 hostile files are read correctly or refused with a reason, in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.datasets.hostile.files import READ
from tests.core.datasets.hostile.read import CORPORA, MOST_MEMORY

ROOT = Path(__file__).parents[4]
IS_WHOLE = bool(os.environ.get("FITSERVE_TEST_HOSTILE"))
"""With the variable the whole corpus is read, otherwise a part of every kind."""
STEPS = {"csv": 6, "typed": 4, "workbooks": 6}
LEAST = {"csv": 300, "typed": 600, "workbooks": 100}
HEAVY = ("typed", "workbooks")
MIB = 1024 * 1024


def step_of(corpus):
    return 1 if IS_WHOLE else STEPS[corpus]


@pytest.fixture(
    scope="module",
    params=["csv", *(pytest.param(name, marks=pytest.mark.heavy) for name in HEAVY)],
)
def corpus(request):
    return request.param


@pytest.fixture(scope="module")
def report(corpus, tmp_path_factory):
    """Return the outcomes of reading the files in a separate process."""
    folder = tmp_path_factory.mktemp("hostile") / "files"
    command = [
        *(sys.executable, "-m", "tests.core.datasets.hostile.read"),
        *(folder, str(step_of(corpus)), corpus),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def is_right(result):
    expected, outcome = result["expected"], result["outcome"]
    if expected in ("", READ):
        return outcome == "read" or (outcome == "refused" and not expected)
    return outcome == "refused" and expected in result["detail"]


def test_every_file_is_read_or_refused_as_expected(report, corpus):
    """No file raises another exception or makes polars panic."""
    step = step_of(corpus)
    cases = len(CORPORA[corpus]())
    assert len(report["results"]) >= cases // step >= LEAST[corpus] // step
    wrong = [
        (result["name"], result["outcome"], result["detail"])
        for result in report["results"]
        if not is_right(result)
    ]
    assert wrong == []


def test_files_that_csv_reads_too_have_the_same_cells(report, corpus):
    """Rows, text and numbers equal those of Python's csv reader."""
    compared = [r for r in report["results"] if r.get("differs") is not None]
    assert corpus != "csv" or len(compared) >= 250 // step_of(corpus)
    assert [(r["name"], r["differs"]) for r in compared if r["differs"]] == []


def test_no_file_takes_much_memory(report):
    """Memory grows by at most three times the largest file plus 300 MiB."""
    assert report["grown"] <= 3 * report["largest"] + 300 * MIB
    assert report["child"] <= MOST_MEMORY + 300 * MIB
