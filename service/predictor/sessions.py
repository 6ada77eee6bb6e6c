"""Load versions into ONNX Runtime sessions, in a cache limited in bytes.

A file is loaded only if its sha256 is the recorded one: ONNX Runtime itself loads many
damaged files without an error.
"""

import ctypes
import threading
from collections import OrderedDict
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import onnxruntime as ort

from core.single_flight import SingleFlight, run_here
from core.storage import Storage
from core.storage.recorded import read_recorded
from service.predictor.batching import Batcher, NetworkOutput
from service.predictor.table import Table

_RESIDENT_RATIO = 1.7
"""The measured memory of a session, divided by the size of its file."""
_RESIDENT_BASE = 300_000
# Loading frees several times the size of a model, which glibc keeps until `malloc_trim`;
# other C libraries lack the function
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
_MAX_ROWS = 512
"""Rows of one call: with more, the output of a wide layer exceeds a core's cache."""


@dataclass(frozen=True)
class ModelFile:
    """Where a version's `model.onnx` is stored, and the hash that it must have."""

    version_id: str
    key: str
    sha256: str
    num_bytes: int

    @property
    def resident_bytes(self) -> int:
        """Return the approximate memory of the session of this file."""
        return int(_RESIDENT_RATIO * self.num_bytes) + _RESIDENT_BASE


class Network:
    """A session, with the names of its inputs and outputs."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        inputs = session.get_inputs()
        self._texts = [i.name for i in inputs if i.type == "tensor(string)"]
        self._numbers = [i.name for i in inputs if i.type != "tensor(string)"]
        self._outputs = [output.name for output in session.get_outputs()]

    def run(self, table: Table) -> NetworkOutput:
        """Return the network's output, `[N, 1]` or `[N, classes]`."""
        starts = range(0, table.num_rows, _MAX_ROWS)
        parts = [self._run(table.rows(i, i + _MAX_ROWS)) for i in starts]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run(self, table: Table) -> NetworkOutput:
        feed = table.feed(self._numbers, self._texts)
        output: NetworkOutput = self._session.run(self._outputs, feed)[0]
        return output


class Loaded(NamedTuple):
    """A network in memory, and the batcher that calls it.

    Neither refers to the cache, so that memory is freed as soon as a network is removed.
    """

    file: ModelFile
    network: Network
    batcher: Batcher


def load(file: ModelFile, storage: Storage) -> ort.InferenceSession:
    """Return a new session of a file; raise ArtifactDamaged if its hash is wrong."""
    what = "The file of this version"
    content = read_recorded(storage, file.key, file.sha256, file.num_bytes, what)
    session = ort.InferenceSession(content, _options(), ["CPUExecutionProvider"])
    session._model_bytes = None  # noqa: SLF001  kept for a fallback that we do not use
    return session


def _options() -> ort.SessionOptions:
    """Return options for one thread per session: small networks do not gain from more."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


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
            network = Network(load(file, self._storage))
        except Exception:
            with self._lock:
                self._counters["load_failures"] += 1
            raise
        loaded = Loaded(file, network, Batcher(network.run, file.num_bytes, self._pool))
        self._keep(loaded)
        if _trim is not None:
            _trim(0)
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
