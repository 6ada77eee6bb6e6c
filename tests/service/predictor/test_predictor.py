"""Names that change, files that are damaged, and more models than the cache holds."""

import threading

import pytest

from core import refresh_ahead_cache
from core.models.repository import ModelRepository
from service.metrics.request_counters import RequestCounters
from service.predictor import sessions
from service.predictor.predictor import Predictor
from service.predictor.version_resolver import ModelRef
from tests.conftest import bench_in
from tests.problems import assert_problem
from tests.servers import away
from tests.service.predictor.store import copies
from tests.service.small_model import ROW, ask
from tests.timing import Clock, until

pytestmark = pytest.mark.keras
M = ModelRef("default", "m")


@pytest.fixture
def bench(tmp_path, broker_url, small_home):
    """Copy a trained service, whose thread does not read names during a test."""
    given = {"alias_refresh_seconds": 3600.0}
    with bench_in(tmp_path / "home", broker_url, small_home, **given) as bench:
        yield bench


@pytest.fixture
def clock(monkeypatch):
    """Replace the clock by which names age."""
    clock = Clock()
    monkeypatch.setattr(refresh_ahead_cache, "time", clock)
    return clock


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
    """Change one bit of a version's file, and remove copies from an S3 server."""
    bench.forget_copies()
    with bench.database.read() as session:
        version = ModelRepository(session, "default").version(model, number)
        file = bench.files / version.artifact("model.onnx").key
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_an_alias_does_not_move_to_a_damaged_version(bench):
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


def test_a_damaged_serving_version_is_not_served(bench, clock):
    """The version before it is served, also after a pause in the requests."""
    assert ask(bench.client, instances=[ROW]).json()["model_version"] == 1
    copies(bench, ["m"], serve=True)
    damage(bench, "m", 2)
    for _ in range(3):
        bench.client.app.state.services.predictor.versions.refresh()
        assert ask(bench.client, instances=[ROW]).json()["model_version"] == 1
    clock.now += 2 * bench.settings.alias_refresh_seconds
    assert ask(bench.client, instances=[ROW]).json()["model_version"] == 1


@pytest.fixture
def kept_fresh(bench, clock, monkeypatch):
    """Provide a predictor whose thread reads names every 10 ms, and a function `look`.

    `look` advances the clock by most of the time that a name is valid without a read,
    and peeks at `M` until the thread has read the names twice.
    """
    settings = bench.settings.model_copy(update={"alias_refresh_seconds": 0.02})
    predictor = Predictor(bench.database, _storage(bench), settings, RequestCounters())
    names, reads = predictor.versions._names, []
    reread = names._reread

    def counted(known):
        reads.append(1)
        return reread(known)

    def look():
        clock.now += 0.015
        reads.clear()

        def is_read_twice():
            assert predictor.versions.peek(M) is not None
            return len(reads) >= 2

        until(is_read_twice)

    monkeypatch.setattr(names, "_reread", counted)

    predictor.find(M)
    predictor.start()
    yield predictor, look
    predictor.close()


def test_a_name_in_use_needs_no_look_up(kept_fresh, monkeypatch):
    """A thread keeps the name fresh, so that a request always finds it."""
    predictor, look = kept_fresh
    monkeypatch.setattr(predictor.versions, "_as_served", None)  # a look-up would fail
    for _ in range(4):
        look()


def test_an_idle_name_is_not_read(bench, predictor, monkeypatch):
    """Without requests the database is not queried."""
    predictor.find(M)
    predictor.versions.peek(M)
    predictor.versions.refresh()
    monkeypatch.setattr(predictor.versions, "_database", None)
    predictor.versions.refresh()


def test_known_names_are_served_while_the_database_is_unavailable(bench, kept_fresh):
    _, look = kept_fresh
    with away(bench.database):
        for _ in range(4):
            look()


def test_a_row_has_the_same_answer_in_any_batch(bench):
    """A row alone and a row among others have the same prediction."""
    rows = [{**ROW, "x": x} for x in range(33)]
    together = ask(bench.client, instances=rows).json()["predictions"]
    alone = [ask(bench.client, instances=[row]).json()["predictions"][0] for row in rows]
    assert alone == pytest.approx(together, rel=1e-6)


def test_simultaneous_requests_load_a_model_once(bench, predictor, monkeypatch):
    loads, load = [], sessions.load_network
    asked = threading.Semaphore(0)
    flights = predictor.cache._loads
    start = flights.start

    def counted(*given):
        flight = start(*given)
        asked.release()
        return flight

    def slow(*given):
        loads.append(1)
        for _ in range(15):
            assert asked.acquire(timeout=20)
        return load(*given)

    monkeypatch.setattr(flights, "start", counted)
    monkeypatch.setattr(sessions, "load_network", slow)
    served = predictor.find(M)
    threads = [threading.Thread(target=predictor.load, args=[served]) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1


def test_the_cache_keeps_within_its_bytes(bench):
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
