"""A CSV as the body of a predict request, on the native routes and MLflow's."""

import gzip
import io
import json
import zlib
from datetime import datetime

import polars as pl
import pytest
from starlette.testclient import TestClient

from core.settings import Limits
from core.storage.scratch import scratch_root
from fitserve.file_formats import MEDIA_TYPES
from service.app import create_app
from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.service.auth.keys import bearing, make_key
from tests.workbooks import ods, xlsx

pytestmark = pytest.mark.keras
TABLE = "size,town,paid,when,y\n" + "".join(
    f"{i / 4},{('Rom', 'Köln', 'Bern')[i % 3]},{('yes', 'no')[i % 2]},"
    f"{i % 28 + 1}.1.2024,{i % 3 + i / 9}\n"
    for i in range(60)
)
ROWS = [
    {"size": 3.25, "town": "Köln", "paid": "yes", "when": "3.1.2024"},
    {"size": None, "town": "Rom", "paid": "no", "when": "28.1.2024"},
    {"size": 7, "town": "Bern", "paid": "YES", "when": "2024-01-09"},
]
HEADER = "size;town;paid;when"
FILE = f"{HEADER}\n3.25;Köln;yes;3.1.2024\n;Rom;no;28.1.2024\n7;Bern;YES;2024-01-09\n"
NATIVE = ["/v1/predict?model=m", "/v1/models/m/predict", "/v1/models/m/versions/1/predict", "/v1/models/m/aliases/live/predict"]  # fmt: skip
ROUTES = [*NATIVE, "/mlflow/m/invocations", "/invocations"]
MOST_BYTES, MOST_ROWS = 40_000, 200
SPEC = {
    "dataset": "table",
    "target": "y",
    "model_name": "m",
    "model": {"layers": [{"type": "Dense", "units": 4}, {"type": "Output"}]},
    "fit": {"epochs": 2, "seed": 1},
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url):
    """Provide one trained model and small limits."""
    home = tmp_path_factory.mktemp("files") / "home"
    limits = Limits(max_predict_body_bytes=MOST_BYTES, max_predict_rows=MOST_ROWS)
    with bench_in(home, broker_url, limits=limits, default_model="m") as bench:
        bench.upload(TABLE)
        assert bench.train(SPEC)["status"] == "succeeded"
        bench.client.put("/v1/models/m/aliases/live", json={"version": 1})
        yield bench


@pytest.fixture
def client(bench):
    yield bench.client
    assert list(scratch_root().iterdir()) == []


@pytest.fixture
def native(client):
    answer = client.post("/v1/models/m/predict", json={"instances": ROWS})
    return answer.json()["predictions"]


def send(client, url, content=FILE, kind="text/csv", **options):
    content = content.encode() if isinstance(content, str) else content
    headers = {"Content-Type": kind, **options.pop("headers", {})}
    return client.post(url, content=content, headers=headers, **options)


def with_query(url, **query):
    joined = "&".join(f"{key}={value}" for key, value in query.items())
    return f"{url}{'&' if '?' in url else '?'}{joined}"


@pytest.mark.parametrize("url", ROUTES)
def test_a_file_has_the_predictions_of_its_cells(client, native, url):
    """The native routes also report how the file was parsed."""
    body = send(client, url).json()
    assert body["predictions"] == native
    if url in NATIVE:
        assert body["model_version"] == 1
        assert body["parsing"]["delimiter"] == ";"
        assert body["parsing"]["encoding"] == "utf-8"


def packed(text, way):
    content = text.encode()
    match way:
        case "gzip":
            return gzip.compress(content), {}
        case "Content-Encoding: gzip":
            return gzip.compress(content), {"Content-Encoding": "gzip"}
        case "Content-Encoding: deflate":
            return zlib.compress(content), {"Content-Encoding": "deflate"}
        case "a gzip within a gzip":
            twice = gzip.compress(gzip.compress(content))
            return twice, {"Content-Encoding": "gzip"}
    return text.encode(way), {}


@pytest.mark.parametrize("url", [NATIVE[1], ROUTES[4]])
@pytest.mark.parametrize(
    "way",
    ["gzip", "Content-Encoding: gzip", "Content-Encoding: deflate", "a gzip within a gzip", "utf-8-sig", "utf-16", "cp1252"],
)  # fmt: skip
def test_files_may_be_compressed_and_encoded(client, native, url, way):
    content, headers = packed(FILE, way)
    answer = send(client, url, content, headers=headers)
    assert answer.json()["predictions"] == native, answer.text


