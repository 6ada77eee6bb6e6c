"""A store that is slow, away, overloaded or cuts answers costs retries, never a file."""

import hashlib
import os
import threading
import time

import pytest

from core.errors import StorageUnavailable
from core.settings import Settings, StorageRules
from core.storage import discard, open_storage, scratch
from core.storage.recorded import put_recorded, read_recorded
from tests import s3
from tests.core.storage import faulty_proxy as proxies
from tests.stored import store

KEY = "datasets/d/content.csv"
RULES = StorageRules(timeout_seconds=0.6, retry_seconds=3.0)
LARGE = os.urandom(1_000_003) * 20
"""More than two parts of an upload."""


@pytest.fixture(params=[s3.rclone, s3.moto], ids=["rclone", "moto"])
def server(request):
    return request.param()


@pytest.fixture
def proxy(server):
    with proxies.proxy_of(server.endpoint).serving() as proxy:
        yield proxy


@pytest.fixture
def opener(server, proxy, tmp_path, monkeypatch):
    """Return a function that opens the storage in a home, behind the proxy."""
    url = server.new_url(monkeypatch, proxy.endpoint)

    def open_in(name, rules=RULES):
        return open_storage(
            Settings(home=tmp_path / name, storage_url=url, storage=rules)
        )

    return open_in


@pytest.fixture
def storage(opener):
    return opener("home")


def content_of(storage, key=KEY):
    with storage.open(key) as file:
        return file.read()


@pytest.mark.parametrize("fault", [proxies.overloaded, proxies.away])
@pytest.mark.parametrize("method", ["PUT", "HEAD", "GET"])
def test_a_few_failures_are_not_noticed(opener, proxy, method, fault):
    storage = opener("home")
    proxy.faults.append(proxies.times(3, fault, method))
    store(storage, KEY, b"0123456789")
    assert content_of(storage) == b"0123456789"
    with opener("other").local_copy(KEY) as path:
        assert path.read_bytes() == b"0123456789"
    assert list(storage.list("datasets")) == [KEY]
    assert proxy.count(method) > 3


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_upload_in_parts_survives_failures(storage, proxy, method):
    """The start, a part and the end of an upload are repeated."""
    proxy.faults.append(proxies.times(2, proxies.overloaded, method))
    store(storage, KEY, LARGE)
    assert content_of(storage) == LARGE


@pytest.mark.parametrize("content", [b"small", LARGE])
def test_an_upload_whose_answer_is_lost_is_stored_whole(storage, proxy, content):
    """The repetition finds the work done."""
    is_large = content is LARGE
    ends = proxies.times(1, proxies.answer_is_lost)
    proxy.faults.append(
        lambda exchange: (
            ("uploadId" in exchange.path if is_large else True)
            and exchange.command == ("POST" if is_large else "PUT")
            and ends(exchange)
        )
    )
    store(storage, KEY, content)
    assert content_of(storage) == content


@pytest.mark.parametrize("cuts", [1, 4])
def test_a_body_that_breaks_off_continues(storage, proxy, server, cuts):
    """By a range request where the store has them, else from the beginning."""
    store(storage, KEY, LARGE)
    proxy.faults.append(proxies.times(cuts, proxies.cut_after(5_000_000), "GET"))
    assert hashlib.sha256(content_of(storage)).digest() == hashlib.sha256(LARGE).digest()
    ranges = [asked for method, asked in proxy.seen if method == "GET" and asked]
    assert ranges


def test_a_stream_is_read_from_a_position_after_a_cut(storage, proxy):
    """The bytes before the position are skipped if the store ignores ranges."""
    store(storage, KEY, LARGE)
    with storage.open(KEY) as file:
        proxy.faults.append(proxies.times(1, proxies.cut_after(1_000_000), "GET"))
        file.seek(7_000_000)
        assert file.read(3_000_000) == LARGE[7_000_000:10_000_000]
        file.seek(-5, os.SEEK_END)
        assert file.read() == LARGE[-5:]


def test_a_silent_store_is_asked_again(storage, proxy):
    """A request that gets no answer is repeated after the timeout."""
    store(storage, KEY, b"x")
    proxy.faults.append(proxies.times(1, proxies.silent(2.0), "GET"))
    began = time.monotonic()
    assert content_of(storage) == b"x"
    assert time.monotonic() - began < 1.9


