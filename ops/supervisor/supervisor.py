"""Start broker, API and workers together, restart a process that dies, and stop all."""

import os
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from core.lazy import LazyModule
from core.settings import Settings
from core.supervised import LISTEN_FD, METRICS_DIR, READER_ON_DEMAND
from ops.home_lock import hold_home
from ops.supervisor.broker import clear_socket
from ops.supervisor.cannot_start import CannotStart
from ops.supervisor.parts import Part
from ops.supervisor.ready import KeyState, Ready, pids_of
from ops.supervisor.waiting_datasets import HasWaitingDatasets

if TYPE_CHECKING:
    from ops.supervisor import preparation
    from ops.supervisor.preparation import Prepared
else:  # `_prepare_in_child` loads the database and its migrations
    preparation = LazyModule("ops.supervisor.preparation")

_STOP_SECONDS = 25.0

Say = Callable[[str], None]
OnReady = Callable[[Ready], None]


class Supervisor:
    """Run the parts of the service on this machine.

    Args:
        settings: the settings of all parts.
        say: prints a status message.
        on_ready: called once, when the service is ready.

    """

    def __init__(self, settings: Settings, say: Say, on_ready: OnReady) -> None:
        self._settings = settings
        self._say = say
        self._on_ready = on_ready
        self._is_stopped = False

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM; raise CannotStart if that is impossible."""
        _on_signals(self.stop)
        with hold_home(self._settings), _listening(self._settings) as listener:
            self._supervise(listener)
        _on_signals(signal.SIG_IGN)  # Python removes its handlers before it has exited

    def stop(self, *_: object) -> None:
        """Make `run` return. This is a signal handler, which must not take a lock.

        `threading.Event.set` takes a lock that the interrupted wait may hold forever.
        """
        self._is_stopped = True

    def is_stopped_within(self, seconds: float) -> bool:
        """Wait for `seconds`; return whether `stop` has been called."""
        time.sleep(seconds)
        return self._is_stopped

    def _supervise(self, listener: socket.socket) -> None:
        parts = api_parts = self._api_parts(listener)
        try:
            with _preparing_in_child(self._settings) as prepared_later:
                for part in api_parts:  # they import while the child prepares
                    part.start(is_held=True)
                prepared = prepared_later()
            if self._is_stopped:
                return
            parts = self._parts(api_parts, prepared.broker)
            self._watch_until_stop(listener, prepared.key, parts)
            self._say("stopping; unfinished runs return to the queue")
        finally:
            _stop(parts)

    def _watch_until_stop(
        self, listener: socket.socket, key: KeyState, parts: list[Part]
    ) -> None:
        for part in parts:
            part.release()
        self._watch(parts)
        self._announce(listener, key, parts)
        while not self.is_stopped_within(0.2):
            self._watch(parts)

    def _parts(
        self, api_parts: list[Part], broker_command: Sequence[str] | None
    ) -> list[Part]:
        """Return all parts in the order in which they start."""
        settings, environment = self._settings, _environment(self._settings)
        logs = settings.home_dir / "logs"
        demand = {} if broker_command is None else {READER_ON_DEMAND: "1"}
        parts = [
            _python_part("worker", "workers runs", environment | demand, logs),
            *api_parts,
            _python_part("reader", "workers datasets", environment | demand, logs),
        ]
        if broker_command is None:
            return parts
        parts[-1].has_work = HasWaitingDatasets(settings.redis_socket)
        return [_broker_part(broker_command, settings.redis_socket, logs), *parts]

    def _api_parts(self, listener: socket.socket) -> list[Part]:
        """Return the API processes, which accept from one socket."""
        logs = self._settings.home_dir / "logs"
        metrics = self._settings.home_dir / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)  # files of the previous start
        environment = {
            **_environment(self._settings),
            LISTEN_FD: str(listener.fileno()),
            METRICS_DIR: str(metrics),
        }
        count = self._settings.api_workers
        names = ["API"] if count == 1 else [f"API {i + 1}" for i in range(count)]
        return [
            _python_part(name, "service", environment, logs, [listener.fileno()])
            for name in names
        ]

    def _watch(self, parts: list[Part]) -> None:
        for part in parts:
            code = part.watch()
            if code is not None:
                self._say(f"the {part.name} ended with exit code {code}; restarting it")
                self._say(f"{part.last_lines()}\n  (from {part.log})")

    def _announce(
        self, listener: socket.socket, key: KeyState, parts: list[Part]
    ) -> None:
        host, port = listener.getsockname()[:2]
        name = f"[{host}]" if ":" in host else host
        home = self._settings.home_dir
        ready = Ready(
            url=f"http://{name}:{port}", key=key, home=home, logs=home / "logs", pids={}
        )
        waiting = threading.Thread(
            target=self._report_when_ready, args=[ready, parts], daemon=True
        )
        waiting.start()

    def _report_when_ready(self, ready: Ready, parts: list[Part]) -> None:
        while not self.is_stopped_within(0.05):
            if _is_ready(ready.url):
                ready.pids = pids_of(parts, os.getpid())
                self._on_ready(ready)
                return


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "FITSERVE_HOME": str(settings.home_dir),
        "FITSERVE_BROKER_URL": settings.resolved_broker_url,
        "FITSERVE_DATABASE_URL": settings.resolved_database_url,
    }


def _stop(parts: list[Part]) -> None:
    """Stop the broker last, because the others return their messages to it."""
    broker = [part for part in parts if part.name == "broker"]
    others = [part for part in parts if part.name != "broker"]
    deadline = time.monotonic() + _STOP_SECONDS
    for group in (others, broker):
        for part in group:
            part.terminate()
        for part in group:
            part.wait(max(1.0, deadline - time.monotonic()))


@contextmanager
def _preparing_in_child(settings: Settings) -> Iterator[Callable[[], "Prepared"]]:
    """Prepare the service in a child process, so that this one stays small.

    Yields a function that waits for the end, and raises CannotStart if the service
    cannot start. The child is forked at once, so that it inherits no pipe to a part.
    """
    parent = os.getpid()
    with ProcessPoolExecutor(1, get_context("fork"), _end_with, (parent,)) as child:
        future = child.submit(_prepare, settings)

        def wait() -> "Prepared":
            try:
                return future.result()
            except BrokenProcessPool as error:
                raise CannotStart(
                    "The process that prepares the service was killed, perhaps because "
                    "the machine has too little memory. Start the service again."
                ) from error

        yield wait


def _end_with(parent: int) -> None:
    """End this child soon after its parent, so that it frees the home and the port."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, name="supervisor-gone", daemon=True).start()


def _prepare(settings: Settings) -> "Prepared":
    """Prepare the service; the module is loaded by the process that calls this."""
    return preparation.prepare(settings)


def _on_signals(handler: Callable[..., None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _broker_part(command: Sequence[str], socket_path: Path, logs: Path) -> Part:
    start = partial(clear_socket, socket_path)
    return Part("broker", command, {}, logs / "broker.log", prepare=start)


def _python_part(
    name: str,
    module: str,
    environment: dict[str, str],
    logs: Path,
    pass_fds: Sequence[int] = (),
) -> Part:
    """Return a part that runs `python -m module` with a log file of the same name."""
    log = logs / f"{name.lower().replace(' ', '-')}.log"
    command = [sys.executable, "-m", *module.split()]
    return Part(name, command, environment, log, pass_fds)


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """Open the listening socket; it stays open while the API restarts."""
    try:
        listener = socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=2048,
        )
    except OSError as error:
        raise CannotStart(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "choose another --port, or --port 0 for a free one."
        ) from error
    with listener:
        yield listener


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=1) as answer:  # noqa: S310  our URL
            return bool(answer.status == 200)
    except (OSError, HTTPException):  # the API may end while it answers
        return False
