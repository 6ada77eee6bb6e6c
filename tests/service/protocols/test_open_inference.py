"""The Open Inference Protocol V2, tested with tritonclient."""

import json
import struct

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.service.protocols.models import COLUMNS, ROWS, close

pytestmark = pytest.mark.keras
TYPES = {"size": "FP64", "kind": "BYTES", "paid": "BOOL", "when": "BYTES"}


@pytest.fixture(scope="module")
def client(service):
    client = triton.InferenceServerClient(service.address)
    yield client
    client.close()


def tensors(types=TYPES, *, binary=True):
    made = []
    for name, datatype in types.items():
        dtype = {"FP64": np.float64, "FP32": np.float32, "BOOL": bool}.get(
            datatype, object
        )
        tensor = triton.InferInput(name, [len(ROWS), 1], datatype)
        cells = np.array(COLUMNS[name], dtype)[:, None]
        tensor.set_data_from_numpy(cells, binary_data=binary)
        made.append(tensor)
    return made


def test_each_column_is_an_input_of_the_metadata(client):
    """Inputs have their real data types, and the prediction is the first output."""
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_model_metadata("churn")
    assert {t["name"]: t["datatype"] for t in metadata["inputs"]} == TYPES
    assert [t["name"] for t in metadata["outputs"]] == ["prediction", "probability"]
    assert metadata["outputs"][0]["parameters"] == {"classes": ["leaves", "stays"]}
    assert metadata["versions"] == ["1"]
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]


def test_the_default_call_is_binary(client, service):
    """The predictions of tritonclient's default call are the native ones."""
    answer = client.infer("price", tensors())
    assert answer.get_response()["outputs"][0]["parameters"]["binary_data_size"] == 12
    assert close(answer.as_numpy("prediction"), service.native("price")["predictions"])


@pytest.mark.parametrize("packing", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_every_encoding_gives_the_same_answer(client, service, binary, packing):
    """Binary or JSON, compressed or not, labels and probabilities are equal."""
    native = service.native("churn")
    requested = [
        triton.InferRequestedOutput(name, binary_data=binary)
        for name in ("prediction", "probability")
    ]
    answer = client.infer(
        "churn",
        tensors(binary=binary),
        outputs=requested,
        request_id="42",
        request_compression_algorithm=packing,
        response_compression_algorithm=packing,
    )
    labels = answer.as_numpy("prediction").ravel().tolist()
    decoded = [text.decode() if isinstance(text, bytes) else text for text in labels]
    assert decoded == native["predictions"]
    stays = [row["stays"] for row in native["probabilities"]]
    assert close(answer.as_numpy("probability"), stays)
    assert answer.get_response()["id"] == "42"


def test_all_classes_have_a_probability(client, service):
    """They have the order of the metadata and the shape `[N, classes]`."""
    answer = client.infer("grade", tensors())
    classes = client.get_model_metadata("grade")["outputs"][1]["parameters"]["classes"]
    native = [
        [row[c] for c in classes] for row in service.native("grade")["probabilities"]
    ]
    assert answer.as_numpy("probabilities").shape == (3, 3)
    assert close(answer.as_numpy("probabilities"), native)


def test_a_large_answer_is_compressed_if_the_client_accepts_gzip(service):
    """The length in the header counts uncompressed bytes."""
    body = {
        "inputs": [
            {"name": n, "shape": [300], "datatype": TYPES[n], "data": c * 100}
            for n, c in COLUMNS.items()
        ],
        "parameters": {"binary_data_output": True},
    }
    answer = httpx.post(f"{service.url}/v2/models/churn/infer", json=body)
    assert answer.headers["content-encoding"] == "gzip"
    length = int(answer.headers["inference-header-content-length"])
    head = json.loads(answer.content[:length])
    sizes = [output["parameters"]["binary_data_size"] for output in head["outputs"]]
    assert len(answer.content) == length + sum(sizes)


def test_one_tensor_for_all_columns(service, bench):
    """A model of numbers accepts `[N, F]` under any name."""
    rows = "".join(f"{i},{i % 7},{i + i % 7}\n" for i in range(60))
    service.bench.upload("a,b,y\n" + rows, "sums")
    fit = {"epochs": 1, "seed": 1}
    run = service.bench.train(
        {"dataset": "sums", "target": "y", "model_name": "sums", "fit": fit}
    )
    assert run["status"] == "succeeded"
    data = [[1, 2], [3, 4], [5, 6]]
    tensor = {"name": "x", "shape": [3, 2], "datatype": "INT32", "data": data}
    answer = httpx.post(f"{service.url}/v2/models/sums/infer", json={"inputs": [tensor]})
    rows = [{"a": a, "b": b} for a, b in data]
    native = service.native("sums", rows)
    assert close(answer.json()["outputs"][0]["data"], native["predictions"])


def test_versions_are_numbers_or_aliases(client, service):
    """The client's `model_version` is a text in both cases."""
    native = service.native("churn")["predictions"]
    for version in ("1", "live"):
        answer = client.infer("churn", tensors(), model_version=version)
        assert answer.get_response()["model_version"] == "1"
        assert [b.decode() for b in answer.as_numpy("prediction").ravel()] == native
    assert client.is_model_ready("churn", "live")
    assert not client.is_model_ready("churn", "7")


def test_the_repository_lists_loads_and_unloads(client):
    """The next request loads an unloaded model again."""
    entries = client.get_model_repository_index()
    assert {"name": "churn", "version": "1", "state": "READY", "reason": ""} in entries
    client.unload_model("churn")
    client.load_model("churn")
    client.unload_model("churn")
    assert client.infer("churn", tensors()).as_numpy("prediction").shape == (3, 1)
    with pytest.raises(InferenceServerException, match=r"\[400\] There is no model"):
        client.load_model("churm")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: c.infer("churm", tensors()), "Did you mean `churn`"),
        (lambda c: c.infer("churn", tensors(), model_version="9"), "no version"),
        (lambda c: c.infer("churn", tensors()[:3]), "column 'when' is missing"),
        (lambda c: c.infer("churn", tensors({"size": "FP64"})), "'kind' is missing"),
        (lambda c: c.get_model_config("churn"), "has no model configuration"),
        (lambda c: c.get_inference_statistics("churn"), "has no statistics"),
    ],
)
def test_the_client_can_read_every_failure(client, ask, message):
    """tritonclient reads the status and `error`."""
    with pytest.raises(InferenceServerException, match=message):
        ask(client)


