"""Which version a name means now, known to an API process without asking the database.

What a request names is looked up once. What can move (aliases, the newest version) is
read again by a thread while it is asked for; a version is loaded before the name moves to
it, and one that cannot be loaded is never moved to.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from core.database.sessions import Database
from core.errors import ArtifactNotFound, FitserveError, VersionNotFound
from core.models.repository import ModelRepository
from core.models.signature import Signature
from core.models.tables import Version
from core.threads import let_end
from service.predictor.columns import RawColumns
from service.predictor.sessions import ModelFile

log = logging.getLogger(__name__)

_MOST = 10_000
Targets = dict[tuple[str, str | int | None], str]
"""Ids of versions by model and alias; under None, the newest."""
_MAX_VERSION = 2**31


@dataclass(frozen=True)
class ServedVersion:
    """A version as the predictor needs it; immutable."""

    workspace: str
    model_name: str
    number: int
    signature: Signature
    file: ModelFile
    most_rows: int

    @cached_property
    def columns(self) -> RawColumns:
        """The reader of its instances."""
        return RawColumns(self.signature, self.most_rows)


class ModelRef(NamedTuple):
    """What a request names: a version, an alias, or neither for the newest."""

    workspace: str
    model: str
    version: int | None = None
    alias: str | None = None


class _Known:
    """A version that a name meant when it was last read."""

    __slots__ = ("is_used", "served", "until")

    def __init__(self, served: ServedVersion, until: float) -> None:
        self.served = served
        self.until = until
        self.is_used = False


class VersionResolver:
    """Looks versions up, and keeps what can move fresh.

    Args:
        database: where models are.
        max_age: seconds that what is known of a name may be old.
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
        self._max_age = max_age
        self._warm = warm
        self._known: dict[ModelRef, _Known] = {}
        self._served: dict[str, ServedVersion] = {}
        self._refused: set[str] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="versions", daemon=True)

    def peek(self, wanted: ModelRef) -> ServedVersion | None:
        """The version if it is known and fresh; never asks the database."""
        known = self._known.get(wanted)
        if known is None or time.monotonic() >= known.until:
            return None
        known.is_used = True
        return known.served

    def get(self, wanted: ModelRef) -> ServedVersion:
        """The version; ModelNotFound, VersionNotFound, AliasNotFound, ArtifactDamaged.

        Where the version that a name has moved to cannot be loaded, the one before it.
        """
        served = self.peek(wanted)
        if served is not None:
            return served
        with self._database.read() as session:
            found = self._as_served(
                _find(ModelRepository(session, wanted.workspace), wanted)
            )
        return self._move(wanted, found)

    def start(self) -> None:
        """Begin to keep what moves fresh."""
        self._thread.start()

    def stop(self) -> None:
        """Refresh no more; a look at work may end first."""
        self._stopped.set()
        let_end(self._thread)

    def refresh(self, *models: tuple[str, str]) -> None:
        """Read anew where the names that are in use point, or those of `models`.

        A model is given as its workspace and its name.
        """
        by_workspace: dict[str, list[ModelRef]] = {}
        for wanted in self._in_use(models):
            by_workspace.setdefault(wanted.workspace, []).append(wanted)
        if not by_workspace:
            return
        with self._database.read() as session:
            found = {
                workspace: self._targets(ModelRepository(session, workspace), moving)
                for workspace, moving in by_workspace.items()
            }
        for workspace, moving in by_workspace.items():
            for wanted in moving:
                self._follow(wanted, found[workspace])

    def _targets(self, models: ModelRepository, moving: list[ModelRef]) -> Targets:
        names = {wanted.model for wanted in moving}
        numbers = {wanted.version for wanted in moving if wanted.version}
        moved: Mapping[Any, str] = models.pointers(names)
        numbered: Mapping[Any, str] = models.numbered(names, numbers)
        targets: Targets = {**moved, **numbered}
        unknown = set(targets.values()) - self._served.keys()
        for version in models.versions_by_id(unknown):
            self._as_served(version)
        return targets

    def _follow(self, wanted: ModelRef, targets: Targets) -> None:
        which = wanted.version or wanted.alias
        target = self._served.get(targets.get((wanted.model, which), ""))
        if target is None:
            self._known.pop(wanted, None)  # the next request is told what is missing
        else:
            self._move(wanted, target)

    def _run(self) -> None:
        while not self._stopped.wait(self._max_age / 2):
            try:
                self.refresh()
            except SQLAlchemyError:
                # names cannot move while the database is away: what is known holds
                log.warning("the database is out of reach; serving what is known")
                self._extend()
            except Exception:
                log.exception("names could not be read anew")

    def _in_use(self, models: tuple[tuple[str, str], ...]) -> list[ModelRef]:
        """What was asked for since the last time: a name may move, a version go."""
        with self._lock:
            found = [
                wanted
                for wanted, known in self._known.items()
                if (wanted[:2] in models if models else known.is_used)
            ]
            for wanted in found:
                self._known[wanted].is_used = False
        return found

    def _move(self, wanted: ModelRef, target: ServedVersion) -> ServedVersion:
        """Let a name mean `target`, unless what it meant serves and `target` cannot."""
        known = self._known.get(wanted)
        if known and known.served is not target and not self._can_serve(target):
            target = known.served
        with self._lock:
            self._keep(wanted, target)
        return target

    def _can_serve(self, served: ServedVersion) -> bool:
        try:
            self._warm(served.file)
        except FitserveError as error:
            if served.file.version_id not in self._refused:
                self._refused.add(served.file.version_id)
                told = (served.model_name, served.number, error.detail)
                log.error("version %s/%s cannot be served: %s", *told)  # noqa: TRY400
            return False
        self._refused.discard(served.file.version_id)
        return True

    def _as_served(self, version: Version) -> ServedVersion:
        with self._lock:
            served = self._served.get(version.id)
            if served is None:
                served = self._served[version.id] = _served(version, self._most_rows)
            return served

    def _keep(self, wanted: ModelRef, served: ServedVersion) -> None:
        if len(self._known) > _MOST:
            self._known.clear()
            self._served.clear()
        self._known[wanted] = _Known(served, time.monotonic() + self._max_age)

    def _extend(self) -> None:
        now = time.monotonic()
        for known in list(self._known.values()):
            if known.until > now - self._max_age:
                known.until = max(known.until, now + self._max_age)


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
