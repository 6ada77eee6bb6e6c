"""TensorFlow Serving's REST API, tested with the curl lines of its documentation."""

import base64
import json
import shutil
import subprocess

import httpx
import pytest

from tests.service.protocols.models import COLUMNS, ROWS, close

pytestmark = pytest.mark.keras


def post(service, path, **options):
    return httpx.post(f"{service.url}/v1/models/{path}", **options)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("body", [{"instances": ROWS}, {"inputs": COLUMNS}])
def test_the_documented_curl_line_is_served(service, body):
    """`curl -d` sends the content type of a form, which is ignored."""
    line = ["curl", "-s", "-d", json.dumps(body), "-X", "POST"]
    done = subprocess.run(
        [*line, f"{service.url}/v1/models/price:predict"],
        capture_output=True,
        check=True,
    )
    key = "predictions" if "instances" in body else "outputs"
    answer = json.loads(done.stdout)
    assert list(answer) == [key]
    assert [len(row) for row in answer[key]] == [1, 1, 1]
    assert close(answer[key], service.native("price")["predictions"])


def test_the_output_is_that_of_the_network(service):
    """Two classes give `[N, 1]`, and more give `[N, classes]`."""
    two = post(service, "churn:predict", json={"instances": ROWS}).json()["predictions"]
    assert close(two, [row["stays"] for row in service.native("churn")["probabilities"]])
    three = post(service, "grade:predict", json={"instances": ROWS}).json()["predictions"]
    native = service.native("grade")["probabilities"]
    assert close(three, [[row[c] for c in ("low", "mid", "top")] for row in native])


@pytest.mark.parametrize("path", ["churn", "churn/versions/1", "churn/labels/live"])
def test_versions_and_labels_give_the_same_answer(service, path):
    """A label is an alias."""
    answer = post(service, f"{path}:predict", json={"instances": ROWS})
    assert (
        answer.json() == post(service, "churn:predict", json={"instances": ROWS}).json()
    )
    status = httpx.get(f"{service.url}/v1/models/{path}").json()["model_version_status"]
    ok = {"error_code": "OK", "error_message": ""}
    assert status == [{"version": "1", "state": "AVAILABLE", "status": ok}]
    metadata = httpx.get(f"{service.url}/v1/models/{path}/metadata").json()
    assert metadata["model_spec"] == {
        "name": "churn",
        "signature_name": "",
        "version": "1",
    }
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    dtypes = {name: tensor["dtype"] for name, tensor in signature["inputs"].items()}
    assert dtypes == {"size": "DT_DOUBLE", "kind": "DT_STRING", "paid": "DT_BOOL", "when": "DT_STRING"}  # fmt: skip


def test_cells_of_shape_one_and_base64_are_read(service):
    """TensorFlow Serving writes a tensor `[N, 1]` in this way."""
    coded = {"b64": base64.b64encode(b"red").decode()}
    row = {"size": [3.25], "kind": [coded], "paid": [True], "when": "2024-01-03"}
    answer = post(service, "price:predict", json={"instances": [row]}).json()
    assert close(answer["predictions"], service.native("price")["predictions"][:1])
    columns = {name: [[cell] for cell in cells] for name, cells in COLUMNS.items()}
    answer = post(service, "price:predict", json={"inputs": columns}).json()
    assert close(answer["outputs"], service.native("price")["predictions"])


def test_classify_and_regress(service):
    """`context` applies to all examples, and the answer is in `results`."""
    rows = [{k: v for k, v in row.items() if k != "paid"} for row in ROWS]
    body = {"context": {"paid": True}, "examples": rows}
    same = [{**row, "paid": True} for row in ROWS]
    results = post(service, "churn:classify", json=body).json()["results"]
    assert [dict(row) for row in results] == service.native("churn", same)[
        "probabilities"
    ]
    results = post(service, "price:regress", json=body).json()["results"]
    assert close(results, service.native("price", same)["predictions"])


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("churm:predict", {"instances": ROWS}, 404, "Servable not found for request: Latest(churm)"),
        ("churn/versions/50:predict", {"instances": ROWS}, 404, "Specific(churn, 50)"),
        (f"churn/versions/{10**30}:predict", {"instances": ROWS}, 400, "Malformed request"),
        (f"churn/versions/{'9' * 5000}:predict", {"instances": ROWS}, 400, "Malformed request"),
        ("churn/labels/x:predict", {"instances": ROWS}, 400, "Unrecognized servable version label: x"),
        ("churn:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
        ("churn:predict", {"instances": ROWS, "inputs": COLUMNS}, 400, "Both"),
        ("churn:predict", {"instances": []}, 400, "'instances'"),
        ("churn:predict", {"instances": [1]}, 400, "every instance"),
        ("churn:predict", {"inputs": [1]}, 400, "keys must be equal to: size,kind,paid,when"),
        ("churn:predict", {"inputs": {**COLUMNS, "size": 1}}, 400, "'size'"),
        ("churn:predict", {"inputs": {**COLUMNS, "size": [1]}}, 400, "differ"),
        ("churn:predict", {"instances": [{"size": 1}]}, 400, "'kind'"),
        ("churn:predict", {"instances": [{**ROWS[0], "kind": {"b64": "%"}}]}, 400, "b64"),
        ("churn:predict", {"instances": [{**ROWS[0], "size": "x"}]}, 400, "expected a number"),
        ("churn:predict", {"signature_name": "zz", "instances": ROWS}, 400, 'name: "zz" not found'),
        ("churn:predict", {"signature_name": [1], "instances": ROWS}, 400, "not found"),
        ("churn:classify", {"examples": 1}, 400, "examples"),
        ("churn:classify", {"examples": [1]}, 400, "object"),
        ("price:classify", {"examples": ROWS}, 400, ":regress"),
        ("grade:regress", {"examples": ROWS}, 400, ":classify"),
        ("churn/nope:predict", {}, 400, "Malformed request: POST"),
    ],
)  # fmt: skip
def test_failures_have_an_error_and_a_status(service, path, body, status, message):
    """The message begins as in TF Serving and says what to do."""
    answer = post(service, path, json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
    assert message in answer.json()["error"]


@pytest.mark.parametrize("content", [b"", b"  ", b"{", b"[1", b"\xff", b'{"a":NaN,}'])
def test_a_body_that_is_not_json_is_400(service, content):
    """The message begins as in TF Serving."""
    answer = post(service, "churn:predict", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("JSON Parse error: ")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "churn:predict", 400),
        ("DELETE", "churn:predict", 400),
        ("GET", "churn/labels/x", 400),
        ("GET", "churm/metadata", 404),
        ("GET", "churm", 404),
        ("GET", "churn/versions/9", 404),
    ],
)
def test_other_failures_have_an_error_too(service, method, path, status):
    """A problem on the shared paths also has the key `error`."""
    answer = httpx.request(method, f"{service.url}/v1/models/{path}")
    assert answer.status_code == status, answer.text
    assert isinstance(answer.json()["error"], str)


def test_the_list_of_models_serves_every_client(service):
    """KServe reads `models`, OpenAI's clients `data`, and native clients `items`."""
    models = httpx.get(f"{service.url}/v1/models").json()
    names = [item["name"] for item in models["items"]]
    assert {"churn", "grade", "price"} <= set(names)
    assert models["models"] == [card["id"] for card in models["data"]] == names
    assert httpx.get(f"{service.url}/v1/models/churn").json()["ready"] is True
