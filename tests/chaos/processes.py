"""Start, stop and kill processes of the service."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil


def until(question: Callable[[], Any], seconds: float = 60.0, pause: float = 0.02) -> Any:
    """Return the first true answer; raise TimeoutError after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(pause)
    raise TimeoutError(f"not within {seconds} s: {question}")


class ManagedProcess:
    """A process `python -m module` with its log; `kill` kills its children, too.

    `prefix` is a command that runs the process elsewhere, such as on another host.
    """

    def __init__(
        self,
        module: str,
        environment: Mapping[str, str],
        log: Path,
        pass_fds: Sequence[int] = (),
        prefix: Sequence[str] = (),
        cwd: Path | None = None,
    ) -> None:
        self._cwd = cwd
        self._command = [*prefix, sys.executable, "-m", *module.split()]
        self._environment = {**os.environ, **environment}
        self._log = log
        self._fds = pass_fds
        self.start()

    def start(self, **environment: str) -> None:
        """Start the process, or start it again."""
        with self._log.open("ab") as log:
            self.process = psutil.Popen(
                self._command,
                env={**self._environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self._fds,
                cwd=self._cwd,
            )

    def log_text(self) -> str:
        """Return what the process and its predecessors have logged."""
        return self._log.read_text(errors="replace")

    def has_failed(self) -> bool:
        """Return whether the log contains an error with its traceback."""
        return "Traceback" in self.log_text()

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def child(self) -> psutil.Process:
        """Wait for the first child, and return it."""
        found: psutil.Process = until(self._children)[0]
        return found

    def _children(self) -> list[psutil.Process]:
        try:
            found: list[psutil.Process] = self.process.children()
        except psutil.NoSuchProcess:
            return []
        return [c for c in found if c.is_running() and c.status() != "zombie"]

    def child_pids(self) -> list[int]:
        """Return the process ids of the living children."""
        return [child.pid for child in self._children()]

    def signal_all(self, number: int) -> None:
        """Send a signal to the process and to its children."""
        for process in [self.process, *self._children()]:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def kill(self) -> None:
        """Kill the process, then its children, as when a machine fails."""
        process, children = self.process, self._children()
        process.kill()
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        process.wait()  # not `self.process`: a Restarter may have replaced it

    def kill_alone(self) -> None:
        """Kill the process, but not its children."""
        process = self.process
        process.kill()
        process.wait()

    def terminate(self, seconds: float = 40.0) -> float:
        """Send SIGTERM. Return the seconds until the process ended."""
        process, began = self.process, time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(seconds)
        return time.monotonic() - began
