"""ONNX Runtime sessions of versions, in a cache bounded in bytes.

A file is loaded only if its sha256 is the one that the database holds: ONNX Runtime
itself loads many damaged files without complaint.
"""

import hashlib
import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass

import onnxruntime as ort

from core.errors import ArtifactDamaged
from core.storage import Storage


@dataclass(frozen=True)
class ModelFile:
    """Where a version's `model.onnx` lies, and what it must hash to."""

    version_id: str
    key: str
    sha256: str
    num_bytes: int


def load(file: ModelFile, storage: Storage) -> ort.InferenceSession:
    """The session of a file; ArtifactDamaged if it is not what was recorded."""
    try:
        with storage.open(file.key) as stream:
            content = stream.read(file.num_bytes + 1)
    except FileNotFoundError as error:
        raise ArtifactDamaged("The file of this version is missing.") from error
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), file.sha256):
        raise ArtifactDamaged(
            "The file of this version is damaged: its sha256 is not the recorded one. "
            "Other versions still serve; train again or restore the file."
        )
    return ort.InferenceSession(content, _options(), ["CPUExecutionProvider"])


def _options() -> ort.SessionOptions:
    """One thread a session: small nets gain nothing from more, and pools add up."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


class SessionCache:
    """The sessions used last; each is loaded once, however many ask at the same time."""

    def __init__(self, storage: Storage, max_bytes: int) -> None:
        self._storage = storage
        self._max_bytes = max_bytes
        self._sessions: OrderedDict[str, tuple[ort.InferenceSession, int]] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def peek(self, version_id: str) -> ort.InferenceSession | None:
        """The session if it is loaded; never waits for a load."""
        with self._lock:
            found = self._sessions.get(version_id)
            if found is None:
                return None
            self._sessions.move_to_end(version_id)
            return found[0]

    def get(self, file: ModelFile) -> ort.InferenceSession:
        """The session, loaded if need be; ArtifactDamaged."""
        with self._lock:
            turn = self._loading.setdefault(file.version_id, threading.Lock())
        with turn:
            session = self.peek(file.version_id)
            if session is None:
                session = load(file, self._storage)
                self._keep(file, session)
        return session

    def _keep(self, file: ModelFile, session: ort.InferenceSession) -> None:
        with self._lock:
            self._loading.pop(file.version_id, None)
            self._sessions[file.version_id] = (session, file.num_bytes)
            total = sum(size for _, size in self._sessions.values())
            while total > self._max_bytes and len(self._sessions) > 1:
                _, (_, size) = self._sessions.popitem(last=False)
                total -= size
