"""Two keys in two workspaces: neither can see or change anything of the other."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from service.app import create_app
from tests.conftest import bench_in
from tests.live import free_port, live
from tests.service.auth.keys import bearing, make_key
from tests.service.auth.routes import fill, names, routes
from tests.service.predictor.store import copies

pytestmark = pytest.mark.keras
UNKNOWN = "zzz"
SIZES = {"a": 1, "b": 100}
"""The factor between feature and target in each workspace."""


@dataclass
class Two:
    """One service with the same names in two workspaces, and some names only in `a`."""

    grpc_address: str
    app: Any
    client: httpx.Client
    keys: dict[str, str]
    ids: dict[str, str]
    """Ids that exist only in `a`, by the path parameter."""
    secrets: list[str]

    def ask(self, owner: str, method: str, path: str, **given: Any) -> httpx.Response:
        """Send a request with the key of `a` or of `b`."""
        headers = bearing(self.keys[owner])
        return self.client.request(method, path, headers=headers, **given)


@pytest.fixture(scope="module")
def two(tmp_path_factory, broker_url):
    with bench_in(tmp_path_factory.mktemp("two") / "home", broker_url) as bench:
        keys = {owner: make_key(bench, workspace=owner) for owner in "ab"}
        runs = {}
        for owner, key in keys.items():
            bench.client.headers.update(bearing(key))
            bench.upload(table(SIZES[owner]), "shared")
            runs[owner] = train(bench)
        copies(bench, ["model-of-a"], "a")
        bench.client.headers.update(bearing(keys["a"]))
        dataset = bench.upload(table(2), "table-of-a")["id"]
        alias = {"version": 1}
        path = "/v1/models/model-of-a/aliases/live"
        assert bench.client.put(path, json=alias).is_success
        port = free_port()
        settings = bench.settings.model_copy(update={"grpc_port": port})
        app = create_app(settings)
        ids = {
            **dict.fromkeys(("name", "model", "_model", "_name"), "model-of-a"),
            **dict.fromkeys(("run_id", "job_id"), runs["a"]),
            **dict.fromkeys(("ref", "file_id"), dataset),
        }
        secrets = ["-of-a", runs["a"], dataset]
        with live(app) as url, httpx.Client(base_url=url) as client:
            yield Two(f"127.0.0.1:{port}", app, client, keys, ids, secrets)


def table(size):
    rows = "".join(f"{i},{i * size + i % 7}\n" for i in range(60))
    return "x,y\n" + rows


def train(bench):
    fit = {"epochs": 20, "seed": 1, "batch_size": 8}
    spec = {"dataset": "shared", "target": "y", "model_name": "m", "fit": fit}
    run = bench.train(spec)
    assert run["status"] == "succeeded", run["error"]
    return run["id"]


KNOWN = {
    **dict.fromkeys(("number", "version", "_version"), "1"),
    **dict.fromkeys(("alias", "label"), "live"),
    "artifact": "model.onnx",
    "language": "curl",
    "plot_name": "residuals",
}
UNDO = "/v1/models/{name}/changes/undo"
HOOK = "/v1/runs/{run_id}/webhook"
BODIES = {
    "PUT": {"version": 1},
    "POST": {"instances": [{"x": 1}]},
    UNDO: {},
    "/v1/runs/{run_id}": {"notes": "x"},
    HOOK: {"url": "https://example.com/"},
    f"{HOOK}/retry": {},
}
"""By path where the body of its method does not fit."""
TELL_NOTHING = {"/v1/keys/{key_id}", "/mlflow/{_model}/version"}
"""The first is for operators, and the second has the service's version."""


@pytest.mark.heavy
def test_a_foreign_id_is_answered_like_an_unknown_one(two):
    """Status and body are those of an unknown id, and nothing has changed."""
    tried = 0
    for method, path in routes(two.app):
        owned = names(path) & two.ids.keys()
        if not owned or path in TELL_NOTHING:
            continue
        (name,) = owned
        body = BODIES.get(path, BODIES.get(method))
        answers = [
            two.ask("b", method, fill(path, {**KNOWN, name: value}), json=body)
            for value in (two.ids[name], UNKNOWN)
        ]
        assert answers[0].status_code == answers[1].status_code, (method, path)
        assert answers[0].status_code in (400, 404), (method, path, answers[0].text)
        foreign, unknown = (scrubbed(answer) for answer in answers)
        assert foreign.replace(two.ids[name], UNKNOWN) == unknown, (method, path)
        tried += 1
    assert tried > 60
    for path in (
        f"/v1/datasets/{two.ids['ref']}/content",
        "/v1/models/model-of-a/aliases/live/schema",
    ):
        assert two.ask("a", "GET", path).status_code == 200
    run = two.ask("a", "GET", f"/v1/runs/{two.ids['run_id']}").json()
    assert run["status"] == "succeeded"


