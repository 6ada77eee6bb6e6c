"""A module can seem not installed while others are imported."""

import sys
from importlib import import_module

import pytest

from core.lazy import not_installed


def test_a_hidden_module_can_be_imported_later():
    sys.modules.pop("this", None)
    with not_installed("this"), pytest.raises(ImportError):
        import_module("this")
    assert "this" not in sys.modules


def test_a_loaded_module_stays():
    with not_installed("pytest"):
        assert import_module("pytest") is pytest


def test_modules_can_be_imported_after_an_error():
    with pytest.raises(ZeroDivisionError), not_installed("this"):
        raise ZeroDivisionError
    assert "this" not in sys.modules
