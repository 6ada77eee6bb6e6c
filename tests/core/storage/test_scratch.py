"""Scratch folders are deleted after use, and a full disk is reported as a problem."""

import errno
import os
import time
from pathlib import Path

import polars as pl
import pytest

from core.errors import StorageFull, Unavailable
from core.settings import Settings
from core.storage import open_storage, scratch
from core.storage.scratch import disk_full_is_507, scratch_root, sweep_scratch

full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's device")


@pytest.fixture(autouse=True)
def home(tmp_path):
    open_storage(Settings(home=tmp_path))
    return tmp_path


def test_a_folder_is_deleted_with_its_context():
    """The folder is deleted after an exception too."""
    with scratch() as folder:
        (folder / "file").write_text("x")
        assert list(scratch_root().iterdir()) == [folder]
    with pytest.raises(KeyError), scratch():
        raise KeyError
    assert list(scratch_root().iterdir()) == []


def test_an_old_folder_of_a_killed_process_is_swept(home):
    """A younger folder may still be in use."""
    old, young = (scratch_root() / name for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir()
        (folder / "file").write_text("x")
    then = time.time() - 3_601
    os.utime(old, (then, then))
    sweep_scratch(3_600)
    assert list(scratch_root().iterdir()) == [young]


def test_a_folder_in_use_is_not_swept(home):
    """A run may hold its folder for hours without writing to it."""
    with scratch() as folder:
        then = time.time() - 7_200
        os.utime(folder, (then, then))
        sweep_scratch(3_600)
        assert folder.exists()
        assert time.time() - folder.stat().st_mtime < 60  # another process leaves it too
    assert not folder.exists()


def test_a_missing_volume_is_not_replaced_by_a_folder(home):
    """Otherwise uploads would fill the disk under the mount point."""
    scratch_root().rmdir()
    with pytest.raises(Unavailable, match="No such file"), scratch():
        pass
    assert not scratch_root().exists()


@full
def test_a_full_disk_in_polars_is_reported():
    """polars raises an exception without an error number."""
    with pytest.raises(StorageFull), disk_full_is_507():
        pl.LazyFrame({"x": range(100_000)}).sink_csv("/dev/full")


def test_a_write_beyond_a_quota_is_reported_too():
    with pytest.raises(StorageFull), scratch():
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def test_another_error_is_unchanged():
    """An error with the same text that is not an OSError is not converted."""
    with pytest.raises(ValueError, match="No space left"), disk_full_is_507():
        raise ValueError("No space left on device")
