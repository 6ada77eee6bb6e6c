"""A full disk is told as one, whoever met it."""

import errno
import os
from pathlib import Path

import polars as pl
import pytest

from core.errors import StorageFull
from core.storage.files import disk_full_is_507

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
