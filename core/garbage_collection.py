"""Exclude the objects of imported modules from garbage collection.

A full collection visits every object of the process and stops all its threads. The
modules and routes of the API are some 200,000 objects. Visiting them took 100 to 200 ms
every few seconds under load, although they never become garbage.
"""

import gc

_THRESHOLDS = 5_000, 20, 100
"""Higher than Python's (700, 10, 10), because a request creates no cycles. An error does;
young objects are still collected often enough to free the body of a failed request."""


def pause_collection() -> None:
    """Stop collections until `freeze_heap`; call this before the modules are imported."""
    gc.disable()


def freeze_heap() -> None:
    """Exclude all existing objects from collections, and resume collections."""
    gc.freeze()  # without a collection: the imports leave hardly any garbage
    gc.enable()


def collect_rarely() -> None:
    """Let collections run after more new objects than Python's default."""
    gc.set_threshold(*_THRESHOLDS)
