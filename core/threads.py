"""The end of threads that work beside the requests."""

import threading

_PATIENCE = 3.0


def let_end(thread: threading.Thread) -> None:
    """Wait a little for a thread that was told to stop.

    So that no connection is closed under what it is at; but nobody is awaited for long.
    """
    if thread.is_alive():
        thread.join(_PATIENCE)
