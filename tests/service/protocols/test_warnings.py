"""Every protocol sends warnings, and a warning refuses a strict request."""

import io
import json

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import tritonclient.grpc
import tritonclient.http
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from tritonclient.utils import InferenceServerException

from fitserve import Client, InvalidInstances
from tests.problems import assert_problem
from tests.service.protocols.models import ROWS

pytestmark = pytest.mark.keras
UNSEEN = [ROWS[0], {**ROWS[1], "kind": "mauve"}]
DETAIL = "'mauve' is not a known category"
WARNING = {"row": 1, "column": "kind", "detail": DETAIL}
STRICT = [
    {"params": {"strict": "true"}},
    {"headers": {"Prefer": "wait=5, handling=strict"}},
]
TYPES = {"size": "FP64", "kind": "BYTES", "paid": "BOOL", "when": "BYTES"}


def columns(rows):
    return {name: [row.get(name) for row in rows] for name in rows[0]}


def split(rows):
    return {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}


def tensors(rows):
    return [
        {"name": n, "shape": [len(c)], "datatype": TYPES[n], "data": c}
        for n, c in columns(rows).items()
    ]


def csv(rows):
    return pd.DataFrame(rows).to_csv(index=False).encode()


def parquet(rows):
    file = io.BytesIO()
    pl.DataFrame(rows).write_parquet(file)
    return file.getvalue()


JSON = "application/json"
V1, V2, MLFLOW = "/v1/models/churn", "/v2/models/churn", "/mlflow/churn"
WAYS = {
    "native": (f"{V1}/predict", lambda rows: {"instances": rows}, JSON),
    "native table": (f"{V1}/predict", split, JSON),
    "native body": ("/v1/predict", lambda rows: {"model": "churn", "instances": rows}, JSON),
    "native version": (f"{V1}/versions/1/predict", lambda rows: {"instances": rows}, JSON),
    "native alias": (f"{V1}/aliases/live/predict", lambda rows: {"instances": rows}, JSON),
    "tf rows": (f"{V1}:predict", lambda rows: {"instances": rows}, JSON),
    "tf columns": (f"{V1}:predict", lambda rows: {"inputs": columns(rows)}, JSON),
    "tf version": (f"{V1}/versions/1:predict", lambda rows: {"instances": rows}, JSON),
    "tf label": (f"{V1}/labels/live:predict", lambda rows: {"instances": rows}, JSON),
    "classify": (f"{V1}:classify", lambda rows: {"examples": rows}, JSON),
    "regress": ("/v1/models/price:regress", lambda rows: {"examples": rows}, JSON),
    "v2": (f"{V2}/infer", lambda rows: {"id": "7", "inputs": tensors(rows)}, JSON),
    "v2 alias": (f"{V2}/versions/live/infer", lambda rows: {"id": "7", "inputs": tensors(rows)}, JSON),
    "mlflow": (f"{MLFLOW}/invocations", lambda rows: {"dataframe_records": rows}, JSON),
    "mlflow split": (f"{MLFLOW}/invocations", lambda rows: {"dataframe_split": split(rows)}, JSON),
    "mlflow inputs": (f"{MLFLOW}/invocations", lambda rows: {"inputs": columns(rows)}, JSON),
    "mlflow default": ("/invocations", lambda rows: {"instances": rows}, JSON),
    "mlflow csv": (f"{MLFLOW}/invocations", csv, "text/csv"),
    "mlflow parquet": (f"{MLFLOW}/invocations", parquet, "application/vnd.apache.parquet"),
}  # fmt: skip


def ask(service, way, rows, headers=(), params=None):
    path, form, kind = WAYS[way]
    body = form(rows)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(
        service.url + path,
        content=content,
        params=params,
        headers={"Content-Type": kind, **dict(headers)},
        timeout=60,
    )


def warned(answer):
    body = answer.json()
    if "outputs" in body and "model_name" in body:
        return json.loads(body["parameters"]["warnings"])
    return body["warnings"]


def refusal(answer):
    """Assert a refusal in any protocol's format and return its message."""
    body = answer.json()
    is_native = answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == (422 if is_native else 400), answer.text
    if is_native:
        assert_problem(answer, 422, "invalid-instances")
        return body["detail"]
    assert set(body) in ({"error"}, {"error_code", "message"}), answer.text
    return body.get("error") or body["message"]


@pytest.mark.parametrize("way", WAYS)
def test_every_protocol_sends_a_warning(service, way):
    """An unseen category gets a prediction and a warning."""
    answer = ask(service, way, UNSEEN)
    assert answer.status_code == 200, answer.text
    assert warned(answer) == [WARNING]


@pytest.mark.parametrize("strict", STRICT, ids=["query", "prefer"])
@pytest.mark.parametrize("way", WAYS)
def test_a_strict_request_is_refused_by_a_warning(service, way, strict):
    """The message has row, column, reason and what to do, in the protocol's format."""
    message = refusal(ask(service, way, UNSEEN, **strict))
    assert message.startswith(f"Row 1, column 'kind': {DETAIL}. The request is strict")
    assert message.endswith("send the request without strict.")


