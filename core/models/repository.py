"""Query models, versions, artifacts, aliases and their changes."""

from collections.abc import Collection, Sequence
from typing import TypeVarTuple

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.inserts import insert_into
from core.errors import AliasMoved, AliasNotFound, ModelNotFound, VersionNotFound
from core.models.cause import Cause
from core.models.tables import Alias, Artifact, Model, ModelChange, Version
from core.models.undoable import can_be_undone
from core.runs.main_figure import baseline_columns
from core.runs.tables import Run
from fitserve.schemas.report import BestBaseline

Found = TypeVarTuple("Found")


class ModelRepository:
    """The models, versions and aliases of one workspace.

    Where an alias may be None, None stands for the serving version.
    """

    def __init__(self, session: Session, workspace: str) -> None:
        self._session = session
        self._workspace = workspace

    def get(self, name: str) -> Model:
        """Return the model with that name; raise ModelNotFound with similar names."""
        model = self._session.get(Model, (self._workspace, name))
        if model is None:
            known = self._session.scalars(
                self._mine(select(Model.name), Model).limit(1000)
            )
            raise ModelNotFound(name, list(known))
        return model

    def page(self, after: str | None, limit: int) -> list[Model]:
        """Return the models whose names come after `after`, by name."""
        query = self._mine(select(Model), Model).order_by(Model.name).limit(limit)
        if after is not None:
            query = query.where(Model.name > after)
        return list(self._session.scalars(query))

    def versions(
        self, name: str, below: int | None = None, limit: int | None = None
    ) -> list[Version]:
        """Return the versions of a model, newest first."""
        query = self._mine(select(Version), Version).where(Version.model_name == name)
        if below is not None:
            query = query.where(Version.number < below)
        query = query.order_by(Version.number.desc()).limit(limit)
        return list(self._session.scalars(query))

    def version(self, name: str, number: int) -> Version:
        """Return one version; raise ModelNotFound or VersionNotFound."""
        self.get(name)
        found = self._session.scalars(
            self._mine(select(Version), Version).where(
                Version.model_name == name, Version.number == number
            )
        ).first()
        if found is None:
            numbers = [str(version.number) for version in self.versions(name, limit=20)]
            raise VersionNotFound(f"{name}/{number}", numbers)
        return found

    def serving(self, name: str) -> Version:
        """Return the version for requests that name neither a version nor an alias.

        Raises ModelNotFound.
        """
        found = self.pointed(name, None)
        if found is None:  # the model was deleted between the two queries
            raise ModelNotFound(name)
        return found

    def pointed(self, name: str, alias: str | None) -> Version | None:
        """Return the version that an alias points at; None if there is no such alias."""
        version_id = self.pointed_id(name, alias)
        return None if version_id is None else self._session.get(Version, version_id)

    def pointed_id(self, name: str, alias: str | None) -> str | None:
        """Return the id of the version that an alias points at, if any."""
        serving_id = self.get(name).serving_version_id
        if alias is None:
            return serving_id
        found = self._session.get(Alias, (self._workspace, name, alias))
        return found.version_id if found is not None else None

    def pointers(self, names: Collection[str]) -> dict[tuple[str, str | None], str]:
        """Return version ids by model and alias, and the serving ones."""
        serving = self._mine(select(Model.name, Model.serving_version_id), Model)
        aliased = self._mine(
            select(Alias.model_name, Alias.name, Alias.version_id), Alias
        ).where(Alias.model_name.in_(names))
        found: dict[tuple[str, str | None], str] = {
            (name, None): version_id
            for name, version_id in self._session.execute(
                serving.where(Model.name.in_(names))
            )
            if version_id is not None
        }
        for model, alias, version in self._session.execute(aliased):
            found[model, alias] = version
        return found

    def numbered(
        self, names: Collection[str], numbers: Collection[int]
    ) -> dict[tuple[str, int], str]:
        """Return the ids of the versions that exist, by model and number."""
        query = self._mine(
            select(Version.model_name, Version.number, Version.id), Version
        )
        query = query.where(Version.model_name.in_(names), Version.number.in_(numbers))
        return {(name, number): i for name, number, i in self._session.execute(query)}

    def by_number(self, name: str, numbers: Collection[int]) -> dict[int, Version]:
        """Return the versions of a model that have these numbers and exist."""
        if not numbers:
            return {}
        query = self._mine(select(Version), Version).where(
            Version.model_name == name, Version.number.in_(numbers)
        )
        return {version.number: version for version in self._session.scalars(query)}

    def served_before(self, versions: Collection[Version]) -> dict[str, int]:
        """Return the number of the serving version when each one was stored, by its id.

        Versions for which the history does not say so are left out. The serving version
        may be deleted since.
        """
        last = (
            select(ModelChange.after)
            .where(
                ModelChange.workspace == Version.workspace,
                ModelChange.model_name == Version.model_name,
                ModelChange.alias.is_(None),
                ModelChange.created_at <= Version.created_at,
                ModelChange.after != Version.number,
            )
            .order_by(ModelChange.number.desc())
            .limit(1)
            .correlate(Version)
            .scalar_subquery()
        )
        ids = [version.id for version in versions]
        query = self._mine(select(Version.id, last), Version).where(Version.id.in_(ids))
        found = self._session.execute(query.where(last.is_not(None)))
        return {version_id: number for version_id, number in found if number is not None}

    def all_numbers(self, limit: int) -> list[tuple[str, int]]:
        """Return the name of the model and the number of every version, in order."""
        query = self._mine(select(Version.model_name, Version.number), Version)
        query = query.order_by(Version.model_name, Version.number).limit(limit)
        return [(name, number) for name, number in self._session.execute(query)]

    def versions_by_id(self, ids: Collection[str]) -> Sequence[Version]:
        """Return the versions with these ids."""
        if not ids:
            return []
        query = self._mine(select(Version), Version).where(Version.id.in_(ids))
        return self._session.scalars(query).all()

    def runs(self, versions: Collection[Version]) -> dict[str, Run]:
        """Return the runs that trained these versions, by id."""
        ids = [version.run_id for version in versions]
        query = self._mine(select(Run), Run).where(Run.id.in_(ids))
        return {run.id: run for run in self._session.scalars(query)}

    def aliases(self, name: str) -> Sequence[Alias]:
        """Return the aliases of a model, by name."""
        query = self._mine(select(Alias), Alias).where(Alias.model_name == name)
        return self._session.scalars(query.order_by(Alias.name)).all()

    def aliased(self, name: str, alias: str) -> Version:
        """Return the version of an alias; raise ModelNotFound or AliasNotFound."""
        self.get(name)
        found = self._session.get(Alias, (self._workspace, name, alias))
        if found is None:
            raise AliasNotFound(alias, [a.name for a in self.aliases(name)])
        return found.version

    def point(self, name: str, alias: str | None, number: int, cause: Cause) -> Version:
        """Point an alias at a version, and record the change.

        An alias that does not exist is created. Raises ModelNotFound, VersionNotFound.
        """
        self.lock(name)
        version, before = self.version(name, number), self.pointed(name, alias)
        if before is version:
            return version
        if alias is None:
            self.get(name).serving_version_id = version.id
        else:
            key = {"workspace": self._workspace, "model_name": name, "name": alias}
            self._session.merge(Alias(**key, version_id=version.id))
        self._record(name, alias, before, version, cause)
        return version

    def delete_alias(self, name: str, alias: str, cause: Cause) -> None:
        """Delete an alias, and record the change.

        Raises ModelNotFound or AliasNotFound.
        """
        self.lock(name)
        before = self.aliased(name, alias)
        key = (Alias.workspace == self._workspace, Alias.model_name == name)
        self._session.execute(delete(Alias).where(*key, Alias.name == alias))
        self._record(name, alias, before, None, cause)

    def refuse_moved(self, name: str, alias: str | None, version_id: str | None) -> None:
        """Raise AliasMoved unless the alias points at `version_id` (None: no alias yet).

        A lock on the model keeps the alias unchanged until the transaction ends.
        """
        self.lock(name)
        if self.pointed_id(name, alias) != version_id:
            what = "The serving version" if alias is None else f"The alias {alias!r}"
            raise AliasMoved(
                f"{what} was moved while this version was compared with the "
                "version that it pointed to. Send the request again."
            )

    def changes(
        self,
        name: str,
        below: int | None = None,
        limit: int | None = None,
        alias: str | None = None,
    ) -> Sequence[ModelChange]:
        """Return the changes of a model, newest first.

        With an alias, return only its changes; None stands for all changes here.
        """
        query = self._changes(name).order_by(ModelChange.number.desc()).limit(limit)
        if below is not None:
            query = query.where(ModelChange.number < below)
        if alias is not None:
            query = query.where(ModelChange.alias == alias)
        return self._session.scalars(query).all()

    def last_change(self, name: str, alias: str | None) -> ModelChange | None:
        """Return the last change of an alias that an undo can take back.

        That is a change which was not undone, and which is not an undo itself.
        """
        query = self._changes(name).where(
            ModelChange.alias.is_not_distinct_from(alias), can_be_undone(ModelChange)
        )
        newest_first = query.order_by(ModelChange.number.desc())
        return self._session.scalars(newest_first.limit(1)).first()

    def _changes(self, name: str) -> Select[ModelChange]:
        query = self._mine(select(ModelChange), ModelChange)
        return query.where(ModelChange.model_name == name)

    def _record(
        self,
        name: str,
        alias: str | None,
        before: Version | None,
        after: Version | None,
        cause: Cause,
    ) -> None:
        last = self.changes(name, limit=1)
        change = ModelChange(
            workspace=self._workspace,
            model_name=name,
            number=last[0].number + 1 if last else 1,
            alias=alias,
            before=before.number if before is not None else None,
            after=after.number if after is not None else None,
            who=cause.who,
            why=cause.why,
            undoes=cause.undoes,
        )
        self._session.add(change)
        self._session.flush()

    def add_version(self, version: Version) -> None:
        """Store a version under its model's next number; create the model if needed.

        The first version of a model serves.
        """
        name, version.workspace = version.model_name, self._workspace
        while not self.lock(name):  # a new model may be deleted before it is locked
            self._ensure(name)
        version.number = self._last_number(name) + 1
        self._session.add(version)
        self._session.flush()
        if self.get(name).serving_version_id is None:
            cause = Cause.run(version.run_id, "first version")
            self.point(name, None, version.number, cause)

    def lock(self, name: str) -> bool:
        """Lock a model: one transaction at a time changes its versions and aliases.

        Return False if the model does not exist.
        """
        query = self._mine(select(Model), Model).where(Model.name == name)
        query = query.with_for_update().execution_options(populate_existing=True)
        return self._session.scalar(query) is not None

    def delete(self, version: Version) -> None:
        """Delete a version without aliases; with the last version, delete its model."""
        self._session.expunge(version)
        name, model = version.model_name, self.get(version.model_name)
        if model.serving_version_id == version.id:
            model.serving_version_id = None
            self._session.flush()
        for table, key in ((Artifact, Artifact.version_id), (Version, Version.id)):
            self._session.execute(delete(table).where(key == version.id))
        if not self.versions(name, limit=1):
            self._delete_model(name)

    def _delete_model(self, name: str) -> None:
        changes = (
            ModelChange.workspace == self._workspace,
            ModelChange.model_name == name,
        )
        self._session.execute(delete(ModelChange).where(*changes))
        mine = (Model.workspace == self._workspace, Model.name == name)
        self._session.execute(delete(Model).where(*mine))

    def _last_number(self, name: str) -> int:
        """Return the highest number of a version, including deleted versions."""
        given = (
            self._mine(select(func.max(Version.number)), Version).where(
                Version.model_name == name
            ),
            self._mine(select(func.max(Run.model_version)), Run).where(
                Run.model_name == name
            ),
        )
        return max(self._session.scalar(query) or 0 for query in given)

    def _ensure(self, name: str) -> None:
        values = {"workspace": self._workspace, "name": name, "created_at": utc_now()}
        insert = insert_into(self._session, Model).values(values)
        self._session.execute(insert.on_conflict_do_nothing())

    def stored_bytes(self) -> int:
        """Return the size of all artifacts in bytes."""
        query = self._mine(select(func.sum(Artifact.num_bytes)), Version).join(
            Version, Artifact.version_id == Version.id
        )
        return int(self._session.scalar(query) or 0)

    def _mine(
        self,
        query: Select[*Found],
        table: type[Model | Version | Alias | ModelChange | Run],
    ) -> Select[*Found]:
        return query.where(table.workspace == self._workspace)


def artifact_keys(session: Session, run_ids: Collection[str] | None = None) -> set[str]:
    """Return the keys of all stored files of these runs' versions, in any workspace.

    These are the artifacts and the splits. Without `run_ids`, return those of all runs.
    """
    chosen = () if run_ids is None else (Version.run_id.in_(run_ids),)
    files = select(Artifact.key).join(Version, Version.id == Artifact.version_id)
    splits = select(Run.split_key).join(Version, Version.run_id == Run.id)
    found: set[str] = set()
    for query in (files, splits.where(Run.split_key.is_not(None))):
        found.update(session.scalars(query.where(*chosen)))
    return found


def add_artifact(session: Session, artifact: Artifact) -> None:
    """Store a file of a version, which must not have a file of that name yet."""
    session.add(artifact)
    session.flush()


def record_baseline(session: Session, version_id: str, baseline: BestBaseline) -> None:
    """Record the best baseline of a version, and of the run that made the version."""
    values = baseline_columns(baseline)
    made = update(Version).where(Version.id == version_id).values(values)
    run_id = session.scalar(made.returning(Version.run_id))
    session.execute(update(Run).where(Run.id == run_id).values(values))
