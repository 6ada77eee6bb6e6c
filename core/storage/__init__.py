"""The storage port, the choice of its implementation, and scratch folders."""

from core.storage.discard import discard
from core.storage.factory import open_storage
from core.storage.port import Storage
from core.storage.scratch import scratch

__all__ = ["Storage", "discard", "open_storage", "scratch"]
