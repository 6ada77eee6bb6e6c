"""Sum the counts of all API processes on this address.

Processes that share a port also share a folder. Each writes its figures there once a
second if they changed, and at each scrape that it answers. Files of ended processes stay
until the service restarts. So no counter decreases from one scrape to the next.
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
        """Add the figures of another process."""
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
        """Return the content of the process's file in the shared folder."""
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
        read: dict[str, Any] = orjson.loads(content)
        return cls(
            http={
                (method, route, status): Latencies(counts, seconds)
                for method, route, status, counts, seconds in read["http"]
            },
            models={
                (workspace, name): ModelCounters(Latencies(counts, seconds), rows)
                for workspace, name, counts, seconds, rows in read["models"]
            },
            counters=read["counters"],
            gauges=read["gauges"],
        )


Figures = Callable[[], dict[str, float]]


class Snapshots:
    """Sum the figures of this process and of the others.

    Args:
        requests: the counters of this process.
        counters: returns further figures that only increase.
        gauges: returns current values.
        folder: the folder of the processes; None if this is the only process.

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
        """Start to write to the shared folder, if there is one."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._thread.start()

    def stop(self) -> None:
        """Write the counters for the last time, without the gauges."""
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

    def has_others(self) -> bool:
        """Return whether another process, ended or not, has written its figures."""
        return any(self._other_files())

    def _own(self) -> Snapshot:
        requests = self._requests
        return Snapshot(
            # dict() copies in one step, while the event loop counts
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
        for path in self._other_files():
            with contextlib.suppress(FileNotFoundError):
                snapshot = Snapshot.from_json(path.read_bytes())
                if not _is_alive(int(path.stem)):
                    snapshot.gauges.clear()
                yield snapshot

    def _other_files(self) -> Iterable[Path]:
        own = str(os.getpid())
        files = self._folder.glob("*.json") if self._folder else ()
        return (path for path in files if path.stem != own)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