@pytest.mark.parametrize(
    "fault", [proxies.overloaded, proxies.away, proxies.silent(30.0)],
    ids=["overloaded", "away", "silent"],
)  # fmt: skip
def test_a_store_that_stays_away_is_a_clear_problem(storage, proxy, fault):
    """Nothing is reported as missing, and everything works when the store is back."""
    store(storage, KEY, b"kept")
    proxy.faults.append(fault)
    with scratch() as folder:
        (folder / "new").write_bytes(b"new")
        uses = {
            "open": lambda: storage.open(KEY),
            "copy": lambda: storage.local_copy(KEY).__enter__(),
            "put": lambda: storage.put(folder / "new", KEY),
            "delete": lambda: storage.delete(KEY),
            "list": lambda: storage.list("datasets"),
        }
        failures = _failures(uses)
    assert failures.keys() == uses.keys()
    for error, seconds in failures.values():
        assert "does not answer, or answers with errors" in error.detail
        assert error.problem().status == 503
        assert seconds < 10
    proxy.faults.clear()
    assert content_of(storage) in (b"kept", b"new")


def _failures(uses):
    """Return the error of each use, and how long it took; the uses run at once."""
    failures = {}

    def fail(name, use):
        began = time.monotonic()
        with pytest.raises(StorageUnavailable) as raised:
            use()
        failures[name] = raised.value, time.monotonic() - began

    threads = [threading.Thread(target=fail, args=pair) for pair in uses.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_requests_do_not_wait_for_a_store_that_was_away_just_now(storage, proxy):
    """Otherwise each of many requests would occupy a thread for `retry_seconds`."""
    store(storage, KEY, b"x")
    proxy.faults.append(proxies.overloaded)
    with pytest.raises(StorageUnavailable):
        storage.open(KEY)
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(StorageUnavailable):
            storage.open(KEY)
    assert time.monotonic() - began < 1
    proxy.faults[:] = [proxies.times(1, proxies.overloaded)]
    with pytest.raises(StorageUnavailable):  # this request found the store away again
        storage.open(KEY)
    assert content_of(storage) == b"x"
    proxy.faults[:] = [proxies.times(1, proxies.overloaded)]
    assert content_of(storage) == b"x"  # a success restores the patience


def test_a_body_that_never_ends_is_a_clear_problem(opener, proxy):
    """The file stays, and nothing of it is cached."""
    store(opener("home"), KEY, LARGE)
    proxy.faults.append(proxies.times(10**6, proxies.cut_after(100), "GET"))
    with pytest.raises(StorageUnavailable), opener("other").local_copy(KEY):
        pass
    proxy.faults.clear()
    with opener("other").local_copy(KEY) as path:
        assert path.read_bytes() == LARGE


def test_refused_credentials_fail_at_once(storage, proxy):
    """A repetition would not help."""
    store(storage, KEY, b"x")
    proxy.faults.append(proxies.denied)
    began = time.monotonic()
    with pytest.raises(StorageUnavailable, match="refuses the credentials"):
        storage.open(KEY)
    assert time.monotonic() - began < 1


def test_a_missing_bucket_is_not_a_missing_file(server, tmp_path, monkeypatch):
    """Otherwise tables and checkpoints would be reported as lost."""
    server.new_url(monkeypatch)
    storage = open_storage(Settings(home=tmp_path, storage_url="s3://absent/x"))
    for use in (storage.open, lambda key: storage.local_copy(key).__enter__()):
        with pytest.raises(StorageUnavailable, match="no such bucket"):
            use(KEY)


def test_a_recorded_file_is_read_from_its_copy_while_the_store_is_away(storage, proxy):
    """Its hash shows that the copy is right."""
    with scratch() as folder:
        (folder / "f").write_bytes(b"network")
        recorded = put_recorded(storage, folder / "f", "runs/r/1/model.onnx")
    assert read_recorded(storage, **recorded, what="It") == b"network"
    proxy.faults.append(proxies.overloaded)
    assert read_recorded(storage, **recorded, what="It") == b"network"
    unknown = {**recorded, "sha256": "0" * 64}
    with pytest.raises(StorageUnavailable):
        read_recorded(storage, **unknown, what="It")


def test_files_that_cannot_be_deleted_are_left_to_the_janitor(storage, proxy, caplog):
    """The request that deleted their row has succeeded."""
    store(storage, KEY)
    proxy.faults.append(proxies.denied)
    discard(storage, [KEY, "datasets/d/table-0.parquet"])
    assert [f"{KEY} was not deleted" in line for line in caplog.messages].count(True) == 1
    proxy.faults.clear()
    assert storage.list("datasets") == [KEY]