@pytest.mark.parametrize("way", WAYS)
def test_valid_rows_have_the_same_answer_if_strict(service, way):
    """The answers are equal byte for byte and have no `warnings`."""
    plain = ask(service, way, ROWS)
    assert plain.status_code == 200
    assert b"warnings" not in plain.content
    for strict in STRICT:
        assert ask(service, way, ROWS, **strict).content == plain.content


@pytest.mark.parametrize("cell", [float("nan"), float("inf")])
@pytest.mark.parametrize("way", WAYS)
def test_a_cell_that_is_not_finite_is_missing(service, way, cell):
    """By every protocol, as null is; JSON of Python clients has the tokens."""
    odd = ask(service, way, [{**ROWS[0], "size": cell}, ROWS[1]])
    null = ask(service, way, [{**ROWS[0], "size": None}, ROWS[1]])
    assert odd.status_code == null.status_code == 200, odd.text
    answers = [answer.json() for answer in (odd, null)]
    for answer in answers:
        answer.pop("warnings", None)
        answer.pop("parameters", None)
    assert answers[0] == answers[1]
    (warning,) = [w for w in warned(odd) if w["column"] == "size"]
    assert "missing" in warning["detail"]


@pytest.mark.parametrize("way", WAYS)
def test_large_bodies_have_the_same_warnings(service, way):
    """A thread reads bodies above 64 KiB."""
    rows = [{**ROWS[0], "when": "2024-01-03T00:00:00.000000"}] * 3000
    assert ask(service, way, rows, **STRICT[0]).status_code == 200
    rows = [*rows, UNSEEN[1]]
    assert [w["row"] for w in warned(ask(service, way, rows))] == [3000]
    message = refusal(ask(service, way, rows, **STRICT[0]))
    assert message.startswith(f"Row 3000, column 'kind': {DETAIL}.")


def test_each_warning_is_an_error_of_the_refusal(service):
    """There is one for each category, range, missing value and unknown column."""
    rows = [
        {**ROWS[0], "size": 9000, "colour": "red", "goal": "stays"},
        {**ROWS[1], "kind": "mauve", "size": None},
    ]
    warnings = service.native("churn", rows)["warnings"]
    assert {w["column"] for w in warnings} == {"size", "kind", "colour"}
    answer = ask(service, "native", rows, **STRICT[0])
    errors = assert_problem(answer, 422, "invalid-instances")["errors"]
    expected = [(w["row"], w["column"], f"#/instances/{w['row']}") for w in warnings]
    assert [(e["row"], e["column"], e["pointer"]) for e in errors] == expected
    for error, warning in zip(errors, warnings, strict=True):
        place = f"row {warning['row']}, column '{warning['column']}'"
        assert error["detail"] == f"{place}: {warning['detail']}"


@pytest.mark.parametrize(
    "way", ["native table", "tf columns", "mlflow csv", "mlflow parquet"]
)
def test_an_unknown_column_refuses_too(service, way):
    """A column that is sent once for all rows has no row number."""
    rows = [{**row, "colour": "red"} for row in ROWS]
    detail = "not a column of this model"
    warning = {"row": None, "column": "colour", "detail": detail}
    assert warned(ask(service, way, rows)) == [warning]
    refused = refusal(ask(service, way, rows, **STRICT[0]))
    assert refused.startswith(f"Column 'colour': {detail}.")


def test_the_detail_names_five_warnings_and_errors_all(service):
    answer = ask(service, "native", [UNSEEN[1]] * 8, **STRICT[0])
    problem = assert_problem(answer, 422, "invalid-instances")
    assert "; row 4, column 'kind'" in problem["detail"]
    assert "; 3 more. The request is strict" in problem["detail"]
    assert [error["row"] for error in problem["errors"]] == list(range(8))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("query", ["strict=maybe", "strict=", "strict=true&strict=false"])
def test_an_invalid_value_of_strict_is_400(service, way, query):
    """Rows without warnings are refused too."""
    answer = ask(service, way, ROWS, params=httpx.QueryParams(query))
    assert answer.status_code == 400, answer.text
    assert (
        "expected true (refuse the request if there are warnings about its rows)"
        in answer.text
    )


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("strict=1", {}, 422),
        ("strict=TRUE", {}, 422),
        ("strict=false", {}, 200),
        ("strict=false", {"Prefer": "handling=strict"}, 200),
        ("strict=true", {"Prefer": "handling=lenient"}, 422),
        ("decimal=.", {"Prefer": 'respond-async, Handling="strict"; q=1'}, 422),
        ("", {"Prefer": "handling=lenient, handling=strict"}, 200),
        ("", {"Prefer": "handling=odd"}, 200),
        ("", {"Prefer": "strict"}, 200),
    ],
)
def test_the_query_has_precedence_over_the_preference(service, query, headers, status):
    """Unknown preferences are ignored, and the first one counts (RFC 7240)."""
    params = httpx.QueryParams(query)
    answer = ask(service, "native", UNSEEN, headers, params)
    assert answer.status_code == status, answer.text


