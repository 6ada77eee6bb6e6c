"""`python -m service` with places in it where it dies, if a file says so.

A file `send` in the folder of failpoints is taken away, and the process killed, where a
run is committed and its message is about to be sent.
"""

import os
import signal
from pathlib import Path
from typing import Any

from core.queue import Queue
from service.__main__ import main

FOLDER = Path(os.environ["CHAOS_FAILPOINTS"])


def take(name: str) -> bool:
    """Whether this process is the one that dies here."""
    try:
        (FOLDER / name).unlink()
    except FileNotFoundError:
        return False
    return True


def put_failpoints_in() -> None:
    """Between commit and publish."""
    send = Queue.send

    def send_or_die(self: Queue, *given: Any) -> bool:
        if take("send"):
            os.kill(os.getpid(), signal.SIGKILL)
        return send(self, *given)

    Queue.send = send_or_die  # type: ignore[method-assign]


if __name__ == "__main__":
    put_failpoints_in()
    main()
