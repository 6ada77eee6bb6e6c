"""A backup keeps the pepper of its API keys, and a restore copies it before the rows."""

import json

import pytest
from pydantic import SecretStr

from core.keys.pepper import pepper_file
from core.settings import Settings
from ops.backup import restore as restores
from ops.backup.backup import make_backup
from ops.backup.restore import restore_backup
from ops.expected_errors import CommandRefused
from tests.ops.backup.contents import assert_equal


@pytest.fixture
def with_key(service):
    """Return the settings of a service with an API key."""
    key = {"name": "k", "scopes": ["models:read"]}
    assert service.client.post("/v1/keys", json=key).is_success
    return service.settings


def with_other_home(settings, home):
    """Return settings with the database and the files of a service and another home."""
    home.mkdir()
    return Settings(
        home=home,
        database_url=settings.resolved_database_url,
        storage_url=settings.storage_url or f"file://{settings.files_dir}",
    )


def test_another_pepper_does_not_replace_that_of_the_keys(with_key, tmp_path):
    folder = tmp_path / "keys"
    make_backup(with_key, folder)
    kept = pepper_file(folder).read_bytes()
    mistaken = with_other_home(with_key, tmp_path / "other")
    pepper_file(mistaken.home_dir).write_bytes(b"o" * 32)
    with pytest.raises(CommandRefused, match="FITSERVE_KEY_PEPPER") as refused:
        make_backup(mistaken, folder)
    assert "1 API keys" in str(refused.value)
    assert pepper_file(folder).read_bytes() == kept
    make_backup(mistaken, tmp_path / "new")


def test_a_new_pepper_is_copied_if_there_are_no_keys(service, made):
    pepper_file(made).write_bytes(b"o" * 32)
    pepper_file(service.settings.home_dir).write_bytes(b"n" * 32)
    make_backup(service.settings, made)
    assert pepper_file(made).read_bytes() == b"n" * 32


def test_a_backup_of_keys_without_a_pepper_warns(with_key, tmp_path):
    mistaken = with_other_home(with_key, tmp_path / "other")
    (warning,) = make_backup(mistaken, tmp_path / "without").warnings
    assert str(pepper_file(mistaken.home_dir)) in warning
    assert "1 API keys without their pepper" in warning
    described = json.loads((tmp_path / "without" / "backup.json").read_text())
    assert described["warnings"] == [warning]
    given = mistaken.model_copy(update={"key_pepper": SecretStr("s" * 32)})
    assert make_backup(given, tmp_path / "given").warnings == []
    assert make_backup(with_key, tmp_path / "whole").warnings == []


@pytest.mark.parametrize("step", ["restore_pepper", "copy_between"])
def test_a_restore_can_be_repeated_after_each_step(with_key, tmp_path, monkeypatch, step):
    folder, target = tmp_path / "keys", Settings(home=tmp_path / "restored")
    make_backup(with_key, folder)
    with monkeypatch.context() as patch:
        patch.setattr(restores, step, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            restore_backup(target, folder)
    restore_backup(target, folder)
    assert pepper_file(target.home_dir).read_bytes() == pepper_file(folder).read_bytes()
    assert_equal(target, Settings(home=folder))


def test_a_restore_removes_the_copied_database_of_a_killed_one(made, tmp_path):
    target = Settings(home=tmp_path / "restored")
    left, other = (target.files_dir / "scratch" / name for name in ("tmp_a", "tmp_b"))
    for folder in (left, other):
        folder.mkdir(parents=True)
    (left / "source.db").write_bytes(b"secrets")
    restore_backup(target, made)
    assert (left.exists(), other.exists()) == (False, True)