@pytest.mark.parametrize("url", [NATIVE[0], NATIVE[1], ROUTES[4]])
@pytest.mark.parametrize("form", ["parquet", "ipc", "ndjson", "xlsx", "ods"])
def test_files_with_types_are_answered_as_their_cells_are(client, native, url, form):
    """The content decides the format, not the Content-Type."""
    columns = list(ROWS[0])
    if form in ("xlsx", "ods"):
        rows = [list(row.values()) for row in ROWS]
        content = {"xlsx": xlsx, "ods": ods}[form]({"s": [columns, *rows]})
    else:
        file = io.BytesIO()
        getattr(pl.DataFrame(ROWS), f"write_{form}")(file)
        content = file.getvalue()
    kinds = ["text/csv", MEDIA_TYPES["parquet"], "application/gzip"]
    for kind in kinds[: 1 if form in ("xlsx", "ods") else 3]:
        answer = send(client, url, content, kind)
        assert answer.json().get("predictions") == native, (kind, answer.text)
    refused = send(client, with_query(url, delimiter="|"), content)
    assert "no option `delimiter`" in refused.text


@pytest.mark.parametrize("url", [NATIVE[1], ROUTES[4]])
@pytest.mark.parametrize(
    "kind", ["TEXT/CSV", "text/csv; charset=utf-8", "text/csv;header=present", 'text/csv; charset="UTF-8"']
)  # fmt: skip
def test_the_media_type_may_have_parameters(client, native, url, kind):
    """Upper and lower case are equal."""
    assert send(client, url, kind=kind).json()["predictions"] == native


@pytest.mark.parametrize("url", [NATIVE[0], NATIVE[1], ROUTES[4]])
@pytest.mark.parametrize(
    ("content", "query"),
    [
        (FILE.replace(";", "\t"), {"delimiter": "\\t"}),
        (FILE.replace(";", "|"), {"delimiter": "|"}),
        (FILE.replace(".25", ",25"), {"decimal": ","}),
        (FILE.replace("\n;", "\nnope;"), {"null_values": "nope"}),
        (FILE.replace("\n;", "\nnope;").replace("Bern", "Bern"), {"null_values": "x&null_values=nope"}),
        (FILE.encode("cp850"), {"encoding": "cp850"}),
        (FILE, {"header": "true"}),
    ],
)  # fmt: skip
def test_the_options_of_an_upload_are_accepted(client, native, url, content, query):
    """The options are in the query."""
    answer = send(client, with_query(url, **query), content)
    assert answer.json().get("predictions") == native, answer.text


ONE = "1;Rom;no;1.1.2024\n"
BOMB = gzip.compress(b"a;b\n" + b"1;2\n" * 3_000_000)
REFUSED = {
    "nothing": (b"", 422),
    "blanks": (b" \n\t\n", 422),
    "a header alone": (HEADER.encode(), 422),
    "a header twice": (f"{HEADER};size\n1;Rom;no;1.1.2024;1\n".encode(), 200),
    "a column too few": (b"size;town;paid\n1;Rom;no\n", 422),
    "a cell that does not fit": (FILE.replace("3.25", "big").encode(), 422),
    "a line too long": (f"{FILE}1;2;3;4;5;6\n".encode(), 422),
    "too many rows": (f"{HEADER}\n{ONE * (MOST_ROWS + 1)}".encode(), 413),
    "as many rows as may be": (f"{HEADER}\n{ONE * MOST_ROWS}".encode(), 200),
    "too many bytes": (f"{HEADER}\n{ONE * 5_000}".encode(), 413),
    "a bomb": (BOMB, 413),
    "a damaged gzip": (gzip.compress(FILE.encode())[:-6], 400),
    "an invalid gzip": (b"\x1f\x8b\x08\x00" + b"junk" * 20, 400),
    "a gzip of nothing": (gzip.compress(b""), 422),
    "all bytes": (bytes(range(256)) * 20, 422),
    "half of UTF-16": (FILE.encode("utf-16")[:-1], 422),
    "a NUL": (FILE.replace("Rom", "R\0m").encode(), 422),
    "a NUL in a name": (FILE.replace("town", "to\0wn").encode(), 422),
    "many columns": (b"," * 15_000 + b"\n" + b"," * 4_000, 422),
    "a quote that is never closed": (FILE.replace("Köln", '"Köln').encode(), 422),
    "a zip": (b"PK\x03\x04" + bytes(200), 422),
}


