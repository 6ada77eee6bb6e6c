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
from core.models.packed_inputs import pack_numbers
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
    """A session of ONNX Runtime, with the names of its inputs and outputs.

    `packed` is the name of the input of all numbers; None if each column has its own.
    """

    def __init__(self, session: ort.InferenceSession, packed: str | None) -> None:
        self._session = session
        self._packed = packed
        inputs = session.get_inputs()
        self._texts = [i.name for i in inputs if i.type == "tensor(string)"]
        self._numbers = [i.name for i in inputs if i.type != "tensor(string)"]
        self._outputs = [output.name for output in session.get_outputs()]

    def run(self, table: Table) -> NetworkOutput:
        """Return the network's output, `[N, 1]` or `[N, classes]`."""
        num_rows = table.num_rows
        if num_rows <= _MAX_ROWS:
            return self._run(table)
        starts = range(0, num_rows, _MAX_ROWS)
        return np.concatenate([self._run(table.rows(i, i + _MAX_ROWS)) for i in starts])

    def _run(self, table: Table) -> NetworkOutput:
        feed = table.text_inputs(self._texts)
        if self._packed is None:
            feed |= table.number_inputs(self._numbers)
        else:
            feed[self._packed] = np.ascontiguousarray(table.numbers.T)
        output: NetworkOutput = self._session.run(self._outputs, feed)[0]
        return output


def load_network(file: ModelFile, storage: Storage) -> Network:
    """Load the network of a file; raise ArtifactDamaged if its hash is wrong."""
    what = "The file of this version"
    content = read_recorded(storage, file.key, file.sha256, file.num_bytes, what)
    packed = pack_numbers(content)
    model, name = packed or (content, None)
    session = ort.InferenceSession(model, _options(), ["CPUExecutionProvider"])
    session._model_bytes = None  # noqa: SLF001  kept for a fallback that we do not use
    return Network(session, name)


def _options() -> ort.SessionOptions:
    """Return options for one thread per session: more do not help small networks."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
