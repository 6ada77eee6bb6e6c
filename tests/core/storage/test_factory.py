"""The settings choose the storage."""

import pytest

from core.settings import Settings
from core.storage import open_storage
from tests.stored import store


@pytest.mark.parametrize("name", ["volume", "a volume"])
def test_a_file_url_names_the_folder(tmp_path, name):
    """Scratch folders lie below it, so that files are renamed on one disk."""
    url = (tmp_path / name).as_uri()
    storage = open_storage(Settings(home=tmp_path / "home", storage_url=url))
    store(storage, "runs/a/model.onnx")
    assert (tmp_path / name / "runs" / "a" / "model.onnx").exists()
    assert not (tmp_path / "home").exists()


def test_an_unknown_scheme_is_refused_with_the_known_ones(tmp_path):
    """Before anything is made."""
    settings = Settings(home=tmp_path / "home", storage_url="ftp://host/files")
    with pytest.raises(ValueError, match="'ftp'; expected one of file"):
        open_storage(settings)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("url", ["file:files", "file://srv/files"])
def test_a_file_url_without_an_absolute_folder_is_refused(tmp_path, url):
    """Two slashes name a host."""
    with pytest.raises(ValueError, match="three slashes"):
        Settings(home=tmp_path, storage_url=url)
