"""Copies on this machine: shared, limited in bytes, and replaced when they are damaged."""

import os
import subprocess
import sys
import threading
import time

import pytest

from core.errors import StorageFull
from core.settings import Settings
from core.storage import open_storage
from core.storage.cache import FileCache
from tests.disks import small_disk

CONTENT = b"x" * 1_000


@pytest.fixture
def root(tmp_path):
    open_storage(Settings(home=tmp_path))  # creates the folder of scratch folders
    return tmp_path / "files" / "cache"


class Fetched:
    """A source that counts how often each copy was fetched."""

    def __init__(self, content=CONTENT):
        self.content, self.count = content, 0

    def __call__(self, path):
        self.count += 1
        path.write_bytes(self.content)


def is_whole(path):
    return path.stat().st_size == len(CONTENT)


def read(cache, name, fetch):
    with cache.copy(name, fetch, is_whole) as path:
        return path.read_bytes()


def names(root):
    return sorted(path.name for path in root.iterdir())


def test_a_copy_is_fetched_once(root):
    """Another process of the home finds it too."""
    fetch = Fetched()
    for _ in range(3):
        assert read(FileCache(root, 10_000), "a", fetch) == CONTENT
    assert (fetch.count, names(root)) == (1, ["a"])


def test_simultaneous_readers_share_a_fetch(root):
    """The first of ten threads fetches; the others wait for it."""
    cache, fetch, read_bytes = FileCache(root, 10_000), Fetched(), []

    def slowly(path):
        time.sleep(0.2)
        fetch(path)

    threads = [
        threading.Thread(target=lambda: read_bytes.append(read(cache, "a", slowly)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_bytes == [CONTENT] * 10
    assert (fetch.count, names(root)) == (1, ["a"])


def test_the_copy_that_was_used_least_recently_is_removed(root):
    """A reader of a removed copy keeps its file."""
    cache, fetch = FileCache(root, 2_500), Fetched()
    read(cache, "b", fetch)
    with cache.copy("a", fetch, is_whole) as path:
        for name, seconds in (("a", 300), ("b", 200)):
            os.utime(root / name, (time.time() - seconds,) * 2)
        read(cache, "c", fetch)
        assert names(root) == ["b", "c"]
        assert path.read_bytes() == CONTENT
    read(cache, "b", fetch)
    assert fetch.count == 3


def test_a_file_larger_than_the_cache_is_read_and_not_kept(root):
    cache, fetch = FileCache(root, 999), Fetched()
    assert read(cache, "a", fetch) == CONTENT
    assert names(root) == []


def test_a_damaged_copy_is_fetched_again(root):
    """A power cut may leave a part of a file."""
    cache, fetch = FileCache(root, 10_000), Fetched()
    read(cache, "a", fetch)
    (root / "a").write_bytes(CONTENT[:10])
    assert read(cache, "a", fetch) == CONTENT
    assert fetch.count == 2


def test_a_file_that_is_not_as_recorded_is_not_kept(root):
    """Its reader reports it, and the next one asks the store again."""
    cache, fetch = FileCache(root, 10_000), Fetched(b"other")
    assert read(cache, "a", fetch) == b"other"
    fetch.content = CONTENT
    assert read(cache, "a", fetch) == CONTENT
    assert names(root) == ["a"]


def test_a_failed_fetch_leaves_nothing(root):
    cache = FileCache(root, 10_000)

    def fail(path):
        path.write_bytes(b"part")
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        read(cache, "a", fail)
    assert names(root) == []


def test_a_killed_process_does_not_block_others(root):
    """Its lock ends with it, and its part is replaced; an old part is removed."""
    code = (
        "import sys, time; from pathlib import Path; from core.storage.cache import "
        "_locked\n"
        "with _locked(Path(sys.argv[1])) as part:\n"
        "    part.write_bytes(b'half'); print('held', flush=True); time.sleep(60)"
    )
    root.mkdir()
    part = root / "a.part"
    process = subprocess.Popen(
        [sys.executable, "-c", code, part], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "held\n"
        process.kill()
    assert part.exists()
    stale = root / "b.part"
    stale.write_bytes(b"half")
    os.utime(stale, (time.time() - 7_200,) * 2)
    assert read(FileCache(root, 10_000), "a", Fetched()) == CONTENT
    assert names(root) == ["a"]


def test_copies_make_room_on_a_full_disk(tmp_path):
    """A file that does not fit even then is reported as a full disk."""
    home = tmp_path / "disk"
    try:
        disk = small_disk(home, "4m")
        disk.__enter__()
    except subprocess.CalledProcessError:
        pytest.skip("only root can mount a disk")
    try:
        open_storage(Settings(home=home))
        cache = FileCache(home / "files" / "cache", 2**40)
        large = b"x" * 2_500_000
        for name in ("a", "b"):
            with cache.copy(name, Fetched(large), lambda _: True) as path:
                assert path.read_bytes() == large
        with (
            pytest.raises(StorageFull),
            cache.copy("c", Fetched(large * 2), lambda _: True),
        ):
            pass
    finally:
        disk.__exit__(None, None, None)
