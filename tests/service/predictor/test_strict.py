"""Strict requests in a batch, and requests whose arithmetic overflows."""

import asyncio
import json

import pytest
from sqlalchemy import select
from starlette.requests import Request

from core.errors import InvalidInstances
from core.models.signature import Signature
from core.models.tables import Version
from service.bodies import Body
from service.metrics.request_counters import RequestCounters
from service.predictor.predictor import Predictor
from service.predictor.version_resolver import ModelRef
from service.protocols.tf_serving.exchange import TfServingExchange
from tests.conftest import bench_in
from tests.service.small_model import ROW

pytestmark = pytest.mark.keras
WANTED = ModelRef("default", "m")
HUGE = {**ROW, "x": 1e308}


@pytest.fixture(scope="module")
def bench(tmp_path_factory, broker_url, small_home):
    """Provide a model without the range of its training rows, as early models were."""
    home = tmp_path_factory.mktemp("strict") / "home"
    with bench_in(home, broker_url, small_home) as bench:
        with bench.database.write() as session:
            version = session.scalars(select(Version)).one()
            stored = version.signature.model_dump(mode="json")
            version.signature = Signature.model_validate(_without_range(stored))
        yield bench


def _without_range(signature):
    features = [
        f | {"encoder": f["encoder"] | dict.fromkeys(("least", "greatest"))}
        if "least" in f["encoder"]
        else f
        for f in signature["features"]
    ]
    return signature | {"features": features}


@pytest.fixture
def predictor(bench):
    storage = bench.client.app.state.services.storage
    predictor = Predictor(bench.database, storage, bench.settings, RequestCounters())
    predictor.load(predictor.find(WANTED))
    yield predictor
    predictor.close()


def exchange(row, *, strict):
    body = Body(json.dumps({"instances": [row]}).encode())
    query = b"strict=true" if strict else b""
    request = Request({"type": "http", "query_string": query, "headers": []})
    return TfServingExchange(request, body, WANTED, "predict")


def answers(predictor, *exchanges, num_bytes=1):
    """Return the answers or errors of exchanges that wait at the same moment."""

    async def gathered():
        waiting = [predictor.answer(one, num_bytes) for one in exchanges]
        return await asyncio.gather(*waiting, return_exceptions=True)

    return asyncio.run(gathered())


@pytest.mark.parametrize("num_bytes", [1, 10**6], ids=["loop", "thread"])
def test_arithmetic_that_overflows_refuses_a_strict_request(predictor, num_bytes):
    """The overflow is known only after the network has run."""
    plain, refused = answers(
        predictor,
        exchange(HUGE, strict=False),
        exchange(HUGE, strict=True),
        num_bytes=num_bytes,
    )
    (warning,) = json.loads(plain.body)["warnings"]
    assert warning["detail"].startswith("no prediction: ")
    assert isinstance(refused, InvalidInstances)
    assert refused.detail.startswith(f"Row 0, column 'y': {warning['detail']}.")


def predictions(answer):
    return [number for row in json.loads(answer.body)["predictions"] for number in row]


def test_a_strict_request_is_refused_alone(predictor, monkeypatch):
    """The other requests of the batch get their usual answers."""
    batcher, sizes = predictor.load(predictor.find(WANTED)).batcher, []
    run = batcher._run

    def counted(table):
        sizes.append(table.num_rows)
        return run(table)

    monkeypatch.setattr(batcher, "_run", counted)
    unseen = {**ROW, "c": "mauve"}
    (alone,) = answers(predictor, exchange(ROW, strict=False))
    results = answers(
        predictor,
        exchange(ROW, strict=True),
        exchange(unseen, strict=True),
        exchange(HUGE, strict=True),
        exchange(unseen, strict=False),
        exchange(ROW, strict=False),
    )
    assert sizes == [1, 4]  # the unseen category never reached the network
    assert [isinstance(one, InvalidInstances) for one in results] == [
        *(False, True, True),
        *(False, False),
    ]
    for answer in (results[0], results[4]):  # a batch may round differently
        assert predictions(answer) == pytest.approx(predictions(alone), rel=1e-6)
    assert b"mauve" in results[3].body
