"""The folder of a local storage, which may contain files of other programs."""

import pytest

from core.settings import Settings
from core.storage import open_storage
from core.storage.local import LocalStorage
from tests.stored import store


@pytest.fixture
def storage(tmp_path):
    return open_storage(Settings(home=tmp_path))


@pytest.mark.parametrize("stray", [".DS_Store", ".nfs0001", "a file", "wäre", "a\n"])
def test_a_file_whose_name_is_not_a_key_is_ignored(storage, tmp_path, stray):
    """Such a file is not listed and not deleted."""
    key = store(storage, "runs/a/model.onnx")
    folder = tmp_path / "files" / "runs"
    for path in (folder / stray, folder / "a" / stray):
        path.write_text("x")
    assert storage.list("runs") == [key]
    storage.delete(key)
    assert storage.list("runs") == []
    assert (folder / "a" / stray).exists()


def test_a_local_copy_is_the_file_itself(storage, tmp_path):
    key = store(storage, "runs/a/model.onnx")
    with storage.local_copy(key) as path:
        assert path == tmp_path / "files" / key


def test_an_empty_folder_is_deleted_with_its_last_file(storage, tmp_path):
    """Folders of deleted datasets and runs do not accumulate."""
    keys = [store(storage, f"datasets/d/{name}") for name in ("a", "b")]
    storage.delete(keys[0])
    assert (tmp_path / "files" / "datasets" / "d").exists()
    storage.delete(keys[1])
    assert not (tmp_path / "files" / "datasets" / "d").exists()


def test_links_are_no_files_of_a_foreign_folder(storage, tmp_path):
    """The links name a file, a folder in a folder, and the folder of a prefix."""
    store(storage, "runs/a/model.onnx")
    foreign = tmp_path / "foreign"
    for link, target in {
        "runs/a/linked.onnx": "runs/a/model.onnx",
        "runs/b": "runs/a",
        "datasets": "runs",
    }.items():
        (foreign / link).parent.mkdir(parents=True, exist_ok=True)
        (foreign / link).symlink_to(tmp_path / "files" / target)
    files = LocalStorage(foreign, follows_links=False)
    assert [*files.list("runs"), *files.list("datasets")] == []
    for key in ("runs/a/linked.onnx", "runs/b/model.onnx", "datasets/a/model.onnx"):
        with LocalStorage(foreign).open(key) as content:
            assert content.read()
        with pytest.raises(FileNotFoundError):
            files.open(key)
