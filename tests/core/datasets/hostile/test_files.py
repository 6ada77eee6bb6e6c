"""570 hostile CSVs are read correctly or refused with a reason, fast and in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.datasets.hostile.files import READ, cases

ROOT = Path(__file__).parents[4]
STEP = 1 if os.environ.get("FITSERVE_TEST_HOSTILE") else 6
"""With the variable the whole corpus is read, otherwise a part of every kind."""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return the outcomes of reading the files in a separate process."""
    folder = tmp_path_factory.mktemp("hostile") / "files"
    command = [
        sys.executable,
        "-m",
        "tests.core.datasets.hostile.read",
        folder,
        str(STEP),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def is_right(result):
    expected, outcome = result["expected"], result["outcome"]
    if expected in ("", READ):
        return outcome == "read" or (outcome == "refused" and not expected)
    return outcome == "refused" and expected in result["detail"]


def test_every_file_is_read_or_refused_as_expected(report):
    """No file raises another exception or makes polars panic."""
    assert len(report["results"]) >= len(cases()) // STEP >= 300 // STEP
    wrong = [
        (result["name"], result["outcome"], result["detail"])
        for result in report["results"]
        if not is_right(result)
    ]
    assert wrong == []


def test_files_that_csv_reads_too_have_the_same_cells(report):
    """Rows, text and numbers equal those of Python's csv reader."""
    compared = [r for r in report["results"] if r.get("differs") is not None]
    assert len(compared) >= 250 // STEP
    assert [(r["name"], r["differs"]) for r in compared if r["differs"]] == []


def test_no_file_takes_much_memory(report):
    """Memory grows by at most three times the largest file plus 300 MiB."""
    assert report["grown"] <= 3 * report["largest"] + 300 * MIB
