"""3,500 hostile specs are refused by a problem, and none is queued."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers import environment_of
from tests.service.hostile.sound import SPEC, TABLE
from tests.service.hostile.specs import changed, places

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[3]
STEP = 1 if os.environ.get("FITSERVE_TEST_HOSTILE") else 7
"""With the variable the whole corpus is sent, otherwise a part of every kind."""


@pytest.fixture(scope="module")
def report(tmp_path_factory, broker_url):
    """Return the answers of a service in a separate process, and its imported modules."""
    home = tmp_path_factory.mktemp("hostile") / "home"
    command = [
        sys.executable,
        "-m",
        "tests.service.hostile.send",
        home,
        broker_url,
        str(STEP),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment_of(home),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_every_hostile_spec_is_refused_by_a_problem(report):
    """The problem is a 4xx with a detail; specs that are valid all the same are queued."""
    assert len(report["results"]) >= 3_500 // STEP
    wrong = [
        (result["name"], result["status"], result["detail"])
        for result in report["results"]
        if not (result["status"] == 202 if result["is_sound"] else is_refusal(result))
    ]
    assert wrong == []


def is_refusal(result):
    return 400 <= result["status"] < 500 and result["is_problem"] and result["detail"]


def test_only_valid_specs_are_queued(report):
    assert report["num_queued"] == sum(result["is_sound"] for result in report["results"])


def test_no_hostile_spec_makes_the_api_import_keras(report):
    """The API imports neither TensorFlow nor onnx."""
    assert report["loaded"] == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(
    max_examples=100 if STEP > 1 else 2_000,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(list(places(SPEC))), JSON)
def test_any_json_in_any_place_is_accepted_or_refused(hostile_client, path, value):
    """The answer is never a 5xx."""
    answer = hostile_client.post(
        "/v1/runs", content=json.dumps(changed(SPEC, path, value))
    )
    if answer.status_code != 202:
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
def hostile_client(bench):
    for name in ("table", "held"):
        bench.upload(TABLE, name=name)
    return bench.client


def test_json_larger_than_a_spec_may_be_is_refused(client, settings):
    """The route accepts uploads of gigabytes, but not as JSON."""
    body = b'{"target": "' + b"a" * settings.limits.max_body_bytes + b'"}'
    assert client.post("/v1/runs", content=body).status_code == 413
