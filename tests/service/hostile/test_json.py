"""Invalid or dangerous JSON gets a 4xx, never a 500, on every route that reads JSON."""

import pytest

HAZARDS = {
    "100,000 lists": b"[" * 10**5 + b"]" * 10**5,
    "900 objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "NaN": b'{"model": "m", "instances": [NaN]}',
    "Infinity": b'{"target": -Infinity}',
    "1e999": b'{"model": "m", "instances": [{"x": 1e999}]}',
    "4,400 digits": b'{"version": ' + b"9" * 4_400 + b"}",
    "300 digits": b'{"version": ' + b"9" * 300 + b"}",
    "half a pair": b'{"model": "\\ud800", "target": "\\udfff"}',
    "half a pair in a key": b'{"\\ud800": 1}',
    "NUL": b'{"model": "a\\u0000b"}',
    "NUL in a key": b'{"a\\u0000b": 1}',
    "invalid UTF-8": b'{"model": "\xff"}',
    "a key twice": b'{"target": "y", "target": "x"}',
    "a BOM": b"\xef\xbb\xbf{}",
    "a list": b"[1]",
    "a text": b'"a"',
    "null": b"null",
}
ROUTES = [
    "POST /v1/runs",
    "POST /v1/runs/validate",
    "PUT /v1/models/m/aliases/a",
    "POST /v1/predict",
    "POST /v1/models/m/predict",
    "POST /v1/models/m:predict",
    "POST /v1/models/m:classify",
    "POST /v2/models/m/infer",
    "POST /v2/repository/index",
    "POST /invocations",
    "POST /v1/fine_tuning/jobs",
]


@pytest.mark.parametrize("route", ROUTES)
def test_dangerous_json_is_refused(client, route):
    """Depth, numbers, half characters, NUL and duplicate keys are refused."""
    method, path = route.split()
    for name, body in HAZARDS.items():
        headers = {"content-type": "application/json"}
        answer = client.request(method, path, content=body, headers=headers)
        # the index reads no key of its object
        least = 200 if path == "/v2/repository/index" else 400
        assert least <= answer.status_code < 500, (name, answer.text)


@pytest.mark.parametrize(
    "path", ["/v1/runs", "/v1/runs/validate", "/v1/fine_tuning/jobs"]
)
def test_a_duplicate_key_in_a_spec_is_named(client, path):
    """JSON readers differ on which of the two values counts."""
    answer = client.post(path, content=b'{"model": {"a": [{"b": 1, "b": 2}]}}')
    assert answer.status_code == 400
    assert "'b' occurs twice" in answer.text


def test_a_backslash_before_u0000_is_text(client):
    """After an escaped backslash, `u0000` is plain text."""
    for text, status in (("\\u0000", 400), ("\\\\u0000", 404), ("\\\\\\u0000", 400)):
        body = f'{{"model": "{text}", "instances": []}}'.encode()
        answer = client.post("/v1/predict", content=body)
        assert answer.status_code == status, (text, answer.text)


@pytest.mark.parametrize("types", ['{"a": NaN}', '{"a":' * 2_000, '{"a": 1, "a": 2}', '{"\\ud800": 1}', '{"\\u0000": "numeric"}', "9" * 5_000, "[]"])  # fmt: skip
def test_types_of_an_upload_are_json_too(client, types):
    """`types` is JSON in the query and in a form."""
    table = b"a,b\n1,2\n2,3\n"
    query = client.post("/v1/datasets", params={"types": types}, content=table)
    form = client.post(
        "/v1/datasets", data={"types": types}, files={"file": ("t.csv", table)}
    )
    assert (query.status_code, form.status_code) == (422, 422)


@pytest.mark.parametrize("field", ["null_values", "encoding", "delimiter", "decimal"])
def test_nul_in_a_field_of_a_form_is_refused(client, field):
    """PostgreSQL cannot store such a text, and SQLite would hide it."""
    files = {"file": ("t.csv", b"a,b\n1,2\n2,3\n")}
    answer = client.post("/v1/datasets", data={field: "x\0y"}, files=files)
    assert answer.status_code == 422
    assert field in answer.text
