"""The processes that `fitserve up` starts, each restarted when it dies."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.supervised import HELD, SUPERVISED

_CALM_SECONDS = 10.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_LOG_BYTES = 10 * 1024 * 1024


@dataclass
class Part:
    """A child process, its log file, and the pause before its next start."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    pass_fds: Sequence[int] = ()
    prepare: Callable[[], object] = lambda: None
    """Called before every start."""
    has_work: Callable[[], bool] | None = None
    """Return whether there is work; set only for a process that ends when it is idle."""
    process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0
    _pause: float = _SHORTEST_PAUSE
    _next_start: float = field(default=0.0)

    def start(self, *, is_held: bool = False) -> None:
        """Start the process in a new session, so that Ctrl-C does not reach it.

        A held process imports its modules, and then waits for `release`.
        """
        self.prepare()
        supervised = HELD if is_held else "1"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, SUPERVISED: supervised},
                pass_fds=self.pass_fds,
                start_new_session=True,
            )
        self._started = time.monotonic()

    def release(self) -> None:
        """Let a held process begin; one that has died is left to `watch`."""
        if self.process is not None and self.process.stdin is not None:
            with suppress(BrokenPipeError):
                os.write(self.process.stdin.fileno(), b"\n")

    def watch(self) -> int | None:
        """Start the process if it should run; return its exit code once if it died.

        A process that died is started again after a pause.
        """
        if self.process is None:
            if self._should_start():
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        self._forget()
        if code == 0 and self.has_work is not None:
            self._next_start = time.monotonic() + _SHORTEST_PAUSE
            return None
        seconds = time.monotonic() - self._started
        self._pause = _SHORTEST_PAUSE if seconds > _CALM_SECONDS else self._pause * 2
        self._next_start = time.monotonic() + min(self._pause, _LONGEST_PAUSE)
        return code

    def _should_start(self) -> bool:
        if time.monotonic() < self._next_start:
            return False
        return self.has_work is None or self.has_work()

    def _forget(self) -> None:
        """Forget the ended process, and close the pipe to it."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None

    def terminate(self) -> None:
        """Send SIGTERM."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Wait until the process ends; after `seconds`, kill it and its children."""
        if self.process is None:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_lines(self, count: int = 8) -> str:
        """Return the last lines of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join("  " + line for line in text.splitlines()[-count:])
