"""Which version a name means now, known to an API process for half a second at most."""

import threading
import time
from dataclasses import dataclass

from core.database.sessions import Database
from core.errors import ArtifactNotFound
from core.models.repository import ModelRepository
from core.models.signature import Signature
from core.models.tables import Version
from service.predictor.columns import RawColumns
from service.predictor.sessions import ModelFile

_MOST = 10_000


@dataclass(frozen=True)
class Served:
    """A version as the predictor needs it; immutable."""

    model_name: str
    number: int
    signature: Signature
    columns: RawColumns
    file: ModelFile


@dataclass(frozen=True)
class Wanted:
    """What a request names: a version, an alias, or neither for the newest."""

    model: str
    version: int | None = None
    alias: str | None = None


class Directory:
    """Looks versions up; what can move is asked for again after a while."""

    def __init__(self, database: Database, fresh_seconds: float) -> None:
        self._database = database
        self._fresh_seconds = fresh_seconds
        self._known: dict[Wanted, tuple[float, Served]] = {}
        self._served: dict[str, Served] = {}
        self._lock = threading.Lock()

    def peek(self, wanted: Wanted) -> Served | None:
        """The version if it is known and fresh; never asks the database."""
        found = self._known.get(wanted)
        return found[1] if found and time.monotonic() < found[0] else None

    def get(self, wanted: Wanted) -> Served:
        """The version; ModelNotFound, VersionNotFound, AliasNotFound."""
        known = self.peek(wanted)
        if known is not None:
            return known
        with self._database.read() as session:
            version = _find(ModelRepository(session), wanted)
            served = self._served.get(version.id) or _served(version)
        with self._lock:
            if len(self._known) > _MOST:
                self._known.clear()
                self._served.clear()
            self._served[version.id] = served
            until = time.monotonic() + self._fresh_seconds
            self._known[wanted] = (until, served)
        return served


def _find(models: ModelRepository, wanted: Wanted) -> Version:
    if wanted.version is not None:
        return models.version(wanted.model, wanted.version)
    if wanted.alias is not None:
        return models.aliased(wanted.model, wanted.alias)
    return models.newest(wanted.model)


def _served(version: Version) -> Served:
    onnx = version.artifact("model.onnx")
    if onnx is None:
        raise ArtifactNotFound("model.onnx")
    signature = Signature.model_validate(version.signature)
    return Served(
        model_name=version.model_name,
        number=version.number,
        signature=signature,
        columns=RawColumns(signature),
        file=ModelFile(version.id, onnx.key, onnx.sha256, onnx.num_bytes),
    )
