"""Test `client.models` against the fake server."""

import pytest

from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer

PREDICTED = {
    "model_name": "wine",
    "model_version": 2,
    "predictions": [5.5],
    "probabilities": None,
}


def test_models_and_versions_are_read(wire, client):
    """The methods are list, get, versions and version."""
    wire.answers("GET /v1/models", bodies.page(bodies.model()))
    wire.answers("GET /v1/models/wine", bodies.model())
    wire.answers(
        "GET /v1/models/wine/versions",
        bodies.page(bodies.version(2), cursor="2"),
        bodies.page(bodies.version(1)),
    )
    wire.answers("GET /v1/models/wine/versions/2", bodies.version(2))
    assert [model.name for model in client.models.list()] == ["wine"]
    assert client.models.get("wine").aliases == {"production": 1}
    assert [version.version for version in client.models.versions("wine")] == [2, 1]
    assert client.models.version("wine", 2).aliases == ["production"]


def test_weights_are_read_by_layer(wire, client):
    kernel = {"name": "kernel", "shape": [1, 1], "values": [[2.0]]}
    layers = [{"index": 0, "type": "Dense", "weights": [kernel]}]
    body = {"inputs": ["alcohol"], "embeddings": [], "layers": layers}
    wire.answers("GET /v1/models/wine/versions/2/weights", body)
    read = client.models.weights("wine", 2)
    assert read.inputs == ["alcohol"]
    assert read.layers[0].weights[0].values == [[2.0]]


def test_an_artifact_is_saved(wire, client, tmp_path):
    """The file is equal byte for byte."""
    route = "GET /v1/models/wine/versions/2/artifacts/model.onnx"
    wire.answers(route, Answer(b"\x08\x00\xff"))
    saved = client.models.download("wine", 2, "model.onnx", tmp_path / "m.onnx")
    assert saved.read_bytes() == b"\x08\x00\xff"


def test_an_alias_is_set_and_removed(wire, client):
    """PUT sends the version; DELETE has no body."""
    path = "/v1/models/wine/aliases/production"
    wire.answers(f"PUT {path}", bodies.version(1))
    wire.answers(f"DELETE {path}", Answer(status=204))
    assert client.models.set_alias("wine", "production", 1).version == 1
    client.models.delete_alias("wine", "production")
    assert wire.asked[0].json == {"version": 1}
    assert wire.asked[1].body == b""


def test_what_serves_is_promoted_and_rolled_back(wire, client):
    """The conditions, the consent and the reason are sent only if they are given."""
    wire.answers("PUT /v1/models/wine/serving", bodies.version(2, serves=True))
    wire.answers("POST /v1/models/wine/changes/undo", bodies.change())
    wire.answers("GET /v1/models/wine/changes", bodies.page(bodies.change()))
    assert client.models.promote("wine", 2).serves
    client.models.promote(
        "wine", 2, require={"r2": "> 0"}, allow_new_contract=True, reason="better"
    )
    assert client.models.rollback("wine").after == 1
    client.models.rollback("wine", "live", reason="too early")
    assert [change.why for change in client.models.changes("wine", "live")] == ["undo"]
    assert [asked.json for asked in wire.asked[:4]] == [
        {"version": 2},
        {
            "version": 2,
            "require": {"r2": "> 0"},
            "allow_new_contract": True,
            "reason": "better",
        },
        {},
        {"alias": "live", "reason": "too early"},
    ]
    assert wire.asked[4].query == {"alias": "live"}


def test_a_requirement_that_is_no_dict_is_refused_with_an_example(client):
    """No request is sent."""
    with pytest.raises(TypeError, match=r'got require=.auc >= current.; .*"roc_auc"'):
        client.models.promote("m", 2, require="auc >= current")


def test_a_model_may_make_promotion_explicit(wire, client):
    wire.answers("PATCH /v1/models/wine", bodies.model(promotion="explicit"))
    assert client.models.update("wine", "explicit").promotion == "explicit"
    assert wire.asked[0].json == {"promotion": "explicit"}


@pytest.mark.parametrize(
    ("options", "added"),
    [
        ({}, {}),
        ({"version": 2}, {"version": 2}),
        ({"alias": "production"}, {"alias": "production"}),
    ],
)
def test_predict_sends_only_given_options(wire, client, options, added):
    """`client.predict` and `client.models.predict` send the same body."""
    wire.answers("POST /v1/predict", PREDICTED)
    rows = [{"alcohol": 9.4}]
    assert client.predict("wine", rows, **options).predictions == [5.5]
    client.models.predict("wine", iter(rows), **options)
    sent = {"model": "wine", "instances": rows, **added}
    assert [asked.json for asked in wire.asked] == [sent, sent]


def test_strict_is_sent_in_the_url(wire, client):
    """Every request of a call has it; by default it is not sent."""
    wire.answers("POST /v1/predict", PREDICTED)
    client.predict("wine", [{"x": 1}])
    client.predict("wine", [{"x": 1}], strict=True)
    client.models.predict("wine", [{"x": i} for i in range(1001)], strict=True)
    asked = [one.query for one in wire.asked]
    assert asked == [{}, *[{"strict": "true"}] * 3]
    assert all("strict" not in one.json for one in wire.asked)
