"""Requirements for every implementation of the storage port.

For a new implementation, add a line to `STORES`: a function that returns the storage
and a function that makes one of its files look old.
"""

import os
import threading
import time
from functools import partial

import polars as pl
import pytest

from core.errors import ArtifactDamaged
from core.settings import Settings
from core.storage import open_storage, scratch
from core.storage.recorded import put_recorded, read_recorded
from service.downloads import open_whole
from tests import s3
from tests.stored import store

KEY = "runs/run_a/1/model.onnx"


def local(home, patch):
    settings = Settings(home=home)

    def make_old(key, seconds):
        then = time.time() - seconds
        os.utime(settings.files_dir / key, (then, then))

    return open_storage(settings), make_old


def in_bucket_of(server, home, patch):
    url = server().new_url(patch)
    prefix = url.removeprefix(f"s3://{s3.BUCKET}/")

    def make_old(key, seconds):
        server().make_old(f"{prefix}/{key}", seconds)

    return open_storage(Settings(home=home, storage_url=url)), make_old


STORES = {
    "local": local,
    "rclone": partial(in_bucket_of, s3.rclone),
    "moto": partial(in_bucket_of, s3.moto),
}


@pytest.fixture(params=STORES)
def opened(request, tmp_path, monkeypatch):
    return STORES[request.param](tmp_path, monkeypatch)


@pytest.fixture
def storage(opened):
    return opened[0]


def content_of(storage, key):
    with storage.open(key) as file:
        return file.read()


@pytest.mark.parametrize("content", [b"", b"\x00\r\n\xff", b"x" * 3_000_000])
def test_a_file_is_read_byte_for_byte(storage, content):
    """The bytes are equal in a stream and in a local copy."""
    store(storage, KEY, content)
    assert content_of(storage, KEY) == content
    with storage.local_copy(KEY) as path:
        assert path.read_bytes() == content


def test_a_stream_is_read_in_parts_and_from_any_position(storage):
    """A download reads the length from the stream and then sends chunks."""
    store(storage, KEY, b"0123456789")
    with storage.open(KEY) as file:
        assert file.seek(0, os.SEEK_END) == 10
        file.seek(4)
        assert (file.read(3), file.read(100), file.read(1)) == (b"456", b"789", b"")


def test_a_second_put_replaces_the_first(storage):
    """A reader gets either the old or the new content, never a mixture."""
    whole = {bytes([byte]) * 500_000 for byte in (1, 2)}
    store(storage, KEY, min(whole))
    seen, is_over = set(), threading.Event()

    def read():
        while not is_over.is_set():
            seen.add(content_of(storage, KEY))

    reader = threading.Thread(target=read)
    reader.start()
    for content in sorted(whole) * 10:
        store(storage, KEY, content)
    is_over.set()
    reader.join()
    assert set(seen) <= whole
    assert content_of(storage, KEY) == max(whole)


@pytest.mark.parametrize("key", [KEY, "runs/run_a", "runs/run_a/1/model"])
def test_a_missing_key_is_not_found(storage, key):
    """A folder or a prefix of another key is missing too."""
    if key != KEY:
        store(storage, KEY)
    with pytest.raises(FileNotFoundError) as raised:
        storage.open(key)
    assert (raised.value.filename, raised.value.strerror) == (key, os.strerror(2))
    with pytest.raises(FileNotFoundError), storage.local_copy(key):
        pass


def test_a_deleted_file_is_missing_and_may_be_deleted_again(storage):
    """Two processes may delete the same file."""
    store(storage, KEY)
    storage.delete(KEY)
    storage.delete(KEY)
    with pytest.raises(FileNotFoundError):
        storage.open(KEY)
    assert storage.list("runs") == []
    store(storage, KEY, "again")
    assert content_of(storage, KEY) == b"again"


def test_an_open_stream_survives_the_deletion(storage):
    """A download that has begun is completed."""
    store(storage, KEY, b"x" * 100_000)
    with storage.open(KEY) as file:
        storage.delete(KEY)
        assert len(file.read()) == 100_000