@pytest.mark.parametrize("url", [NATIVE[0], NATIVE[1], ROUTES[4]])
@pytest.mark.parametrize("case", REFUSED)
def test_invalid_files_are_refused_with_a_reason(client, url, case):
    """The status is never a 5xx, and no scratch folder stays."""
    content, status = REFUSED[case]
    answer = send(client, url, content)
    if url not in NATIVE and status == 422:
        status = 400  # MLflow's status
    assert answer.status_code == status, answer.text
    assert status == 200 or len(answer.text) > 50


def test_a_million_columns_are_refused(bench):
    """The limit on bodies allows such a file, but no table has as many columns."""
    more = bench.settings.model_copy(update={"limits": Limits()})
    content = ",".join(f"c{i}" for i in range(130_000)) + "\n1\n2\n"
    with TestClient(create_app(more), base_url="http://localhost") as client:
        for url in (NATIVE[1], ROUTES[4]):
            for body in (content, "," * 1_000_000 + "\n1\n2\n"):
                answer = send(client, url, body)
                assert answer.status_code in (400, 413, 422), answer.text
    assert list(scratch_root().iterdir()) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"types": json.dumps({"size": "text"})}, "is numeric; got the type text"),
        ({"types": "{"}, "types"),
        ({"encoding": "utf-99"}, "There is no encoding 'utf-99'"),
        ({"encoding": "base64"}, "There is no encoding"),
        ({"header": "perhaps"}, "header"),
        ({"delimiter": "long"}, "delimiter"),
        ({"delimiter": "%00"}, "U+0000"),
        ({"decimal": "x"}, "decimal"),
    ],
)
@pytest.mark.parametrize("url", [NATIVE[0], NATIVE[1], ROUTES[4]])
def test_invalid_options_are_named(client, url, query, message):
    answer = send(client, with_query(url, **query))
    assert answer.status_code in (400, 422), answer.text
    assert message in answer.text


@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        ("", 422, "invalid-instances"),
        ("model=", 422, "invalid-instances"),
        ("model=none", 404, "model-not-found"),
        ("model=m&version=9", 404, "version-not-found"),
        ("model=m&alias=none", 404, "alias-not-found"),
        ("model=m&version=1&alias=live", 422, "invalid-instances"),
        ("model=m&version=0", 422, "invalid-instances"),
        ("model=m&version=9999999999999", 422, "invalid-instances"),
        ("model=m&version=%C2%B2", 422, "invalid-instances"),
        ("model=m&version=999999999", 404, "version-not-found"),
        ("model=m%00", 404, "model-not-found"),
    ],
)
def test_the_query_names_the_model(client, query, status, slug):
    """The rules are those of a JSON body."""
    answer = send(client, f"/v1/predict?{query}")
    if query.endswith("%00") and answer.status_code == 400:
        assert_problem(answer, 400, "bad-request")
        return
    assert_problem(answer, status, slug)


def test_a_version_or_an_alias_may_be_named(client, native):
    for query in ("version=1", "alias=live"):
        answer = send(client, f"/v1/predict?model=m&{query}")
        assert answer.json()["predictions"] == native


@pytest.mark.parametrize("url", [NATIVE[0], NATIVE[1], ROUTES[4]])
def test_a_strict_request_is_refused_by_a_warning(client, url):
    """Query or header make a request strict; otherwise the answer has the warning."""
    content = FILE.replace("Bern", "Oslo")
    warnings = send(client, url, content).json()["warnings"]
    assert (2, "town") in [(warning["row"], warning["column"]) for warning in warnings]
    for options in (
        {"url": with_query(url, strict="true")},
        {"url": url, "headers": {"Prefer": "handling=strict"}},
    ):
        answer = send(client, content=content, **options)
        assert answer.status_code in (400, 422), answer.text
        assert "Oslo" in answer.text


def test_an_unknown_content_encoding_is_refused(client):
    answer = send(client, NATIVE[1], headers={"Content-Encoding": "br"})
    assert_problem(answer, 400, "bad-encoding")


