"""Attacks that once succeeded are refused."""

import gzip
import io
import json

import httpx
import polars as pl
import pytest

from tests.service.protocols.models import COLUMNS, ROWS

pytestmark = [pytest.mark.keras, pytest.mark.heavy]
PARQUET = {"Content-Type": "application/vnd.apache.parquet"}
CSV = {"Content-Type": "text/csv"}
LONG = "x" * 1_000_000
GOOD = ",".join(COLUMNS) + "\n" + "3,red,yes,2024-01-03\n"


def score(service, content, headers, model="churn"):
    url = f"{service.url}/mlflow/{model}/invocations"
    return httpx.post(url, content=content, headers=headers, timeout=60)


def parquet(kind):
    frame = pl.DataFrame(COLUMNS | {"kind": [None] * 3}).clear().cast({"kind": pl.String})
    rows = 2000
    columns = {
        "size": [1.0] * rows,
        "kind": kind(rows),
        "paid": [True] * rows,
        "when": ["2024-01-01"] * rows,
    }
    file = io.BytesIO()
    pl.DataFrame(columns)[frame.columns].write_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (lambda n: pl.Series([LONG.encode()] * n, dtype=pl.Binary), 400),
        (lambda n: pl.Series([[None] * 1000] * n), 400),
        (lambda n: pl.Series([{"a": 1}] * n), 400),
        (lambda n: pl.Series([LONG] * n, dtype=pl.Categorical), 413),
        (lambda n: pl.Series([LONG] * n), 413),
    ],
    ids=["bytes", "lists", "structs", "categories", "texts"],
)
def test_a_small_parquet_file_is_not_unpacked_without_bound(service, kind, status):
    """The columns have impossible types, or long texts repeated by a dictionary."""
    content = parquet(kind)
    assert len(content) < 2_000_000
    assert score(service, content, PARQUET).status_code == status


def test_decimals_are_numbers_and_categories_are_texts(service):
    frame = pl.DataFrame(ROWS).with_columns(
        pl.col("size").cast(pl.Decimal(10, 2)), pl.col("kind").cast(pl.Categorical)
    )
    file = io.BytesIO()
    frame.write_parquet(file)
    answer = score(service, file.getvalue(), PARQUET).json()
    assert answer == {"predictions": service.native("churn")["predictions"]}


def test_blank_lines_are_not_rows(service):
    """A header with blank lines only is refused, as in an upload."""
    assert score(service, GOOD.encode() + b"\n\n", CSV).status_code == 200
    assert score(service, b"size,kind,paid,when\n\n\n", CSV).status_code == 400
    assert score(service, GOOD.encode() + b"\n" * 200_000, CSV).status_code == 200
    rows = GOOD.splitlines(keepends=True)[1] * 100_001
    assert score(service, (GOOD + rows).encode(), CSV).status_code == 413


def test_a_gzip_body_may_grow_to_a_hundred_times_its_size(service):
    """All gzip members are read, and too many members are refused."""
    headers = CSV | {"Content-Encoding": "gzip"}
    bomb = gzip.compress(GOOD.encode() + b"\n" * 5_000_000)
    assert score(service, bomb, headers).status_code == 413
    lines = GOOD.splitlines(keepends=True)
    members = b"".join(gzip.compress(line.encode()) for line in [*lines, lines[1]])
    assert len(score(service, members, headers).json()["predictions"]) == 2
    assert score(service, members + b"rest", headers).status_code == 400
    # a body of empty members once took more than half a minute
    empty = gzip.compress(b"") * 101
    assert "members" in score(service, empty, headers).text


@pytest.mark.parametrize("shape", [[9 * 10**18] * 300, [10**5000], [1] * 60_000, []])
def test_a_shape_is_one_or_two_sizes(service, shape):
    """Other shapes are refused before their sizes are multiplied."""
    tensor = {"name": "size", "datatype": "FP64", "shape": shape, "data": [1]}
    content = json.dumps({"inputs": [tensor]}) if len(shape) != 1 else "1"
    answer = httpx.post(f"{service.url}/v2/models/churn/infer", content=content)
    assert answer.status_code == 400
    assert len(answer.content) < 1000


@pytest.mark.parametrize("length", ["0" * 5000, "0" * 20 + "9" * 30, "²"])
def test_a_length_is_a_short_number(service, length):
    """Python reads very many digits slowly, and accepts digits such as ²."""
    headers = {b"Inference-Header-Content-Length": length.encode()}
    answer = httpx.post(
        f"{service.url}/v2/models/churn/infer", content=b"{}", headers=headers
    )
    assert answer.status_code == 400


def test_at_most_twenty_unknown_keys_are_named(service):
    body = {f"k{i}": 1 for i in range(50_000)}
    answer = httpx.post(f"{service.url}/v1/models/churn/predict", json=body)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 20


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/models/churn/versions/x/schema", 422),
        ("/v1/models/churn/versions/0/openapi.json", 422),
        (f"/v1/models/churn/versions/{'9' * 5000}/snippets", 422),
        (f"/v1/models/churn/versions/{'9' * 5000}/metadata", 400),
        ("/v2/models/churn/versions/000000000000000000012/ready", 404),
        ("/v1/models/churn/versions?cursor=%C2%B2", 200),
        (
            "/v1/fine_tuning/jobs?" + "&".join(f"metadata[a{i}]=b" for i in range(1000)),
            400,
        ),
    ],
)
def test_odd_paths_have_no_500(service, path, status):
    assert httpx.get(service.url + path).status_code == status


def test_an_unknown_charset_of_a_form_is_refused(service):
    headers = {"Content-Type": "multipart/form-data; boundary=B; charset=undefined"}
    content = (
        b'--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nx\r\n--B--\r\n'
    )
    for path in ("/v1/files", "/v1/datasets"):
        answer = httpx.post(service.url + path, content=content, headers=headers)
        assert answer.status_code in (400, 422), answer.text


def test_an_overflow_is_null_with_a_warning(service):
    """Without the check the first class would be predicted."""
    row = {**ROWS[0], "size": 1e308}
    answer = service.native("churn", [row, ROWS[1]])
    assert answer["predictions"][0] is None
    assert answer["predictions"][1] is not None
    assert "no prediction" in answer["warnings"][-1]["detail"]
    url = f"{service.url}/v1/models/churn:classify"
    assert "NaN" in httpx.post(url, json={"examples": [row]}).text


def test_duplicate_authorization_headers_are_refused(service):
    """It must not depend on chance which of two keys counts."""
    headers = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    answer = httpx.get(f"{service.url}/v1/models", headers=headers)
    assert answer.status_code == 400


def test_gzip_is_not_sent_if_the_client_refuses_it(service):
    inputs = [
        {"name": "size", "shape": [300], "datatype": "FP64", "data": [1.0] * 300},
        {"name": "kind", "shape": [300], "datatype": "BYTES", "data": ["red"] * 300},
        {"name": "paid", "shape": [300], "datatype": "BOOL", "data": [True] * 300},
        {
            "name": "when",
            "shape": [300],
            "datatype": "BYTES",
            "data": ["2024-01-01"] * 300,
        },
    ]
    url = f"{service.url}/v2/models/churn/infer"
    headers = {"Accept-Encoding": "gzip;q=0"}
    answer = httpx.post(url, json={"inputs": inputs}, headers=headers)
    assert "content-encoding" not in answer.headers
