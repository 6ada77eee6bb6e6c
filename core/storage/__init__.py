"""The storage port and what implements it."""

from core.storage.files import LocalStorage, Storage

__all__ = ["LocalStorage", "Storage"]