@pytest.mark.parametrize("url", ROUTES)
def test_the_charset_of_the_media_type_is_the_encoding(client, native, url):
    """An option in the query has precedence."""
    content = FILE.replace("ö", "\u0142").encode("iso-8859-2")
    kind = 'Text/CSV; header=present; Charset="ISO-8859-2"'
    body = send(client, url, content, kind).json()
    assert "'K\u0142ln'" in json.dumps(body["warnings"], ensure_ascii=False)
    answer = send(client, with_query(url, encoding="utf-8"), content, kind)
    refused = 422 if url in NATIVE else 400  # MLflow's status
    assert answer.status_code == refused
    assert send(client, url, FILE, "text/csv; charset=nope").status_code == refused


@pytest.mark.parametrize("key", ["model", "version", "alias"])
def test_a_path_with_a_model_refuses_the_models_query_keys(client, key):
    """A version that a client asks for must not be ignored."""
    for url in NATIVE[1:]:
        problem = assert_problem(
            send(client, with_query(url, **{key: "1"})), 422, "invalid-instances"
        )
        assert f"`?{key}=`" in problem["detail"]


def test_a_file_without_its_media_type_gets_a_hint(client):
    """An example is `curl --data-binary` without a header."""
    kind = "application/x-www-form-urlencoded"
    answer = send(client, NATIVE[1], FILE, kind)
    assert "`Content-Type: text/csv`" in assert_problem(answer, 400, "bad-json")["detail"]
    answer = send(client, NATIVE[1], FILE.replace("\n", ""))
    assert "--data-binary" in assert_problem(answer, 422, "invalid-table")["detail"]


WIDE = f"{HEADER};id;empty\n3.25;Köln;yes;3.1.2024;=0;\n;Rom;no;28.1.2024;=1;\n"


WIDTHS = (pl.Int8, pl.UInt8, pl.Int16, pl.Int32, pl.UInt32, pl.UInt64)


def parquet():
    rows = {
        "id": [7, 2**63 - 1],
        "size": [3.25, None],
        "town": ["Köln", "Rom"],
        "paid": [True, False],
        "when": [datetime(2024, 1, 3), datetime(2024, 1, 28)],  # noqa: DTZ001  as in files
        "lists": [[1], [2]],
        **{str(kind): pl.Series([7, 8], dtype=kind) for kind in WIDTHS},
        "empty": pl.Series([None, None], dtype=pl.String),
    }
    file = io.BytesIO()
    pl.DataFrame(rows).write_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "columns", "second"),
    [
        (
            WIDE,
            "text/csv",
            ["size", "town", "paid", "when", "id"],
            [None, "Rom", "no", "28.1.2024", "=1"],
        ),
        (
            parquet(),
            "application/vnd.apache.parquet",
            ["id", "size", "town", "paid", "when", *map(str, WIDTHS)],
            [str(2**63 - 1), None, "Rom", False, "2024-01-28 00:00:00.000000", *[8] * 6],
        ),
    ],
    ids=["csv", "parquet"],
)
def test_the_rows_of_a_file_come_with_their_predictions(
    client, content, kind, columns, second
):
    """All columns that have cells are there, also those that the model does not use."""
    url = "/v1/models/m/predict?rows=true"
    answer = send(client, url, content, kind).json()
    rows = answer["rows"]
    assert rows["columns"] == columns
    assert rows["data"][1] == second
    assert len(rows["data"]) == len(answer["predictions"])
    plain = send(client, "/v1/models/m/predict", content, kind).json()
    assert "rows" not in plain
    assert plain["predictions"] == answer["predictions"]


def test_rows_are_only_those_of_a_file(client):
    """The error says what was received and expected."""
    url = "/v1/models/m/predict?rows="
    body = {"instances": ROWS}
    problem = assert_problem(
        client.post(f"{url}true", json=body), 422, "invalid-instances"
    )
    assert "text/csv" in problem["detail"]
    problem = assert_problem(send(client, f"{url}maybe"), 422, "invalid-instances")
    assert "'maybe'" in problem["detail"]
    assert problem["errors"][0]["pointer"] == "#/query/rows"


def test_a_file_needs_the_scope_of_a_prediction(bench, client):
    """The key sees only its own workspace."""
    key = make_key(bench, scopes=["models:read"])
    for url in ROUTES:
        assert send(client, url, headers=bearing(key)).status_code == 403
    key = make_key(bench, scopes=["models:predict"], workspace="other")
    for url in ROUTES:
        assert send(client, url, headers=bearing(key)).status_code == 404
