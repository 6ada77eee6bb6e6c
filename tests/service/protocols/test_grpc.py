"""The Open Inference Protocol over gRPC, tested with tritonclient."""

import queue

import numpy as np
import pytest
import tritonclient.grpc as triton
from pydantic import SecretStr
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from service.app import create_app
from service.predictor.predictor import Predictor
from tests.live import free_port, live
from tests.service.protocols.models import COLUMNS, ROWS, close

pytestmark = pytest.mark.keras
TYPES = {"size": "FP64", "kind": "BYTES", "paid": "BOOL", "when": "BYTES"}
KEY = "a-secret-of-many-characters"


@pytest.fixture(scope="module")
def client(service):
    with triton.InferenceServerClient(service.grpc_address) as client:
        yield client


def tensors():
    made = []
    for name, datatype in TYPES.items():
        dtype = {"FP64": np.float64, "BOOL": bool}.get(datatype, object)
        tensor = triton.InferInput(name, [len(ROWS), 1], datatype)
        tensor.set_data_from_numpy(np.array(COLUMNS[name], dtype)[:, None])
        made.append(tensor)
    return made


def test_health_metadata_and_repository_are_served(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("churn", "live")
    assert not client.is_model_ready("churm")
    metadata = client.get_model_metadata("churn", as_json=True)
    assert {t["name"]: t["datatype"] for t in metadata["inputs"]} == TYPES
    assert [t["name"] for t in metadata["outputs"]] == ["prediction", "probability"]
    names = {m["name"] for m in client.get_model_repository_index(as_json=True)["models"]}
    assert {"churn", "grade", "price"} <= names
    client.unload_model("churn")
    client.load_model("churn")


@pytest.mark.parametrize("model", ["price", "churn", "grade"])
def test_the_predictions_are_the_native_ones(client, service, model):
    """Inputs and outputs are raw bytes, as tritonclient sends them."""
    native = service.native(model)
    answer = client.infer(model, tensors(), request_id="7")
    assert answer.get_response().id == "7"
    found = answer.as_numpy("prediction").ravel()
    if model == "price":
        assert close(found, native["predictions"])
    else:
        assert [text.decode() for text in found] == native["predictions"]
    if model == "churn":
        stays = [row["stays"] for row in native["probabilities"]]
        assert close(answer.as_numpy("probability"), stays)


def test_typed_contents_are_answered_by_typed_contents(service):
    """Clients other than tritonclient may send no raw bytes."""
    request = service_pb2.ModelInferRequest(model_name="churn")
    fields = {"FP64": "fp64_contents", "BOOL": "bool_contents", "BYTES": "bytes_contents"}
    for name, datatype in TYPES.items():
        cells = [c.encode() if datatype == "BYTES" else c for c in COLUMNS[name]]
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[3])
        getattr(tensor.contents, fields[datatype]).extend(cells)
    import grpc

    with grpc.insecure_channel(service.grpc_address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        answer = stub.ModelInfer(request)
        native = service.native("churn")
        labels = answer.outputs[0].contents.bytes_contents
        assert [text.decode() for text in labels] == native["predictions"]
        request.inputs[0].shape[:] = [4]
        with pytest.raises(grpc.RpcError, match="its shape"):
            stub.ModelInfer(request)
        with pytest.raises(grpc.RpcError) as refused:
            stub.ModelConfig(service_pb2.ModelConfigRequest(name="churn"))
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("ask", "code", "message"),
    [
        (lambda c: c.infer("churm", tensors()), "NOT_FOUND", "Did you mean `churn`"),
        (lambda c: c.infer("churn", tensors(), "9"), "NOT_FOUND", "no version"),
        (
            lambda c: c.infer("churn", tensors()[:3]),
            "INVALID_ARGUMENT",
            "'when' is missing",
        ),
        (lambda c: c.load_model("churm"), "INVALID_ARGUMENT", "churm"),
    ],
)
def test_failures_have_a_code_and_a_message(client, ask, code, message):
    with pytest.raises(InferenceServerException, match=message) as refused:
        ask(client)
    assert refused.value.status() == f"StatusCode.{code}"


def test_an_invalid_message_is_refused(service):
    """Invalid bytes and a name with U+0000 are refused, alone and in a stream."""
    import grpc

    path = "/inference.GRPCInferenceService/"
    named = service_pb2.ModelInferRequest(model_name="chu\0rn").SerializeToString()
    with grpc.insecure_channel(service.grpc_address) as channel:
        for packed, message in ((b"\xff\xff", "unpacked"), (named, "U\\+0000")):
            with pytest.raises(grpc.RpcError, match=message) as alone:
                channel.unary_unary(path + "ModelInfer")(packed)
            with pytest.raises(grpc.RpcError, match=message) as streamed:
                list(channel.stream_stream(path + "ModelStreamInfer")(iter([packed])))
            for refused in (alone, streamed):
                assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_an_internal_error_in_a_stream_reveals_nothing(service, monkeypatch):
    """The exception is in the log only."""
    import grpc

    def broken(*_):
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(Predictor, "answer", broken)
    request = service_pb2.ModelInferRequest(model_name="churn")
    with grpc.insecure_channel(service.grpc_address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        with pytest.raises(grpc.RpcError, match="see its log") as refused:
            list(stub.ModelStreamInfer(iter([request])))
    assert refused.value.code() == grpc.StatusCode.INTERNAL
    assert "SELECT" not in str(refused.value)


def test_a_stream_continues_after_a_failure(client, service):
    """Each request of the stream has its own answer."""
    answers = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    client.async_stream_infer("churm", tensors())
    client.async_stream_infer("price", tensors())
    _, error = answers.get(timeout=10)
    answer, _ = answers.get(timeout=10)
    client.stop_stream()
    assert "churm" in str(error)
    assert close(answer.as_numpy("prediction"), service.native("price")["predictions"])


def test_without_the_key_only_health_is_served(service):
    """The key is that of the HTTP port."""
    port = free_port()
    more = {"api_key": SecretStr(KEY), "grpc_port": port}
    settings = service.bench.settings.model_copy(update=more)
    with (
        live(create_app(settings)),
        triton.InferenceServerClient(f"127.0.0.1:{port}") as client,
    ):
        assert client.is_server_live()
        with pytest.raises(InferenceServerException, match="API key"):
            client.infer("churn", tensors())
        answer = client.infer(
            "churn", tensors(), headers={"authorization": f"Bearer {KEY}"}
        )
        assert answer.as_numpy("prediction").shape == (3, 1)
