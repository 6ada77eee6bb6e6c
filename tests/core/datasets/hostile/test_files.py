"""570 hostile CSVs: read rightly or refused with a sentence, soon, in little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.datasets.hostile.files import READ, cases

ROOT = Path(__file__).parents[4]
STEP = 1 if os.environ.get("FITSERVE_TEST_HOSTILE") else 6
"""All of the corpus where that is set, else a part of every kind."""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a process of its own made of the files."""
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


def test_every_file_is_read_or_refused_as_it_should_be(told):
    """With the line where there is one; never another exception, nor a panic."""
    assert len(told["results"]) >= len(cases()) // STEP >= 300 // STEP
    wrong = [
        (result["name"], result["outcome"], result["detail"])
        for result in told["results"]
        if not is_right(result)
    ]
    assert wrong == []


def test_what_csv_reads_strictly_too_is_read_alike(told):
    """Rows, text and numbers, of each file that both take for the same table."""
    compared = [r for r in told["results"] if r.get("differs") is not None]
    assert len(compared) >= 250 // STEP
    assert [(r["name"], r["differs"]) for r in compared if r["differs"]] == []


def test_no_file_takes_much_memory(told):
    """Above what reading a small one takes: three times the largest, and 300 MB."""
    assert told["grown"] <= 3 * told["largest"] + 300 * MIB