def scrubbed(answer):
    try:
        body = answer.json()
    except json.JSONDecodeError:
        return answer.text
    if isinstance(body, dict):
        body.pop("request_id", None)
    return json.dumps(body)


def test_a_foreign_name_in_a_body_is_not_found(two):
    spec = {"dataset": "shared", "target": "y"}
    job = {"model": "new", "metadata": {"target": "y"}}
    for path, body in (
        ("/v1/predict", {"model": "model-of-a", "instances": [{"x": 1}]}),
        ("/v1/runs", {**spec, "dataset": two.ids["ref"]}),
        ("/v1/runs", {**spec, "dataset": "table-of-a"}),
        ("/v1/runs", {**spec, "fit": {"validation_dataset": two.ids["ref"]}}),
        ("/v1/runs/validate", {**spec, "dataset": two.ids["ref"]}),
        ("/v1/fine_tuning/jobs", {**job, "training_file": two.ids["ref"]}),
    ):
        answer = two.ask("b", "POST", path, json=body)
        assert answer.status_code == 404, (path, answer.text)


def test_lists_show_only_the_own_workspace(two):
    """Every GET without a parameter is covered, and the index of V2."""
    lists = [(m, p) for m, p in routes(two.app) if m == "GET" and not names(p)]
    for method, path in [*lists, ("POST", "/v2/repository/index")]:
        if path in ("/metrics", "/v1/keys"):  # for operators
            continue
        for cursor in ({}, {"cursor": "zzz", "after": two.ids["run_id"]}):
            text = two.ask("b", method, path, params=cursor).text
            assert not [secret for secret in two.secrets if secret in text], path
    assert two.ids["run_id"] in two.ask("a", "GET", "/v1/runs").text


def test_one_name_is_a_different_model_in_each_workspace(two):
    """This holds for every protocol, in one process."""
    row, tensor = (
        [{"x": 30}],
        {"name": "x", "datatype": "FP64", "shape": [1, 1], "data": [30]},
    )
    predicted = {}
    for owner in "ab" * 2:
        answers = [
            two.ask(owner, "POST", path, json=body).json()
            for path, body in (
                ("/v1/predict", {"model": "m", "instances": row}),
                ("/v1/models/m/predict", {"instances": row}),
                ("/v1/models/m/versions/1/predict", {"instances": row}),
                ("/v1/models/m:predict", {"instances": row}),
                ("/mlflow/m/invocations", {"dataframe_records": row}),
                ("/v2/models/m/infer", {"inputs": [tensor]}),
            )
        ]
        found = [answer["predictions"] for answer in answers[:-1]]
        found.append(answers[-1]["outputs"][0]["data"])
        found.append(by_grpc(two, owner))
        numbers = [float(np.ravel(predictions)[0]) for predictions in found]
        assert np.allclose(numbers, numbers[0], rtol=1e-4)
        predicted.setdefault(owner, set()).add(round(numbers[0], 2))
    assert len(predicted["a"]) == len(predicted["b"]) == 1
    assert max(predicted["b"]) > 10 * max(predicted["a"])


def by_grpc(two, owner, model="m"):
    tensor = triton.InferInput("x", [1, 1], "FP64")
    tensor.set_data_from_numpy(np.array([[30.0]]))
    headers = {"authorization": f"Bearer {two.keys[owner]}"}
    with triton.InferenceServerClient(two.grpc_address) as client:
        return client.infer(model, [tensor], headers=headers).as_numpy("prediction")


def test_grpc_finds_only_models_of_the_keys_workspace(two):
    with pytest.raises(InferenceServerException, match="no model 'model-of-a'"):
        by_grpc(two, "b", "model-of-a")
    headers = {"authorization": f"Bearer {two.keys['b']}"}
    with triton.InferenceServerClient(two.grpc_address) as client:
        index = client.get_model_repository_index(headers=headers, as_json=True)
        assert [m["name"] for m in index["models"]] == ["m"]
        assert not client.is_model_ready("model-of-a", headers=headers)


def test_an_idempotency_key_belongs_to_its_workspace(two):
    """One key in two workspaces creates two runs."""
    once = {"Idempotency-Key": "of-my-choice"}
    spec = {"dataset": "shared", "target": "y", "fit": {"epochs": 1}}
    runs = {}
    for owner in "ab":
        for _ in range(2):
            headers = {**bearing(two.keys[owner]), **once}
            answer = two.client.post("/v1/runs", json=spec, headers=headers)
            assert answer.status_code == 202, answer.text
            runs.setdefault(owner, set()).add(answer.json()["id"])
    assert len(runs["a"]) == len(runs["b"]) == 1
    assert runs["a"] != runs["b"]
