"""Read any number of models with four queries, without their signatures."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, Row, and_, func, select
from sqlalchemy.orm import Session

from core.database.dialects import is_postgres
from core.models.tables import Alias, Model, Version
from core.runs.main_figure import FIGURE_COLUMNS, main_figure_of
from fitserve.enums import Promotion
from fitserve.schemas.models import ModelRead

_MOST_VERSIONS = 1000
VersionSummary = Row[*tuple[Any, ...]]
"""The number, the headline and the main figure of a version."""


class ModelReads:
    """The models of one workspace as the API returns them."""

    def __init__(self, session: Session, workspace: str) -> None:
        self._session = session
        self._workspace = workspace

    def read(self, models: Sequence[Model]) -> list[ModelRead]:
        """Return the models without their contracts.

        A model that was deleted after it was read is left out.
        """
        names = [model.name for model in models]
        newest = self._newest(names)  # first, so that `versions` has `latest_version`
        numbers, aliases = self._numbers(names), self._aliases(names)
        ids = {*newest.values(), *(model.serving_version_id for model in models)}
        versions = self._version_summaries(ids)
        return [
            _model(
                model,
                numbers.get(model.name, []),
                aliases[model.name],
                serving=versions[model.serving_version_id],
                latest=versions[newest[model.name]],
            )
            for model in models
            if {newest.get(model.name), model.serving_version_id} <= versions.keys()
        ]

    def _numbers(self, names: Collection[str]) -> dict[str, list[int]]:
        """Return the numbers of the newest versions of each model."""
        gathered = func.json_agg if is_postgres(self._session) else func.json_group_array
        query = (
            select(Version.model_name, gathered(Version.number, type_=JSON))
            .where(self._in_workspace(Version), Version.model_name.in_(names))
            .group_by(Version.model_name)
        )
        return {
            name: sorted(found, reverse=True)[:_MOST_VERSIONS]
            for name, found in self._session.execute(query)
        }

    def _newest(self, names: Collection[str]) -> dict[str, str]:
        """Return the id of the newest version of each model.

        A version of a cancelled run is the newest only if all are of cancelled runs.
        """
        same = and_(
            Version.workspace == Model.workspace, Version.model_name == Model.name
        )
        found = select(Version.id).where(same).order_by(Version.number.desc()).limit(1)
        whole = found.where(Version.is_whole)
        either = func.coalesce(
            *(q.correlate(Model).scalar_subquery() for q in (whole, found))
        )
        query = select(Model.name, either).where(
            Model.workspace == self._workspace, Model.name.in_(names)
        )
        return {name: i for name, i in self._session.execute(query) if i is not None}

    def _version_summaries(
        self, ids: Collection[str | None]
    ) -> dict[str | None, VersionSummary]:
        columns = (getattr(Version, name) for name in FIGURE_COLUMNS)
        query = select(Version.id, Version.number, Version.headline, *columns)
        # without the workspace, because SQLite would choose the index that begins with it
        query = query.where(Version.id.in_(ids))
        return {row.id: row for row in self._session.execute(query)}

    def _aliases(self, names: Collection[str]) -> dict[str, dict[str, int]]:
        query = (
            select(Alias.model_name, Alias.name, Version.number)
            .join(Version, Version.id == Alias.version_id)
            .where(self._in_workspace(Alias), Alias.model_name.in_(names))
            .order_by(Alias.name)
        )
        found: dict[str, dict[str, int]] = {name: {} for name in names}
        for model, alias, number in self._session.execute(query):
            found[model][alias] = number
        return found

    def _in_workspace(self, table: type[Version] | type[Alias]) -> ColumnElement[bool]:
        return table.workspace == self._workspace


def _model(
    model: Model,
    numbers: list[int],
    aliases: dict[str, int],
    serving: VersionSummary,
    latest: VersionSummary,
) -> ModelRead:
    return ModelRead(
        name=model.name,
        serving_version=serving.number,
        latest_version=latest.number,
        versions=sorted({*numbers, latest.number}, reverse=True),
        aliases=aliases,
        promotion=Promotion(model.promotion),
        follows_newest=model.follows_newest,
        headline=latest.headline,
        main_figure=main_figure_of(serving),
        created_at=model.created_at,
    )
