"""The counts of suggestions: how they are made, and what they have to show."""

import json
from pathlib import Path

import pytest

from benchmarks.advice_page import LEAST_SHARE, is_better, page_table
from core.runs.diagnosis.suggestions import KINDS

MEASURED = Path("benchmarks/advice.json")


def case(before, after, kind="more_epochs", **changes):
    """Return a case; a score is the pair of error and main figure."""
    own = {"table": "wages", "seed": 0, "start": "default", "word": "still_improving"}
    return own | {"kind": kind, "before": before, "after": after} | changes


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [
        ([0.5, 0.8], [0.4, 0.7], True),
        ([0.5, 0.8], [0.5, 0.9], False),
        (None, [0.4, 0.7], True),
        ([0.5, 0.8], None, False),
        (None, None, False),
    ],
)
def test_a_suggestion_is_better_with_a_lower_error(before, after, better):
    """A network is better than none, and an equal error is not better."""
    assert is_better(case(before, after)) is better


def test_the_page_counts_each_kind_and_names_those_below_the_share():
    """A run without a suggestion is counted among the words only."""
    good, bad = case([0.5, 0.8], [0.4, 0.7]), case([0.5, 0.8], [0.6, 0.9], "leave_out")
    text = page_table([good, good, bad, case([0.5, 0.8], None, None, word="fine")])
    assert "4 runs, 1 tables, 1 seeds: a spec was suggested after 3 runs." in text
    assert "Kinds below 70 %: `leave_out`." in text
    assert "| more_epochs | 2 | 2 | 100% | 0% | 0.80 times |" in text
    assert "`still_improving` 3 (2 of 3 better), `fine` 1" in text


def test_every_kind_that_was_offered_was_better_often_enough():
    """A kind below the share must be removed, or its rule narrowed."""
    offered = [one for one in json.loads(MEASURED.read_text()) if one["kind"]]
    for kind in {one["kind"] for one in offered}:
        own = [one for one in offered if one["kind"] == kind]
        assert kind in KINDS
        assert sum(map(is_better, own)) >= LEAST_SHARE * len(own), kind
