"""MLflow's scoring protocol, tested with MLflow's own client."""

import io
import json

import httpx
import pandas as pd
import polars as pl
import pytest
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

from tests.service.protocols.models import COLUMNS, ROWS, close

pytestmark = pytest.mark.keras


def post(service, model="churn", **options):
    return httpx.post(f"{service.url}/mlflow/{model}/invocations", **options)


@pytest.mark.parametrize("model", ["price", "churn", "grade"])
def test_the_client_gets_the_native_predictions(service, model):
    """The client is given only host and port."""
    host, port = service.address.split(":")
    client = ScoringServerClient(host, f"{port}/mlflow/{model}")
    client.wait_server_ready(timeout=5)
    assert client.get_version()
    found = client.invoke(pd.DataFrame(ROWS)).get_predictions()[0].tolist()
    native = service.native(model)["predictions"]
    assert close(found, native) if model == "price" else found == native


def test_without_a_name_the_default_model_answers(service):
    """The setting is churn@live here."""
    client = ScoringServerClient(*service.address.split(":"))
    client.ping()
    found = client.invoke(pd.DataFrame(ROWS)).get_predictions()[0].tolist()
    assert found == service.native("churn", path="/aliases/live")["predictions"]
    for path in ("/ping", "/health", "/mlflow/churn@live/health"):
        answer = httpx.get(service.url + path)
        assert (answer.status_code, answer.text) == (200, "\n")


def test_without_a_default_model_the_path_must_name_one(service):
    """The 404 has MLflow's format and says what to do."""
    answer = service.bench.client.post("/invocations", json={})
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert "FITSERVE_DEFAULT_MODEL" in answer.json()["message"]
    assert service.bench.client.get("/ping").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"index": [0, 1, 2], "columns": list(COLUMNS), "data": [list(r.values()) for r in ROWS]}},
        {"dataframe_records": ROWS},
        {"instances": ROWS},
        {"instances": [list(row.values()) for row in ROWS], "other": 1},
        {"inputs": COLUMNS},
        {"inputs": {name: [[cell] for cell in cells] for name, cells in COLUMNS.items()}},
    ],
)  # fmt: skip
def test_every_form_of_a_table_is_read(service, body):
    answer = post(service, json=body)
    assert answer.json() == {"predictions": service.native("churn")["predictions"]}


def test_csv_and_parquet_are_read(service):
    """The content type selects the format, and may have a charset."""
    native = {"predictions": service.native("churn")["predictions"]}
    text = pd.DataFrame(ROWS).to_csv(index=False).encode()
    for kind in ("text/csv", "text/csv; charset=utf-8"):
        assert (
            post(service, content=text, headers={"Content-Type": kind}).json() == native
        )
    file = io.BytesIO()
    frame = pl.DataFrame(ROWS).with_columns(pl.col("when").str.to_date())
    frame.write_parquet(file)
    kind = {"Content-Type": "application/vnd.apache.parquet"}
    assert post(service, content=file.getvalue(), headers=kind).json() == native


def test_nan_is_missing(service):
    """The client writes NaN into the JSON."""
    rows = [{**ROWS[0], "size": None}]
    content = json.dumps({"dataframe_records": [{**ROWS[0], "size": float("nan")}]})
    answer = post(service, model="price", content=content.encode())
    assert close(
        answer.json()["predictions"], service.native("price", rows)["predictions"]
    )


def test_probabilities_are_sent_on_request(service):
    """`params` of the protocol requests them."""
    answer = post(service, json={"instances": ROWS, "params": {"probabilities": True}})
    native = service.native("churn")
    probabilities = [row["probabilities"] for row in answer.json()["predictions"]]
    assert probabilities == native["probabilities"]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"dataframe_records": [{"size": 1}]}, "INVALID_PARAMETER_VALUE", "'kind'"),
        ({"dataframe_split": {"columns": ["size"], "data": [[1]]}}, "INVALID_PARAMETER_VALUE", "'kind'"),
        ({"instances": ROWS, "inputs": COLUMNS}, "INVALID_PARAMETER_VALUE", "exactly one"),
        ({}, "INVALID_PARAMETER_VALUE", "exactly one"),
        ([1], "INVALID_PARAMETER_VALUE", "exactly one"),
        ({"instances": [{**ROWS[0], "size": "big"}]}, "INVALID_PARAMETER_VALUE", "expected a number"),
        ({"instances": 1}, "INVALID_PARAMETER_VALUE", "list"),
        ({"inputs": {"size": 1}}, "INVALID_PARAMETER_VALUE", "'size'"),
        ({"inputs": {"size": [1], "kind": []}}, "INVALID_PARAMETER_VALUE", "differ"),
        ({"dataframe_split": 1}, "INVALID_PARAMETER_VALUE", "dataframe_split"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "INVALID_PARAMETER_VALUE", "different"),
    ],
)  # fmt: skip
def test_failures_have_mlflows_format(service, body, code, message):
    """A 400 has `error_code` and `message`."""
    answer = post(service, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error_code"] == code
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("text/html", b"x", 415),
        ("application/json; charset=latin-1", b"{}", 415),
        ("application/json", b"{", 400),
        ("text/csv", b"", 400),
        ("text/csv", b"size,kind\n", 400),
        ("text/csv", b'size,kind\n"1,2', 400),
        ("text/csv", b"\xff\xfe", 400),
        ("application/vnd.apache.parquet", b"PAR1", 400),
        ("application/vnd.apache.parquet", b"PAR1" + b"\0" * 40 + b"PAR1", 400),
    ],
)
def test_other_bodies_are_refused(service, kind, content, status):
    """Unknown media types and invalid tables are refused."""
    answer = post(service, content=content, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert (status != 415) or answer.headers["content-type"].startswith("text/plain")
