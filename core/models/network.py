"""Run the network of a version in ONNX Runtime, from its recorded file.

A file is loaded only if its sha256 is the recorded one: ONNX Runtime itself loads many
damaged files without an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactNotFound
from core.lazy import ort
from core.models.input_table import Table
from core.models.tables import Version
from core.storage import Storage
from core.storage.recorded import read_recorded

NetworkOutput = NDArray[np.floating[Any]]
"""float32, or float64 if the signature of the version has an offset."""
_RESIDENT_RATIO = 1.7
"""The measured memory of a session in bytes, for each byte of its file."""
_RESIDENT_BASE = 300_000
"""The measured memory of a session in bytes, whatever its file."""
_MAX_ROWS = 512
"""Rows of one call: with more, the output of a wide layer exceeds a core's cache."""


@dataclass(frozen=True)
class ModelFile:
    """The place of a version's `model.onnx` in the storage, with its recorded hash."""

    version_id: str
    key: str
    sha256: str
    num_bytes: int

    @classmethod
    def of(cls, version: Version) -> ModelFile:
        """Return the file of a version; raise ArtifactNotFound if it has none."""
        onnx = version.artifact("model.onnx")
        if onnx is None:
            raise ArtifactNotFound("model.onnx")
        return cls(version.id, onnx.key, onnx.sha256, onnx.num_bytes)

    @property
    def resident_bytes(self) -> int:
        """Return the approximate memory of the session of this file."""
        return int(_RESIDENT_RATIO * self.num_bytes) + _RESIDENT_BASE


class Network:
    """A session of ONNX Runtime, with the names of its inputs and outputs."""

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


def load_network(file: ModelFile, storage: Storage) -> Network:
    """Load the network of a file; raise ArtifactDamaged if its hash is wrong."""
    what = "The file of this version"
    content = read_recorded(storage, file.key, file.sha256, file.num_bytes, what)
    session = ort.InferenceSession(content, _options(), ["CPUExecutionProvider"])
    session._model_bytes = None  # noqa: SLF001  kept for a fallback that we do not use
    return Network(session)


def _options() -> ort.SessionOptions:
    """Return options for one thread per session: more do not help small networks."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
