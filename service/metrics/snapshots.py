"""Sum the counts of all API processes on this address.

Processes that share a port share a folder too: each writes its figures there once a
second if they changed, and when it is asked, so that none takes back what another told.
Files of processes that ended stay until the service starts anew: a counter never falls.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from core.threads import PeriodicThread
from service.metrics.request_counters import (
    HttpKey,
    Latencies,
    ModelCounters,
    ModelKey,
    RequestCounters,
)

_WRITE_SECONDS = 1.0


@dataclass
class Snapshot:
    """The figures of one process, or of several."""

    http: dict[HttpKey, Latencies] = field(default_factory=dict)
    models: dict[ModelKey, ModelCounters] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)

    def merge(self, other: "Snapshot") -> None:
        """Add what another process counted."""
        for key, latencies in other.http.items():
            self.http.setdefault(key, Latencies()).merge(latencies)
        for model, counters in other.models.items():
            self.models.setdefault(model, ModelCounters()).merge(counters)
        for mine, theirs in (
            (self.counters, other.counters),
            (self.gauges, other.gauges),
        ):
            for name, value in theirs.items():
                mine[name] = mine.get(name, 0) + value

    def to_json(self) -> bytes:
        """As it lies in the shared folder."""
        return orjson.dumps(
            {
                "http": [[*k, v.counts, v.seconds] for k, v in self.http.items()],
                "models": [
                    [*key, t.latencies.counts, t.latencies.seconds, t.rows]
                    for key, t in self.models.items()
                ],
                "counters": self.counters,
                "gauges": self.gauges,
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> "Snapshot":
        """Build a snapshot from JSON written by `to_json`."""
        told: dict[str, Any] = orjson.loads(content)
        return cls(
            http={
                (method, route, status): Latencies(counts, seconds)
                for method, route, status, counts, seconds in told["http"]
            },
            models={
                (workspace, name): ModelCounters(Latencies(counts, seconds), rows)
                for workspace, name, counts, seconds, rows in told["models"]
            },
            counters=told["counters"],
            gauges=told["gauges"],
        )


Figures = Callable[[], dict[str, float]]


class Snapshots:
    """Takes this process's figures, and adds the others'.

    Args:
        requests: what is counted on the way.
        counters: figures that only rise.
        gauges: figures of the moment.
        folder: shared by the processes of one address; None if this is the only one.

    """

    def __init__(
        self,
        requests: RequestCounters,
        counters: Figures,
        gauges: Figures,
        folder: Path | None,
    ) -> None:
        self._requests = requests
        self._counters = counters
        self._gauges = gauges
        self._folder = folder
        self._written = b""
        self._lock = threading.Lock()
        self._thread = PeriodicThread("metrics", _WRITE_SECONDS, self._share_own)

    def start(self) -> None:
        """Begin to share, if there is anybody to share with."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._thread.start()

    def stop(self) -> None:
        """Share for the last time: what was counted stays, what is held does not."""
        self._thread.stop()
        last = self._own()
        last.gauges.clear()
        self._share(last)

    def total(self) -> Snapshot:
        """Return the sum over all processes."""
        own = self._own()
        self._share(own)
        total = Snapshot()
        for snapshot in (own, *self._others()):
            total.merge(snapshot)
        return total

    def _own(self) -> Snapshot:
        requests = self._requests
        return Snapshot(
            # dict() and list() of these are one step for the interpreter
            http=dict(requests.http),
            models=dict(requests.models),
            counters=self._counters(),
            gauges=self._gauges() | {"processes": 1},
        )

    def _share_own(self) -> None:
        self._share(self._own())

    def _share(self, own: Snapshot) -> None:
        if self._folder is None:
            return
        content = own.to_json()
        with self._lock:
            if content != self._written:
                path = self._folder / f"{os.getpid()}.json"
                scratch = path.with_suffix(".new")
                scratch.write_bytes(content)
                scratch.replace(path)
                self._written = content

    def _others(self) -> Iterable[Snapshot]:
        for path in self._folder.glob("*.json") if self._folder else ():
            pid = int(path.stem)
            if pid == os.getpid():
                continue
            with contextlib.suppress(FileNotFoundError):
                snapshot = Snapshot.from_json(path.read_bytes())
                if not _is_alive(pid):
                    snapshot.gauges.clear()
                yield snapshot


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
