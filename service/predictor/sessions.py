"""Keep the networks of versions in memory, in a cache limited in bytes."""

import threading
from collections import OrderedDict
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import onnxruntime  # noqa: F401  loaded with the API, not by the first prediction

from core.freed_memory import return_freed_memory
from core.models.network import ModelFile, Network, load_network
from core.single_flight import SingleFlight, run_here
from core.storage import Storage
from service.predictor.batching import Batcher


class Loaded(NamedTuple):
    """A network in memory, and the batcher that calls it.

    Neither refers to the cache, so that memory is freed as soon as a network is removed.
    """

    file: ModelFile
    network: Network
    batcher: Batcher


class SessionCache:
    """The recently used sessions; simultaneous requests for a session load it once."""

    def __init__(self, storage: Storage, max_bytes: int, pool: Executor) -> None:
        self._storage = storage
        self._max_bytes = max_bytes
        self._pool = pool
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._num_bytes = 0
        self._counters = {"loads": 0.0, "evictions": 0.0, "load_failures": 0.0}
        self._loads = SingleFlight(run_here)
        self._lock = threading.Lock()

    def peek(self, version_id: str) -> Loaded | None:
        """Return the session if it is loaded; never waits for a load."""
        with self._lock:
            found = self._loaded.get(version_id)
            if found is not None:
                self._loaded.move_to_end(version_id)
            return found

    def get(self, file: ModelFile) -> Loaded:
        """Return the session, loaded if necessary; raises ArtifactDamaged."""
        known = partial(self.peek, file.version_id)
        load = self._loads.start(file, lambda: known() or self._load(file))
        return load.result()

    def _load(self, file: ModelFile) -> Loaded:
        try:
            network = load_network(file, self._storage)
        except Exception:
            with self._lock:
                self._counters["load_failures"] += 1
            raise
        loaded = Loaded(file, network, Batcher(network.run, file.num_bytes, self._pool))
        self._keep(loaded)
        return_freed_memory()  # loading frees several times the size of a model
        return loaded

    def drop(self, version_id: str) -> bool:
        """Remove a session; requests in progress continue. Return False if not loaded."""
        with self._lock:
            removed = self._loaded.pop(version_id, None)
            if removed is not None:
                self._num_bytes -= removed.file.resident_bytes
            return removed is not None

    def _keep(self, loaded: Loaded) -> None:
        with self._lock:
            self._counters["loads"] += 1
            self._loaded[loaded.file.version_id] = loaded
            self._num_bytes += loaded.file.resident_bytes
            while self._num_bytes > self._max_bytes and len(self._loaded) > 1:
                _, oldest = self._loaded.popitem(last=False)
                self._num_bytes -= oldest.file.resident_bytes
                self._counters["evictions"] += 1

    def counters(self) -> dict[str, float]:
        """Return how many sessions were loaded, failed to load, and were evicted."""
        with self._lock:
            return dict(self._counters)

    def gauges(self) -> dict[str, float]:
        """Return how many sessions are loaded, and their approximate size in bytes."""
        with self._lock:
            return {"entries": len(self._loaded), "bytes": self._num_bytes}
