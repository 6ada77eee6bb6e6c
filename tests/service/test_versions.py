"""Results of a trained run: versions, aliases, classes, weights, artifacts."""

import hashlib

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.service.predictor.store import copies
from tests.service.small_model import FIT, ROW, ask
from tests.timing import until

pytestmark = pytest.mark.keras


@pytest.fixture
def bench(tmp_path, broker_url, small_home):
    """Copy a trained service, whose thread does not read names during a test."""
    given = {"alias_refresh_seconds": 3600.0}
    with bench_in(tmp_path / "home", broker_url, small_home, **given) as bench:
        yield bench


def test_an_alias_moves_between_versions(client, bench):
    """Promotion and rollback take effect at once, and elsewhere after a refresh."""
    copies(bench, ["m"])
    often = bench.settings.model_copy(update={"alias_refresh_seconds": 0.02})

    def served(client):
        return ask(client, "/v1/models/m/aliases/live/predict", instances=[ROW])

    with TestClient(create_app(often), base_url="http://localhost") as other:
        for number in (2, 1):
            put = client.put("/v1/models/m/aliases/live", json={"version": number})
            assert put.json()["aliases"] == ["live"]
            assert served(client).json()["model_version"] == number
            until(lambda n=number: served(other).json()["model_version"] == n)
        assert client.get("/v1/models/m").json()["aliases"] == {"live": 1}
        assert client.delete("/v1/models/m/aliases/live").status_code == 204
        assert_problem(served(client), 404, "alias-not-found")
        until(lambda: served(other).status_code != 200)
        assert_problem(served(other), 404, "alias-not-found")
    answer = client.put("/v1/models/m/aliases/live", json={"version": 7})
    assert_problem(answer, 404, "version-not-found")


def test_classes_come_with_probabilities(client, upload, train):
    """Labels are written as in the table, and the probabilities of a row sum to one."""
    upload(
        "x,y\n" + "".join(f"{i},{('low', 'mid', 'top')[i // 20]}\n" for i in range(60))
    )
    train({"dataset": "table", "target": "y", "model_name": "three", "fit": FIT})
    answer = ask(
        client, "/v1/models/three/predict", instances=[{"x": 1}, {"x": 50}]
    ).json()
    assert set(answer["predictions"]) <= {"low", "mid", "top"}
    for label, row in zip(answer["predictions"], answer["probabilities"], strict=True):
        assert sum(row.values()) == pytest.approx(1, abs=1e-5)
        assert max(row, key=row.get) == label


def test_numbers_as_classes_stay_numbers(client, upload, train):
    """A 0/1 target predicts 0 or 1, not text."""
    upload("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    train({"dataset": "table", "target": "y", "model_name": "two", "fit": FIT})
    answer = ask(client, "/v1/models/two/predict", instances=[{"x": 1}]).json()
    assert answer["predictions"][0] in (0, 1)
    assert set(answer["probabilities"][0]) == {"0", "1"}


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_file_is_never_served(client, bench, damage):
    """The sha256 in the database is checked; the answer is 503, and other routes work."""
    file = next(bench.files.rglob("model.onnx"))
    content = bytearray(file.read_bytes())
    if damage == "remove":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[:-7])
    else:
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    assert_problem(ask(client, instances=[ROW]), 503, "artifact-damaged")
    assert client.get("/v1/models/m").status_code == 200


def test_weights_of_a_linear_neuron_can_be_read(client, upload, train):
    """The weights of y = 2x + 1 are about 2 and 1, under the input's name."""
    upload("x,y\n" + "".join(f"{i / 10},{2 * i / 10 + 1}\n" for i in range(40)))
    run = train(
        {
            "dataset": "table",
            "target": "y",
            "model_name": "line",
            "features": {"standardize": False},
            "model": {"layers": [{"type": "Dense", "units": 1}]},
            "compile": {
                "optimizer": {"type": "Adam", "learning_rate": 0.1},
                "loss": "mse",
            },
            "fit": {"epochs": 200, "seed": 3, "validation_split": 0},
        }
    )
    assert run["status"] == "succeeded"
    read = client.get("/v1/models/line/versions/1/weights").json()
    assert read["inputs"] == ["x"]
    kernel, bias = read["layers"][0]["weights"]
    assert (kernel["name"], kernel["shape"]) == ("kernel", [1, 1])
    assert kernel["values"][0][0] == pytest.approx(2, abs=0.05)
    assert bias["values"][0] == pytest.approx(1, abs=0.1)


def test_artifacts_have_the_recorded_size_and_sha256(client):
    """An unknown name is a 404."""
    version = client.get("/v1/models/m/versions/1").json()
    names = [artifact["name"] for artifact in version["artifacts"]]
    assert names == [
        "model.keras",
        "model.onnx",
        "report.json",
        "signature.json",
        "weights.npz",
    ]
    for artifact in version["artifacts"]:
        path = f"/v1/models/m/versions/1/artifacts/{artifact['name']}"
        content = client.get(path).content
        assert len(content) == artifact["num_bytes"]
        assert hashlib.sha256(content).hexdigest() == artifact["sha256"]
    answer = client.get("/v1/models/m/versions/1/artifacts/model.h5")
    assert_problem(answer, 404, "artifact-not-found")
