"""Warnings come by every protocol, and refuse a request that is strict."""

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
SAID = "'mauve' is not a known category"
WARNING = {"row": 1, "column": "kind", "detail": SAID}
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
    told = answer.json()
    if "outputs" in told and "model_name" in told:
        return json.loads(told["parameters"]["warnings"])
    return told["warnings"]


def refusal(answer):
    """The sentence of a refusal, in whichever dialect."""
    told = answer.json()
    is_native = answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == (422 if is_native else 400), answer.text
    if is_native:
        assert_problem(answer, 422, "invalid-instances")
        return told["detail"]
    assert set(told) in ({"error"}, {"error_code", "message"}), answer.text
    return told.get("error") or told["message"]


@pytest.mark.parametrize("way", WAYS)
def test_a_warning_comes_by_every_protocol(service, way):
    """An unseen category is answered, and told."""
    answer = ask(service, way, UNSEEN)
    assert answer.status_code == 200, answer.text
    assert warned(answer) == [WARNING]


@pytest.mark.parametrize("strict", STRICT, ids=["query", "prefer"])
@pytest.mark.parametrize("way", WAYS)
def test_a_strict_request_is_refused_by_a_warning(service, way, strict):
    """In the protocol's own dialect, with row, column, sentence and remedy."""
    said = refusal(ask(service, way, UNSEEN, **strict))
    assert said.startswith(f"Row 1, column 'kind': {SAID}. The request is strict")
    assert said.endswith("send the request without strict.")


@pytest.mark.parametrize("way", WAYS)
def test_clean_rows_are_answered_alike(service, way):
    """Byte for byte, strict or not, and nothing speaks of warnings."""
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
def test_large_bodies_are_held_to_the_same(service, way):
    """A thread reads them: more than 64 KiB, with one unseen category at the end."""
    rows = [{**ROWS[0], "when": "2024-01-03T00:00:00.000000"}] * 3000
    assert ask(service, way, rows, **STRICT[0]).status_code == 200
    rows = [*rows, UNSEEN[1]]
    assert [w["row"] for w in warned(ask(service, way, rows))] == [3000]
    said = refusal(ask(service, way, rows, **STRICT[0]))
    assert said.startswith(f"Row 3000, column 'kind': {SAID}.")


def test_each_warning_is_a_line_of_the_refusal(service):
    """Categories, ranges, missing values and unknown columns; the target is ignored."""
    rows = [
        {**ROWS[0], "size": 9000, "colour": "red", "goal": "stays"},
        {**ROWS[1], "kind": "mauve", "size": None},
    ]
    warnings = service.native("churn", rows)["warnings"]
    assert {w["column"] for w in warnings} == {"size", "kind", "colour"}
    answer = ask(service, "native", rows, **STRICT[0])
    errors = assert_problem(answer, 422, "invalid-instances")["errors"]
    told = [(w["row"], w["column"], f"#/instances/{w['row']}") for w in warnings]
    assert [(e["row"], e["column"], e["pointer"]) for e in errors] == told
    for error, warning in zip(errors, warnings, strict=True):
        place = f"row {warning['row']}, column '{warning['column']}'"
        assert error["detail"] == f"{place}: {warning['detail']}"


@pytest.mark.parametrize(
    "way", ["native table", "tf columns", "mlflow csv", "mlflow parquet"]
)
def test_an_unknown_column_refuses_too(service, way):
    """Sent once for all rows, it is of no row."""
    rows = [{**row, "colour": "red"} for row in ROWS]
    said = "not a column of this model"
    told = {"row": None, "column": "colour", "detail": said}
    assert warned(ask(service, way, rows)) == [told]
    refused = refusal(ask(service, way, rows, **STRICT[0]))
    assert refused.startswith(f"Column 'colour': {said}.")


def test_many_warnings_are_told_in_part_and_named_in_full(service):
    """Five in the sentence, a line each."""
    answer = ask(service, "native", [UNSEEN[1]] * 8, **STRICT[0])
    problem = assert_problem(answer, 422, "invalid-instances")
    assert "; row 4, column 'kind'" in problem["detail"]
    assert "; 3 more. The request is strict" in problem["detail"]
    assert [error["row"] for error in problem["errors"]] == list(range(8))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("query", ["strict=maybe", "strict=", "strict=true&strict=false"])
def test_a_value_that_is_neither_is_told_so(service, way, query):
    """Also for rows that bring no warning."""
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
def test_the_query_decides_and_else_the_preference(service, query, headers, status):
    """Preferences that are not known are ignored, and the first one counts (RFC 7240)."""
    params = httpx.QueryParams(query)
    answer = ask(service, "native", UNSEEN, headers, params)
    assert answer.status_code == status, answer.text


def test_a_preference_may_stand_in_a_header_of_its_own(service):
    """Headers of one name are one list."""
    headers = [("Prefer", "wait=1"), ("Prefer", "handling=strict")]
    url, body = f"{service.url}{V1}/predict", {"instances": UNSEEN}
    answer = httpx.post(url, json=body, headers=headers)
    assert_problem(answer, 422, "invalid-instances")


def test_mlflows_client_reads_and_asks(service):
    """Its answer keeps the warnings; its `params` ask for strict."""
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


def test_probabilities_of_mlflow_have_warnings_beside_them(service):
    """The other shape of its predictions."""
    body = {"instances": UNSEEN, "params": {"probabilities": True}}
    told = httpx.post(f"{service.url}{MLFLOW}/invocations", json=body).json()
    assert told["warnings"] == [WARNING]
    assert set(told["predictions"][0]) == {"prediction", "probabilities"}


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
def test_tritons_clients_read_and_ask(service, triton, address, read):
    """The parameter `strict` of a request, over HTTP as by gRPC, in binary tensors."""
    with triton.InferenceServerClient(getattr(service, address)) as client:
        unseen, clean = inputs(triton, UNSEEN), inputs(triton, ROWS)
        strict = {"parameters": {"strict": True}}
        assert json.loads(read(client.infer("churn", unseen))) == [WARNING]
        with pytest.raises(InferenceServerException, match="The request is strict") as no:
            client.infer("churn", unseen, **strict)
        assert f"Row 1, column 'kind': {SAID}." in no.value.message()
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


def test_the_client_asks_for_strict(service):
    """Of rows in several requests the refusal names the row as it was given."""
    rows = [*ROWS * 400, UNSEEN[1]]
    with Client(service.url) as client:
        assert [w.row for w in client.predict("churn", rows).warnings] == [1200]
        with pytest.raises(InvalidInstances, match="row 1200, column 'kind'") as refused:
            client.predict("churn", rows, strict=True)
        assert refused.value.problem.errors[0].row == 1200
        held = client.models.predict("churn", ROWS, strict=True)
        assert held == client.predict("churn", ROWS)


def test_every_route_tells_of_it(service):
    """The OpenAPI page, and the model's own."""
    page = httpx.get(f"{service.url}/openapi.json").json()["paths"]
    predicting = [
        path
        for path in page
        if path.endswith(("predict", ":classify", ":regress", "/infer", "invocations"))
    ]
    assert len(predicting) == 4 + 9 + 2 + 2
    for path in predicting:
        told = {p["name"]: p["in"] for p in page[path]["post"]["parameters"]}
        assert (told["strict"], told["Prefer"]) == ("query", "header"), path
    own = httpx.get(f"{service.url}{V1}/openapi.json").json()["paths"]
    (operation,) = (methods["post"] for methods in own.values())
    assert [p["name"] for p in operation["parameters"]] == ["strict"]
