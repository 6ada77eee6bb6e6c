"""The settings select the storage."""

import pytest

from core.settings import Settings
from core.storage import open_storage
from tests.stored import store


@pytest.mark.parametrize("name", ["volume", "a volume"])
def test_a_file_url_names_the_folder(tmp_path, name):
    """Scratch folders are inside it, so that files are renamed within one disk."""
    url = (tmp_path / name).as_uri()
    storage = open_storage(Settings(home=tmp_path / "home", storage_url=url))
    store(storage, "runs/a/model.onnx")
    assert (tmp_path / name / "runs" / "a" / "model.onnx").exists()
    assert not (tmp_path / "home").exists()


def test_an_unknown_scheme_is_refused(tmp_path):
    """The message lists the known schemes, and no folder is created."""
    settings = Settings(home=tmp_path / "home", storage_url="ftp://host/files")
    with pytest.raises(ValueError, match="'ftp'; expected one of file"):
        open_storage(settings)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("url", ["file:files", "file://srv/files"])
def test_a_file_url_without_an_absolute_folder_is_refused(tmp_path, url):
    """After two slashes the URL names a host."""
    with pytest.raises(ValueError, match="three slashes"):
        Settings(home=tmp_path, storage_url=url)
