"""The settings select the storage."""

import subprocess
import sys

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
    with pytest.raises(ValueError, match="'ftp'; expected one of file, s3"):
        open_storage(settings)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("url", ["file:files", "file://srv/files"])
def test_a_file_url_without_an_absolute_folder_is_refused(tmp_path, url):
    """After two slashes the URL names a host."""
    with pytest.raises(ValueError, match="three slashes"):
        Settings(home=tmp_path, storage_url=url)


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///prefix", "s3://key:secret@bucket", "s3://host:9000/bucket"]
)
def test_an_s3_url_that_names_more_or_less_than_a_bucket_is_refused(tmp_path, url):
    """The message says where the server and the key belong."""
    with pytest.raises(ValueError, match="AWS_ENDPOINT_URL"):
        Settings(home=tmp_path, storage_url=url)


def test_only_a_service_with_a_bucket_loads_obstore(tmp_path):
    """The memory and the start of other services are as before."""
    code = (
        "import sys; from core.settings import Settings; from service.app import "
        "create_app; create_app(Settings(home=sys.argv[1])); print('obstore' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
