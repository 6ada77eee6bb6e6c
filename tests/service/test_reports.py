"""The advice of a report is accepted by the service."""

import pytest

from core.runs.diagnosis.suggestions import next_spec
from core.runs.spec import ResolvedSpec

CSV = "x,y\n" + "".join(f"{i},{3 * i % 7 + 0.5}\n" for i in range(60))


@pytest.mark.parametrize("preset", ["linear", "small", "default", "thorough"])
@pytest.mark.parametrize(
    "word", ["underfit", "overfit", "still_improving", "diverged", "noisy"]
)
def test_the_next_spec_is_valid_for_every_preset(bench, word, preset):
    dataset = bench.upload(CSV)
    given = {"dataset": "table", "target": "y", "preset": preset}
    answer = bench.client.post("/v1/runs/validate", json=given)
    assert answer.status_code == 200, answer.text
    limits = bench.settings.limits
    given = ResolvedSpec.model_validate(answer.json()["spec"])
    found = next_spec(word, given, 48, limits)
    spec = found.spec.to_json() | {"dataset": dataset["id"]}
    answer = bench.client.post("/v1/runs/validate", json=spec)
    assert answer.status_code == 200, answer.text
