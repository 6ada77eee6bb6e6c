"""Processes of the service, that are killed, stopped and started again."""

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
    """The first answer that is true; TimeoutError after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(pause)
    raise TimeoutError(f"not within {seconds} s: {question}")


class ManagedProcess:
    """`python -m module`, with its log; the children go with it when it is killed."""

    def __init__(
        self,
        module: str,
        environment: Mapping[str, str],
        log: Path,
        pass_fds: Sequence[int] = (),
        prefix: Sequence[str] = (),
    ) -> None:
        self._command = [*prefix, sys.executable, "-m", *module.split()]
        self._environment = {**os.environ, **environment}
        self._log = log
        self._fds = pass_fds
        self.start()

    def start(self, **environment: str) -> None:
        """Start it, or start it again."""
        with self._log.open("ab") as log:
            self.process = psutil.Popen(
                self._command,
                env={**self._environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self._fds,
            )

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def child(self) -> psutil.Process:
        """The first child, waited for."""
        found: psutil.Process = until(self._children)[0]
        return found

    def _children(self) -> list[psutil.Process]:
        try:
            found: list[psutil.Process] = self.process.children()
        except psutil.NoSuchProcess:
            return []
        return [c for c in found if c.is_running() and c.status() != "zombie"]

    def child_pids(self) -> list[int]:
        """Of the children that live."""
        return [child.pid for child in self._children()]

    def signal_all(self, number: int) -> None:
        """To the process and to its children."""
        for process in [self.process, *self._children()]:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def kill(self) -> None:
        """The process first, its children right after it, as by a machine that fell."""
        process, children = self.process, self._children()
        process.kill()
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        process.wait()  # that one: a restarter may have started another by now

    def kill_alone(self) -> None:
        """The process; its children are left to themselves."""
        process = self.process
        process.kill()
        process.wait()

    def terminate(self, seconds: float = 40.0) -> float:
        """SIGTERM; seconds until it had ended."""
        process, began = self.process, time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(seconds)
        return time.monotonic() - began
