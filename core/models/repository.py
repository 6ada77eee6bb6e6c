"""Every query about models, versions, artifacts and aliases."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.inserts import insert_into
from core.errors import AliasNotFound, ModelNotFound, VersionNotFound
from core.models.tables import Alias, Artifact, Model, Version
from core.runs.tables import Run


class ModelRepository:
    """Finds and stores models and what belongs to them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, name: str) -> Model:
        """The model of that name; ModelNotFound names near ones."""
        model = self.session.get(Model, name)
        if model is None:
            known = self.session.scalars(select(Model.name).limit(1000))
            raise ModelNotFound(name, list(known))
        return model

    def page(self, after: str | None, limit: int) -> list[Model]:
        """Models by name, from behind `after`."""
        query = select(Model).order_by(Model.name).limit(limit)
        if after is not None:
            query = query.where(Model.name > after)
        return list(self.session.scalars(query))

    def versions(
        self, name: str, below: int | None = None, limit: int | None = None
    ) -> list[Version]:
        """Versions of a model, newest first."""
        query = select(Version).where(Version.model_name == name)
        if below is not None:
            query = query.where(Version.number < below)
        query = query.order_by(Version.number.desc()).limit(limit)
        return list(self.session.scalars(query))

    def version(self, name: str, number: int) -> Version:
        """One version; ModelNotFound or VersionNotFound."""
        self.get(name)
        found = self.session.scalars(
            select(Version).where(Version.model_name == name, Version.number == number)
        ).first()
        if found is None:
            numbers = [str(version.number) for version in self.versions(name, limit=20)]
            raise VersionNotFound(f"{name}/{number}", numbers)
        return found

    def newest(self, name: str) -> Version:
        """The version that serves when none is named: whole ones come first."""
        self.get(name)
        query = select(Version).where(Version.model_name == name)
        query = query.order_by(Version.is_whole.desc(), Version.number.desc())
        return self.session.scalars(query.limit(1)).one()

    def pointers(self, names: Collection[str]) -> dict[tuple[str, str | None], str]:
        """Version ids by model and alias; under None, the version `newest` gives."""
        order = (Version.is_whole.desc(), Version.number.desc())
        place = func.row_number().over(partition_by=Version.model_name, order_by=order)
        ranked = (
            select(Version.model_name, Version.id, place.label("place"))
            .where(Version.model_name.in_(names))
            .subquery()
        )
        newest = select(ranked.c.model_name, ranked.c.id).where(ranked.c.place == 1)
        aliased = select(Alias.model_name, Alias.name, Alias.version_id).where(
            Alias.model_name.in_(names)
        )
        found: dict[tuple[str, str | None], str] = {
            (model, None): version for model, version in self.session.execute(newest)
        }
        for model, alias, version in self.session.execute(aliased):
            found[model, alias] = version
        return found

    def all_numbers(self, limit: int) -> list[tuple[str, int]]:
        """Model and number of every version, in order."""
        query = select(Version.model_name, Version.number)
        query = query.order_by(Version.model_name, Version.number).limit(limit)
        return [(name, number) for name, number in self.session.execute(query)]

    def versions_by_id(self, ids: Collection[str]) -> Sequence[Version]:
        """The versions with these ids."""
        if not ids:
            return []
        return self.session.scalars(select(Version).where(Version.id.in_(ids))).all()

    def aliases(self, name: str) -> Sequence[Alias]:
        """The aliases of a model, by name."""
        query = select(Alias).where(Alias.model_name == name).order_by(Alias.name)
        return self.session.scalars(query).all()

    def aliased(self, name: str, alias: str) -> Version:
        """The version an alias points at; ModelNotFound or AliasNotFound."""
        self.get(name)
        found = self.session.get(Alias, (name, alias))
        if found is None:
            raise AliasNotFound(alias, [a.name for a in self.aliases(name)])
        return found.version

    def set_alias(self, name: str, alias: str, number: int) -> Version:
        """Point an alias at a version, making it if it is new."""
        self.lock(name)
        version = self.version(name, number)
        self.session.merge(Alias(model_name=name, name=alias, version_id=version.id))
        return version

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; ModelNotFound or AliasNotFound."""
        self.aliased(name, alias)
        self.session.delete(self.session.get_one(Alias, (name, alias)))

    def add_version(self, version: Version) -> None:
        """Store a version under the next number of its model, made if it is new."""
        name = version.model_name
        self._ensure(name)
        self.lock(name)
        version.number = self._last_number(name) + 1
        self.session.add(version)
        self.session.flush()

    def lock(self, name: str) -> None:
        """One writer a model at a time: no number twice, no alias to what is deleted."""
        query = select(Model.name).where(Model.name == name).with_for_update()
        self.session.execute(query)

    def delete(self, version: Version) -> None:
        """Delete a version, and the model if it was the last."""
        self.session.expunge(version)
        for table, key in ((Artifact, Artifact.version_id), (Version, Version.id)):
            self.session.execute(delete(table).where(key == version.id))
        name = version.model_name
        left = select(Version.id).where(Version.model_name == name).exists()
        self.session.execute(delete(Model).where(Model.name == name, ~left))

    def existing(self, ids: Collection[str]) -> set[str]:
        """Those of the version ids that there are."""
        return set(self.session.scalars(select(Version.id).where(Version.id.in_(ids))))

    def _last_number(self, name: str) -> int:
        """The highest number that was given, also to a version that was deleted."""
        of_versions = select(func.max(Version.number)).where(Version.model_name == name)
        of_runs = select(func.max(Run.model_version)).where(Run.model_name == name)
        given = (self.session.scalar(query) for query in (of_versions, of_runs))
        return max(number or 0 for number in given)

    def _ensure(self, name: str) -> None:
        values = {"name": name, "created_at": utc_now()}
        insert = insert_into(self.session, Model).values(values)
        self.session.execute(insert.on_conflict_do_nothing())
