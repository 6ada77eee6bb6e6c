"""A full disk is told as one, whoever met it."""

import errno
import os
from pathlib import Path

import polars as pl
import pytest

from core.errors import StorageFull
from core.storage.files import LocalStorage, disk_full_is_507

full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's device")


@full
def test_polars_tells_of_a_full_disk_in_words():
    """Its exception has no number; the problem is the same."""
    with pytest.raises(StorageFull), disk_full_is_507():
        pl.LazyFrame({"x": range(100_000)}).sink_csv("/dev/full")


def test_a_write_beyond_a_quota_is_told_too(tmp_path):
    """By its number."""
    with pytest.raises(StorageFull), disk_full_is_507():
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def test_another_error_stays_what_it_is():
    """Neither of the disk nor of polars."""
    with pytest.raises(ValueError, match="No space left"), disk_full_is_507():
        raise ValueError("No space left on device")


@pytest.mark.parametrize("stray", [".DS_Store", ".nfs0001", "a file", "wäre"])
def test_a_file_whose_name_is_no_key_is_left_alone(tmp_path, stray):
    """Each listed key can be deleted; what somebody else put there stays."""
    storage = LocalStorage(tmp_path)
    with storage.scratch() as folder:
        (folder / "f").write_text("x")
        storage.publish(folder / "f", "runs/a/model.onnx")
    for path in (tmp_path / "runs" / stray, tmp_path / "runs" / "a" / stray):
        path.write_text("x")
    assert storage.keys("runs") == ["runs/a/model.onnx"]
    storage.delete("runs/a/model.onnx")
    assert storage.keys("runs") == []
    assert (tmp_path / "runs" / "a" / stray).exists()


def test_a_key_ends_where_its_line_ends(tmp_path):
    """Neither a listed name nor a given one may hold a line break."""
    storage = LocalStorage(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a\n").write_text("x")
    assert storage.keys("runs") == []
    with pytest.raises(ValueError, match="not a storage key"):
        storage.delete("runs/a\n")