def test_a_preference_may_be_in_a_second_header(service):
    """Headers of one name are one list."""
    headers = [("Prefer", "wait=1"), ("Prefer", "handling=strict")]
    url, body = f"{service.url}{V1}/predict", {"instances": UNSEEN}
    answer = httpx.post(url, json=body, headers=headers)
    assert_problem(answer, 422, "invalid-instances")


def test_mlflows_client_reads_warnings_and_sends_strict(service):
    host, port = service.address.split(":")
    client = ScoringServerClient(host, f"{port}/mlflow/churn")
    frame = pd.DataFrame(UNSEEN)
    answer = client.invoke(frame)
    native = service.native("churn", UNSEEN)
    assert answer.get_predictions()[0].tolist() == native["predictions"]
    assert answer["warnings"] == [WARNING]
    with pytest.raises(Exception, match="The request is strict"):
        client.invoke(frame, params={"strict": True})
    with pytest.raises(Exception, match="`strict` is 'maybe'; expected true"):
        client.invoke(pd.DataFrame(ROWS), params={"strict": "maybe"})
    assert "warnings" not in client.invoke(pd.DataFrame(ROWS), params={"strict": True})


def test_probabilities_of_mlflow_have_warnings_too(service):
    body = {"instances": UNSEEN, "params": {"probabilities": True}}
    answer = httpx.post(f"{service.url}{MLFLOW}/invocations", json=body).json()
    assert answer["warnings"] == [WARNING]
    assert set(answer["predictions"][0]) == {"prediction", "probabilities"}


def inputs(triton, rows):
    made = []
    for name, cells in columns(rows).items():
        dtype = {"FP64": np.float64, "BOOL": bool}.get(TYPES[name], object)
        tensor = triton.InferInput(name, [len(rows)], TYPES[name])
        tensor.set_data_from_numpy(np.array(cells, dtype))
        made.append(tensor)
    return made


def over_http(answer):
    return answer.get_response().get("parameters", {}).get("warnings")


def over_grpc(answer):
    parameters = answer.get_response().parameters
    return parameters["warnings"].string_param if "warnings" in parameters else None


@pytest.mark.parametrize(
    ("triton", "address", "read"),
    [
        (tritonclient.http, "address", over_http),
        (tritonclient.grpc, "grpc_address", over_grpc),
    ],
    ids=["http", "grpc"],
)
def test_tritons_clients_read_warnings_and_send_strict(service, triton, address, read):
    """The parameter `strict` works over HTTP and gRPC."""
    with triton.InferenceServerClient(getattr(service, address)) as client:
        unseen, clean = inputs(triton, UNSEEN), inputs(triton, ROWS)
        strict = {"parameters": {"strict": True}}
        assert json.loads(read(client.infer("churn", unseen))) == [WARNING]
        with pytest.raises(InferenceServerException, match="The request is strict") as no:
            client.infer("churn", unseen, **strict)
        assert f"Row 1, column 'kind': {DETAIL}." in no.value.message()
        assert no.value.status() in ("400", "StatusCode.INVALID_ARGUMENT")
        plain, held = client.infer("churn", clean), client.infer("churn", clean, **strict)
        assert read(plain) is read(held) is None
        for name in ("prediction", "probability"):
            assert (plain.as_numpy(name) == held.as_numpy(name)).all()
        for odd in ("maybe", 2):
            with pytest.raises(InferenceServerException, match="expected true"):
                client.infer("churn", clean, parameters={"strict": odd})
        is_not = {"parameters": {"strict": False}}
        assert json.loads(read(client.infer("churn", unseen, **is_not))) == [WARNING]


def test_the_client_sends_strict(service):
    """If rows need several requests, the error has the row's number in the whole."""
    rows = [*ROWS * 400, UNSEEN[1]]
    with Client(service.url) as client:
        assert [w.row for w in client.predict("churn", rows).warnings] == [1200]
        with pytest.raises(InvalidInstances, match="row 1200, column 'kind'") as refused:
            client.predict("churn", rows, strict=True)
        assert refused.value.problem.errors[0].row == 1200
        held = client.models.predict("churn", ROWS, strict=True)
        assert held == client.predict("churn", ROWS)


def test_every_route_documents_strict(service):
    """The OpenAPI document of the service and that of the model do."""
    page = httpx.get(f"{service.url}/openapi.json").json()["paths"]
    predicting = [
        path
        for path in page
        if path.endswith(("predict", ":classify", ":regress", "/infer", "invocations"))
    ]
    assert len(predicting) == 4 + 9 + 2 + 2
    for path in predicting:
        parameters = {p["name"]: p["in"] for p in page[path]["post"]["parameters"]}
        assert (parameters["strict"], parameters["Prefer"]) == ("query", "header"), path
    own = httpx.get(f"{service.url}{V1}/openapi.json").json()["paths"]
    (operation,) = (methods["post"] for methods in own.values())
    assert [p["name"] for p in operation["parameters"]] == ["strict"]
