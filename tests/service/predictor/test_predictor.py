"""Names that change, files that are damaged, and more models than the cache holds."""

import threading
import time

import pytest

from core.models.repository import ModelRepository
from service.metrics.request_counters import RequestCounters
from service.predictor import sessions
from service.predictor.predictor import Predictor
from service.predictor.version_resolver import ModelRef
from tests.problems import assert_problem
from tests.servers import away
from tests.service.predictor.store import copies
from tests.service.small_model import ROW, SPEC, TABLE, ask

pytestmark = pytest.mark.keras


@pytest.fixture
def model(upload, train):
    upload(TABLE)
    assert train(SPEC)["status"] == "succeeded"


@pytest.fixture
def predictor(bench):
    predictor = Predictor(
        bench.database, _storage(bench), bench.settings, RequestCounters()
    )
    yield predictor
    predictor.close()


def _storage(bench):
    return bench.client.app.state.services.storage


def damage(bench, model, number=1):
    """Change one bit of a version's file."""
    with bench.database.read() as session:
        version = ModelRepository(session, "default").version(model, number)
        file = bench.settings.files_dir / version.artifact("model.onnx").key
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_an_alias_does_not_move_to_a_damaged_version(bench, model):
    """The promotion gets 503, and the old version is still served."""
    copies(bench, ["m"])
    client = bench.client
    assert client.put("/v1/models/m/aliases/live", json={"version": 1}).is_success
    damage(bench, "m", 2)
    answer = client.put("/v1/models/m/aliases/live", json={"version": 2})
    assert_problem(answer, 503, "artifact-damaged")
    assert client.get("/v1/models/m").json()["aliases"] == {"live": 1}
    answer = ask(client, "/v1/models/m/aliases/live/predict", instances=[ROW])
    assert answer.json()["model_version"] == 1
    answer = ask(client, "/v1/models/m/versions/2/predict", instances=[ROW])
    assert_problem(answer, 503, "artifact-damaged")


def test_a_damaged_newest_version_is_not_served(bench, model):
    """The version before it is served, also after a pause in the requests."""
    assert ask(bench.client, instances=[ROW]).json()["model_version"] == 1
    copies(bench, ["m"])
    damage(bench, "m", 2)
    for _ in range(8):
        time.sleep(0.2)
        assert ask(bench.client, instances=[ROW]).json()["model_version"] == 1
    time.sleep(1.2)
    assert ask(bench.client, instances=[ROW]).json()["model_version"] == 1


def test_a_name_in_use_needs_no_look_up(bench, model, predictor, monkeypatch):
    """A thread keeps the name fresh, so that a request always finds it."""
    predictor.start()
    predictor.find(ModelRef("default", "m"))
    monkeypatch.setattr(predictor.versions, "_as_served", None)  # a look-up would fail
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert predictor.versions.peek(ModelRef("default", "m")) is not None
        time.sleep(0.01)


def test_an_idle_name_is_not_read(bench, model, predictor, monkeypatch):
    """Without requests the database is not queried."""
    predictor.find(ModelRef("default", "m"))
    predictor.versions.peek(ModelRef("default", "m"))
    predictor.versions.refresh()
    monkeypatch.setattr(predictor.versions, "_database", None)
    predictor.versions.refresh()


def test_known_names_are_served_while_the_database_is_unavailable(
    bench, model, predictor
):
    predictor.start()
    predictor.find(ModelRef("default", "m"))
    with away(bench.database):
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert predictor.versions.peek(ModelRef("default", "m")) is not None
            time.sleep(0.05)


def test_a_row_has_the_same_answer_in_any_batch(bench, model):
    """A row alone and a row among others have the same prediction."""
    rows = [{**ROW, "x": x} for x in range(33)]
    together = ask(bench.client, instances=rows).json()["predictions"]
    alone = [ask(bench.client, instances=[row]).json()["predictions"][0] for row in rows]
    assert alone == pytest.approx(together, rel=1e-6)


def test_simultaneous_requests_load_a_model_once(bench, model, predictor, monkeypatch):
    loads = []
    load = sessions.load
    monkeypatch.setattr(
        sessions, "load", lambda *a: (loads.append(1), time.sleep(0.2), load(*a))[2]
    )
    served = predictor.find(ModelRef("default", "m"))
    threads = [threading.Thread(target=predictor.load, args=[served]) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1


def test_the_cache_keeps_within_its_bytes(bench, model):
    """With forty models and space for five, all answers are equal and five models stay."""
    names = [f"c{i}" for i in range(40)]
    copies(bench, names)
    services = bench.client.app.state.services
    size = services.predictor.find(ModelRef("default", "c0")).file.resident_bytes
    settings = bench.settings.model_copy(update={"predict_cache_bytes": 5 * size})
    predictor = Predictor(bench.database, services.storage, settings, RequestCounters())
    object.__setattr__(services, "predictor", predictor)
    answers = {
        ask(bench.client, f"/v1/models/{name}/predict", instances=[ROW]).text.replace(
            name, ""
        )
        for name in names * 2
    }
    assert len(answers) == 1
    loaded = [
        n for n in names if predictor.is_loaded(predictor.find(ModelRef("default", n)))
    ]
    assert len(loaded) == 5
    assert set(loaded) == set(names[-5:])
