"""Resolve model names to versions, with a cache, so that requests need no database query.

A name is looked up once. While it is in use, a thread re-reads its version. A version is
loaded before a name moves to it; a name never moves to a version that cannot be loaded.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from core.database.sessions import Database, after_commit
from core.errors import FitserveError, VersionNotFound
from core.models.network import ModelFile
from core.models.repository import ModelRepository
from core.models.signature import Signature
from core.models.tables import Version
from core.refresh_ahead_cache import RefreshAheadCache
from service.predictor.instance_reader import InstanceReader

log = logging.getLogger(__name__)

_CAPACITY = 10_000
Targets = dict[tuple[str, str | int | None], str]
"""Ids of versions by model and alias or number; None is the serving version."""
_MAX_VERSION = 2**31


@dataclass(frozen=True)
class ServedVersion:
    """A version with the data that the predictor needs; immutable."""

    workspace: str
    model_name: str
    number: int
    signature: Signature
    file: ModelFile
    most_rows: int

    @cached_property
    def reader(self) -> InstanceReader:
        """Return the reader of the version's instances."""
        return InstanceReader(self.signature, self.most_rows)


class ModelRef(NamedTuple):
    """A model with a version or an alias, or with neither for the serving version."""

    workspace: str
    model: str
    version: int | None = None
    alias: str | None = None


class VersionResolver:
    """Find versions by name, and keep the names in use fresh.

    Args:
        database: the database with the models.
        max_age: seconds for which the version of a name may be cached.
        warm: loads a version's file; raises FitserveError if that fails.
        most_rows: the largest number of instances in one request.

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
            "versions", max_age, self._reread, capacity=_CAPACITY
        )
        self._served: dict[str, ServedVersion] = {}
        self._refused: set[str] = set()

    def peek(self, ref: ModelRef) -> ServedVersion | None:
        """Return the version of a name if it is cached; never query the database."""
        return self._names.peek(ref)

    def get(self, ref: ModelRef) -> ServedVersion:
        """Return the version of a name.

        If the name has moved to a version that cannot be loaded, return the previous one.
        Raises ModelNotFound, VersionNotFound, AliasNotFound, ArtifactDamaged.
        """
        served = self.peek(ref)
        if served is not None:
            return served
        with self._database.read() as session:
            models = ModelRepository(session, ref.workspace)
            found = self._as_served(_find(models, ref))
        found = self._loadable(found, self._names.peek_stale(ref))
        self._names.put(ref, found)
        return found

    def refresh(self, *models: tuple[str, str]) -> None:
        """Re-read the versions of the names in use, or of all names of `models`.

        Each model is a pair of its workspace and its name.
        """
        self._names.refresh((lambda ref: ref[:2] in models) if models else None)

    def refresh_after_commit(self, session: Session, workspace: str, model: str) -> None:
        """Re-read the names of a model when the transaction has changed it."""
        after_commit(session, partial(self.refresh, (workspace, model)))

    def start(self) -> None:
        """Start the thread that keeps names fresh."""
        self._names.start()

    def stop(self) -> None:
        self._names.stop()

    def _reread(
        self, known: Mapping[ModelRef, ServedVersion]
    ) -> dict[ModelRef, ServedVersion]:
        """Return the current versions of the names that still exist."""
        by_workspace: dict[str, list[ModelRef]] = {}
        for ref in known:
            by_workspace.setdefault(ref.workspace, []).append(ref)
        found: dict[ModelRef, ServedVersion] = {}
        with self._database.read() as session:
            for workspace, refs in by_workspace.items():
                found |= self._targets(ModelRepository(session, workspace), refs)
        return {ref: self._loadable(served, known[ref]) for ref, served in found.items()}

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

    def _loadable(
        self, target: ServedVersion, known: ServedVersion | None
    ) -> ServedVersion:
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
                facts = (served.model_name, served.number, error.detail)
                log.error("version %s/%s cannot be served: %s", *facts)  # noqa: TRY400
            return False
        self._refused.discard(version_id)
        return True

    def _as_served(self, version: Version) -> ServedVersion:
        if len(self._served) > _CAPACITY:
            self._served.clear()
        return self._served.setdefault(version.id, _served(version, self._most_rows))


def _find(models: ModelRepository, ref: ModelRef) -> Version:
    if ref.version is not None:
        if not 0 < ref.version < _MAX_VERSION:
            raise VersionNotFound(f"{ref.model}/{ref.version}")
        return models.version(ref.model, ref.version)
    if ref.alias is not None:
        return models.aliased(ref.model, ref.alias)
    return models.serving(ref.model)


def _served(version: Version, most_rows: int) -> ServedVersion:
    return ServedVersion(
        workspace=version.workspace,
        model_name=version.model_name,
        number=version.number,
        signature=version.signature,
        file=ModelFile.of(version),
        most_rows=most_rows,
    )
