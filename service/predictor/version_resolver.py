"""Which version a name means now, cached so that a request need not ask the database.

What a request names is looked up once. While a name is in use, a thread reads again which
version it means. A version is loaded before a name moves to it; a name never moves to a
version that cannot be loaded.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from core.database.sessions import Database
from core.errors import ArtifactNotFound, FitserveError, VersionNotFound
from core.models.repository import ModelRepository
from core.models.signature import Signature
from core.models.tables import Version
from core.refresh_ahead_cache import RefreshAheadCache
from service.predictor.columns import RawColumns
from service.predictor.sessions import ModelFile

log = logging.getLogger(__name__)

_MOST = 10_000
Targets = dict[tuple[str, str | int | None], str]
"""Ids of versions by model and alias; under None, the newest version."""
_MAX_VERSION = 2**31


@dataclass(frozen=True)
class ServedVersion:
    """A version with what the predictor needs; immutable."""

    workspace: str
    model_name: str
    number: int
    signature: Signature
    file: ModelFile
    most_rows: int

    @cached_property
    def columns(self) -> RawColumns:
        """Return the reader of its instances."""
        return RawColumns(self.signature, self.most_rows)


class ModelRef(NamedTuple):
    """What a request names: a version, an alias, or neither for the newest version."""

    workspace: str
    model: str
    version: int | None = None
    alias: str | None = None


class VersionResolver:
    """Finds versions by name, and keeps the names in use fresh.

    Args:
        database: where the models are.
        max_age: seconds for which the version of a name may be cached.
        warm: loads a version's file; raises if it cannot be served.
        most_rows: instances that one request may hold.

    """

    def __init__(
        self,
        database: Database,
        max_age: float,
        warm: Callable[[ModelFile], object],
        most_rows: int,
    ) -> None:
        self._most_rows = most_rows
        self._database = database
        self._warm = warm
        self._names = RefreshAheadCache[ModelRef, ServedVersion](
            "versions", max_age, self._reread, capacity=_MOST
        )
        self._served: dict[str, ServedVersion] = {}
        self._refused: set[str] = set()

    def peek(self, wanted: ModelRef) -> ServedVersion | None:
        """Return the version of a name if it is cached; never asks the database."""
        return self._names.peek(wanted)

    def get(self, wanted: ModelRef) -> ServedVersion:
        """Return the version of a name.

        If the name has moved to a version that cannot be loaded, this is the one before.
        Raises ModelNotFound, VersionNotFound, AliasNotFound, ArtifactDamaged.
        """
        served = self.peek(wanted)
        if served is not None:
            return served
        with self._database.read() as session:
            models = ModelRepository(session, wanted.workspace)
            found = self._as_served(_find(models, wanted))
        found = self._best(found, self._names.known(wanted))
        self._names.put(wanted, found)
        return found

    def refresh(self, *models: tuple[str, str]) -> None:
        """Read again which versions the names in use mean, or the names of `models`.

        A model is given as its workspace and its name.
        """
        self._names.refresh((lambda ref: ref[:2] in models) if models else None)

    def start(self) -> None:
        """Start the thread that keeps names fresh."""
        self._names.start()

    def stop(self) -> None:
        """Stop the thread."""
        self._names.stop()

    def _reread(
        self, known: Mapping[ModelRef, ServedVersion]
    ) -> dict[ModelRef, ServedVersion]:
        """Return the versions that the names mean now, without names that are gone."""
        by_workspace: dict[str, list[ModelRef]] = {}
        for wanted in known:
            by_workspace.setdefault(wanted.workspace, []).append(wanted)
        found: dict[ModelRef, ServedVersion] = {}
        with self._database.read() as session:
            for workspace, refs in by_workspace.items():
                found |= self._targets(ModelRepository(session, workspace), refs)
        return {ref: self._best(served, known[ref]) for ref, served in found.items()}

    def _targets(
        self, models: ModelRepository, refs: list[ModelRef]
    ) -> dict[ModelRef, ServedVersion]:
        names = {ref.model for ref in refs}
        numbers = {ref.version for ref in refs if ref.version}
        moving: Mapping[Any, str] = models.pointers(names)
        numbered: Mapping[Any, str] = models.numbered(names, numbers)
        ids: Targets = {**moving, **numbered}
        unknown = set(ids.values()) - self._served.keys()
        for version in models.versions_by_id(unknown):
            self._as_served(version)
        found = {}
        for ref in refs:
            target = ids.get((ref.model, ref.version or ref.alias), "")
            if served := self._served.get(target):
                found[ref] = served
        return found

    def _best(self, target: ServedVersion, known: ServedVersion | None) -> ServedVersion:
        """Return `target`, or the known version if `target` cannot be loaded."""
        if known is None or known is target or self._can_serve(target):
            return target
        return known

    def _can_serve(self, served: ServedVersion) -> bool:
        version_id = served.file.version_id
        try:
            self._warm(served.file)
        except FitserveError as error:
            if version_id not in self._refused:
                self._refused.add(version_id)
                told = (served.model_name, served.number, error.detail)
                log.error("version %s/%s cannot be served: %s", *told)  # noqa: TRY400
            return False
        self._refused.discard(version_id)
        return True

    def _as_served(self, version: Version) -> ServedVersion:
        if len(self._served) > _MOST:
            self._served.clear()
        return self._served.setdefault(version.id, _served(version, self._most_rows))


def _find(models: ModelRepository, wanted: ModelRef) -> Version:
    if wanted.version is not None:
        if not 0 < wanted.version < _MAX_VERSION:
            raise VersionNotFound(f"{wanted.model}/{wanted.version}")
        return models.version(wanted.model, wanted.version)
    if wanted.alias is not None:
        return models.aliased(wanted.model, wanted.alias)
    return models.newest(wanted.model)


def _served(version: Version, most_rows: int) -> ServedVersion:
    onnx = version.artifact("model.onnx")
    if onnx is None:
        raise ArtifactNotFound("model.onnx")
    return ServedVersion(
        workspace=version.workspace,
        model_name=version.model_name,
        number=version.number,
        signature=version.signature,
        file=ModelFile(version.id, onnx.key, onnx.sha256, onnx.num_bytes),
        most_rows=most_rows,
    )