GOOD = {"name": "size", "shape": [1], "datatype": "FP64", "data": [1]}


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": None},
        {"inputs": []},
        {"inputs": {}},
        {"inputs": ["size"]},
        {"inputs": [{**GOOD, "name": 1}]},
        {"inputs": [{**GOOD, "shape": [2]}]},
        {"inputs": [{**GOOD, "shape": [-1]}]},
        {"inputs": [{**GOOD, "shape": [True]}]},
        {"inputs": [{**GOOD, "shape": "1"}]},
        {"inputs": [{**GOOD, "shape": [1, 1, 1]}]},
        {"inputs": [{**GOOD, "shape": [10**30, 10**30]}]},
        {"inputs": [{**GOOD, "datatype": "FP63"}]},
        {"inputs": [{**GOOD, "datatype": ["FP64"]}]},
        {"inputs": [{**GOOD, "data": {}}]},
        {"inputs": [{**GOOD, "data": [[1], 2]}]},
        {"inputs": [{**GOOD, "data": ["x"]}]},
        {"inputs": [{**GOOD, "parameters": {"binary_data_size": 8}}]},
        {"inputs": [{**GOOD, "parameters": {"binary_data_size": "8"}}]},
        {"inputs": [{**GOOD, "parameters": {"shared_memory_region": "x"}}]},
        {"outputs": 1},
        {"outputs": [1]},
        {"outputs": [{"name": "predictions"}]},
        {"outputs": [{"name": ["prediction"]}]},
    ],
)
def test_an_invalid_body_is_400(service, changes):
    """The answer is never 422, plain text or a 500."""
    inputs = [
        {"name": n, "shape": [3], "datatype": TYPES[n], "data": c}
        for n, c in COLUMNS.items()
    ]
    body = {"inputs": inputs, **changes}
    answer = httpx.post(f"{service.url}/v2/models/churn/infer", json=body)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    ("header", "raw"),
    [
        ("x", b""),
        ("-1", b""),
        ("9" * 30, b""),
        ("5", b""),
        (None, b"\xff"),
        (None, b"[1]"),
        (None, b"{"),
    ],
)
def test_an_invalid_frame_is_400(service, header, raw):
    """The length of the JSON or the JSON itself is wrong."""
    headers = {"Inference-Header-Content-Length": header} if header else {}
    url = f"{service.url}/v2/models/churn/infer"
    answer = httpx.post(url, content=raw, headers=headers)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize(
    "raw",
    [
        struct.pack("<I", 9) + b"red",
        struct.pack("<I", 1) + b"\xff",
        b"\x01\x00",
        struct.pack("<I", 0xFFFFFFFF),
    ],
)
def test_invalid_bytes_elements_are_400(service, raw):
    """Lengths of BYTES elements are wrong, or their text is not UTF-8."""
    kind = {"name": "kind", "shape": [1], "datatype": "BYTES"}
    kind["parameters"] = {"binary_data_size": len(raw)}
    header = json.dumps({"inputs": [kind]}).encode()
    answer = httpx.post(
        f"{service.url}/v2/models/churn/infer",
        content=header + raw,
        headers={"Inference-Header-Content-Length": str(len(header))},
    )
    assert answer.status_code == 400, answer.text


def test_nan_is_missing(service):
    """NaN in the JSON has the prediction of null on the native route."""
    native = service.native("price", [{**ROWS[0], "size": None}])["predictions"]
    body = {
        "inputs": [
            {"name": n, "shape": [1], "datatype": t, "data": [ROWS[0][n]]}
            for n, t in TYPES.items()
        ]
    }
    body["inputs"][0]["data"] = [float("nan")]
    url = f"{service.url}/v2/models/price/infer"
    answer = httpx.post(url, content=json.dumps(body).encode()).json()
    assert close(answer["outputs"][0]["data"], native)
    assert "every training row had a value" in answer["parameters"]["warnings"]
