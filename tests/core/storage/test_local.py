"""The folder of a local storage, in which other programs may leave files too."""

import pytest

from core.settings import Settings
from core.storage import open_storage
from tests.stored import store


@pytest.fixture
def storage(tmp_path):
    return open_storage(Settings(home=tmp_path))


@pytest.mark.parametrize("stray", [".DS_Store", ".nfs0001", "a file", "wäre", "a\n"])
def test_a_file_whose_name_is_no_key_is_left_alone(storage, tmp_path, stray):
    """Each listed key can be deleted; what somebody else put there stays."""
    key = store(storage, "runs/a/model.onnx")
    folder = tmp_path / "files" / "runs"
    for path in (folder / stray, folder / "a" / stray):
        path.write_text("x")
    assert storage.list("runs") == [key]
    storage.delete(key)
    assert storage.list("runs") == []
    assert (folder / "a" / stray).exists()


def test_a_local_copy_is_the_file_itself(storage, tmp_path):
    """Nothing is copied."""
    key = store(storage, "runs/a/model.onnx")
    with storage.local_copy(key) as path:
        assert path == tmp_path / "files" / key


def test_an_empty_folder_goes_with_its_last_file(storage, tmp_path):
    """Folders of deleted datasets and runs do not pile up."""
    keys = [store(storage, f"datasets/d/{name}") for name in ("a", "b")]
    storage.delete(keys[0])
    assert (tmp_path / "files" / "datasets" / "d").exists()
    storage.delete(keys[1])
    assert not (tmp_path / "files" / "datasets" / "d").exists()