def test_keys_are_listed_in_order_below_whole_folders(storage):
    """The prefix `runs/run_a` does not list files of `runs/run_ab`."""
    keys = ["runs/run_a/1/b.json", "runs/run_a/1/a.json", "runs/run_ab/1/a.json"]
    for key in [*keys, "datasets/d/content.csv"]:
        store(storage, key)
    assert list(storage.list("runs")) == sorted(keys)
    assert list(storage.list("runs/run_a")) == sorted(keys[:2])
    assert list(storage.list("checkpoints")) == []


def test_sizes_are_those_of_the_listed_files(storage):
    keys = {"runs/run_a/1/a.json": 3, "runs/run_ab/1/b.json": 70_000}
    for key, size in keys.items():
        store(storage, key, b"x" * size)
    assert storage.sizes("runs") == keys
    assert storage.sizes("runs/run_a") == {"runs/run_a/1/a.json": 3}
    assert storage.sizes("checkpoints") == {}


def test_old_files_can_be_listed_alone(opened):
    """The age counts from when the file was stored."""
    storage, make_old = opened
    old, young = store(storage, "runs/a/1/x"), store(storage, "runs/b/1/x")
    make_old(old, 3_600)
    assert list(storage.list("runs", older_than_seconds=1_800)) == [old]
    assert list(storage.list("runs")) == [old, young]


@pytest.mark.parametrize(
    "key",
    ["", "runs", "/etc/passwd", "runs/../../x", "runs/.hidden", "runs/a\n", "Runs/a", "runs//a", "runs/a/"],
)  # fmt: skip
def test_an_invalid_key_is_refused(storage, tmp_path, key):
    (tmp_path / "file").write_text("x")
    for use in (
        storage.open,
        storage.delete,
        lambda k: storage.put(tmp_path / "file", k),
    ):
        with pytest.raises(ValueError, match="not a storage key"):
            use(key)
    with pytest.raises(ValueError, match="not a storage key"), storage.local_copy(key):
        pass


def test_a_table_is_scanned_while_its_copy_is_held(storage):
    """polars reads lazily from several copies at the same time."""
    with scratch() as folder:
        pl.DataFrame({"x": range(1_000)}).write_parquet(folder / "t")
        storage.put(folder / "t", "datasets/d/table.parquet")
    key = "datasets/d/table.parquet"
    with storage.local_copy(key) as one, storage.local_copy(key) as other:
        both = [pl.scan_parquet(path).select(pl.col("x").sum()) for path in (one, other)]
        assert [frame.collect().item() for frame in both] == [499_500] * 2


def test_a_recorded_file_is_read_only_if_it_is_unchanged(storage):
    """A replaced, shortened or lost file is refused until it is restored."""
    with scratch() as folder:
        (folder / "f").write_bytes(b"network")
        recorded = put_recorded(storage, folder / "f", KEY)
    for other in (b"netw0rk", b"net", b"network and more"):
        store(storage, KEY, other)
        with pytest.raises(ArtifactDamaged, match="sha256"):
            read_recorded(storage, **recorded, what="It")
    storage.delete(KEY)
    with pytest.raises(ArtifactDamaged, match="It is missing"):
        read_recorded(storage, **recorded, what="It")
    store(storage, KEY, b"network")
    assert read_recorded(storage, **recorded, what="It") == b"network"


def test_a_download_has_the_recorded_length(storage):
    """A longer, shorter or lost file is refused before the first byte is sent."""
    store(storage, KEY, b"12345")
    with open_whole(storage, KEY, 5) as file:
        assert file.read() == b"12345"
    for length in (4, 6):
        with pytest.raises(ArtifactDamaged, match="has 5 bytes"):
            open_whole(storage, KEY, length)
    storage.delete(KEY)
    with pytest.raises(ArtifactDamaged, match="is missing"):
        open_whole(storage, KEY, 5)
