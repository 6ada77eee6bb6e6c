"""Share one call among all callers that need the same result at the same time."""

import asyncio
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Spawn(Protocol):
    """Run a function with its arguments, here or in another thread."""

    def __call__(self, function: Callable[..., object], /, *args: Any) -> object:
        """Run `function(*args)` now or soon."""


def run_here(function: Callable[..., object], /, *args: Any) -> None:
    """Run the function in the thread of the caller."""
    function(*args)


def run_in_daemon(function: Callable[..., object], /, *args: Any) -> None:
    """Run the function in a new thread that does not keep the process alive."""
    threading.Thread(target=function, args=args, daemon=True).start()


class SingleFlight:
    """Run calls by key; while a call is in progress, further callers share its result.

    Args:
        spawn: starts a call, here or in a thread, such as `executor.submit`.

    """

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._flights: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def start(self, key: Hashable, call: Callable[[], Result]) -> Future[Result]:
        """Return the future of the key's call in progress, or of a call started now."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight
            flight = self._flights[key] = Future()
        try:
            spawned = self._spawn(self._run, key, flight, call)
        except BaseException as error:  # noqa: BLE001  raised again for each caller
            self._remove(key)
            flight.set_exception(error)
        else:
            if isinstance(spawned, Future):
                spawned.add_done_callback(partial(self._cancel, key, flight))
        return flight

    async def wait(self, key: Hashable, call: Callable[[], Result]) -> Result:
        """Return the result of the key's call; a cancelled caller does not cancel it."""
        return await asyncio.shield(asyncio.wrap_future(self.start(key, call)))

    def _run(
        self, key: Hashable, flight: Future[Result], call: Callable[[], Result]
    ) -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001  raised again for each caller
            self._remove(key)
            flight.set_exception(error)
        else:
            self._remove(key)
            flight.set_result(result)

    def _cancel(self, key: Hashable, flight: Future[Any], spawned: Future[Any]) -> None:
        if spawned.cancelled():  # its executor was shut down before the call began
            self._remove(key)
            flight.cancel()

    def _remove(self, key: Hashable) -> None:
        with self._lock:
            del self._flights[key]
