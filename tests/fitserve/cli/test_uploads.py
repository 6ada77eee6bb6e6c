"""Test what an upload says about the version before it."""

import json

import pytest

from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer, problem


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        (
            {"num_rows": 2100, "parent_id": "ds_0"},
            "wine@4 replaces wine@3 (2,100 rows) as",
        ),
        ({"num_rows": 1, "digest": "sha256:11"}, "wine@4 replaces wine@3 (1 row) as"),
        ({"status": "processing", "digest": "sha256:11"}, "wine@4 replaces wine@3 as"),
        ({}, ""),
        ({"version": 5}, ""),
    ],
)
def test_an_upload_says_what_it_replaces(wire, fitserve, tmp_path, before, shown):
    """Unless the version before is an upload of the same file, or is deleted."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(version=4), 201))
    versions = [bodies.dataset(version=4), bodies.dataset(**{"version": 3, **before})]
    wire.answers("GET /v1/datasets", bodies.page(*versions))
    path = tmp_path / "wine.csv"
    path.write_text("alcohol\n9\n")
    done = fitserve("datasets", "upload", path, "--json")
    advice = "to add rows: fitserve datasets append wine FILE"
    whole = f"{shown} the newest version; {advice}\n"
    assert done.stderr == (whole if shown else "")
    assert json.loads(done.stdout)["version"] == 4
    assert wire.asked[-1].query["name"] == "wine"


def test_a_key_that_may_only_upload_gets_no_note(wire, fitserve, tmp_path):
    """The upload is stored, so that the command succeeds."""
    wire.answers("POST /v1/datasets", Answer(bodies.dataset(version=4), 201))
    refusal = problem(403, "forbidden", "The key lacks datasets:read.")
    wire.answers("GET /v1/datasets", refusal)
    path = tmp_path / "wine.csv"
    path.write_text("alcohol\n9\n")
    done = fitserve("datasets", "upload", path)
    assert (done.exit_code, done.stderr) == (0, "")
