"""Keep full garbage collections out of the time in which a process answers or works.

A full collection visits every object of the process and holds all its threads. The
modules and routes of the API are some 200,000 objects, which took 100 to 200 ms every few
seconds under load. They never become garbage, so no collection needs to visit them.
"""

import gc

_THRESHOLDS = 5_000, 20, 100
"""Python's are 700, 10, 10. A request creates no cycles, so collections find nothing;
those of young objects remain frequent enough to free the body of a failed request."""


def pause_collection() -> None:
    """Collect nothing until `freeze_heap`; call it before the modules are imported."""
    gc.disable()


def freeze_heap() -> None:
    """Exclude everything that exists from collections, and resume them."""
    gc.freeze()  # without a collection: the imports leave hardly any garbage
    gc.enable()


def collect_rarely() -> None:
    """Let collections run after more new objects than Python's default."""
    gc.set_threshold(*_THRESHOLDS)
