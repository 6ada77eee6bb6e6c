"""Every query about models, versions, artifacts and aliases."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.database.base import utc_now
from core.database.inserts import insert_into
from core.errors import AliasMoved, AliasNotFound, ModelNotFound, VersionNotFound
from core.models.tables import Alias, Artifact, Model, Version


class ModelRepository:
    """Finds and stores models and what belongs to them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, name: str) -> Model:
        """The model of that name; ModelNotFound names near ones."""
        model = self._session.get(Model, name)
        if model is None:
            known = self._session.scalars(select(Model.name).limit(1000))
            raise ModelNotFound(name, list(known))
        return model

    def page(self, after: str | None, limit: int) -> list[Model]:
        """Models by name, from behind `after`."""
        query = select(Model).order_by(Model.name).limit(limit)
        if after is not None:
            query = query.where(Model.name > after)
        return list(self._session.scalars(query))

    def versions(
        self, name: str, below: int | None = None, limit: int | None = None
    ) -> list[Version]:
        """Versions of a model, newest first."""
        query = select(Version).where(Version.model_name == name)
        if below is not None:
            query = query.where(Version.number < below)
        query = query.order_by(Version.number.desc()).limit(limit)
        return list(self._session.scalars(query))

    def version(self, name: str, number: int) -> Version:
        """One version; ModelNotFound or VersionNotFound."""
        self.get(name)
        found = self._session.scalars(
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
        return self._session.scalars(query.limit(1)).one()

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
            (model, None): version for model, version in self._session.execute(newest)
        }
        for model, alias, version in self._session.execute(aliased):
            found[model, alias] = version
        return found

    def all_numbers(self, limit: int) -> list[tuple[str, int]]:
        """Model and number of every version, in order."""
        query = select(Version.model_name, Version.number)
        query = query.order_by(Version.model_name, Version.number).limit(limit)
        return [(name, number) for name, number in self._session.execute(query)]

    def versions_by_id(self, ids: Collection[str]) -> Sequence[Version]:
        """The versions with these ids."""
        if not ids:
            return []
        return self._session.scalars(select(Version).where(Version.id.in_(ids))).all()

    def aliases(self, name: str) -> Sequence[Alias]:
        """The aliases of a model, by name."""
        query = select(Alias).where(Alias.model_name == name).order_by(Alias.name)
        return self._session.scalars(query).all()

    def aliased(self, name: str, alias: str) -> Version:
        """The version an alias points at; ModelNotFound or AliasNotFound."""
        self.get(name)
        found = self._session.get(Alias, (name, alias))
        if found is None:
            raise AliasNotFound(alias, [a.name for a in self.aliases(name)])
        return found.version

    def set_alias(self, name: str, alias: str, number: int) -> Version:
        """Point an alias at a version, making it if it is new."""
        version = self.version(name, number)
        self._session.merge(Alias(model_name=name, name=alias, version_id=version.id))
        return version

    def refuse_moved(self, name: str, alias: str, version_id: str | None) -> None:
        """Raise AliasMoved unless the alias points there; None is that it is new."""
        found = self._session.get(Alias, (name, alias), with_for_update=True)
        if (found.version_id if found is not None else None) != version_id:
            raise AliasMoved(
                f"The alias {alias!r} was moved while this version was compared with the "
                "one it pointed at; ask again."
            )

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; ModelNotFound or AliasNotFound."""
        self.aliased(name, alias)
        self._session.delete(self._session.get_one(Alias, (name, alias)))

    def add_version(self, version: Version) -> None:
        """Store a version under the next number of its model, made if it is new."""
        name = version.model_name
        self._ensure(name)
        # one writer a model at a time, so that numbers have no gap and no twin
        self._session.execute(select(Model).where(Model.name == name).with_for_update())
        newest = self._session.scalar(
            select(func.max(Version.number)).where(Version.model_name == name)
        )
        version.number = (newest or 0) + 1
        self._session.add(version)
        self._session.flush()

    def add_artifact(self, artifact: Artifact) -> None:
        """Store one more file of a version; its name must be new there."""
        self._session.add(artifact)
        self._session.flush()

    def _ensure(self, name: str) -> None:
        values = {"name": name, "created_at": utc_now()}
        insert = insert_into(self._session, Model).values(values)
        self._session.execute(insert.on_conflict_do_nothing())
