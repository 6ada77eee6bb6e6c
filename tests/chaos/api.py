"""Run `python -m service` with a failpoint.

If the folder of failpoints contains a file `send`, the process deletes the file and
kills itself after a run is committed and before its message is sent.
"""

import os
import signal
from pathlib import Path
from typing import Any

from core.queue import Queue
from service.process import main

FOLDER = Path(os.environ["CHAOS_FAILPOINTS"])


def take(name: str) -> bool:
    """Delete the file of a failpoint. Return whether the file existed."""
    try:
        (FOLDER / name).unlink()
    except FileNotFoundError:
        return False
    return True


def put_failpoints_in() -> None:
    """Kill the process between commit and publish."""
    send = Queue.send

    def send_or_die(self: Queue, *given: Any) -> bool:
        if take("send"):
            os.kill(os.getpid(), signal.SIGKILL)
        return send(self, *given)

    Queue.send = send_or_die  # type: ignore[method-assign]


if __name__ == "__main__":
    put_failpoints_in()
    main()
