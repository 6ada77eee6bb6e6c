"""Turn the filters of a list of runs into conditions of a query."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, cast, func, literal_column, or_, select, union
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.database.dialects import is_one_of, is_postgres
from core.datasets.tables import Dataset
from core.runs.tables import Run
from fitserve.enums import RunStatus

_INDEXED_CHARACTERS = 200
"""Characters of a target that PostgreSQL indexes: an index row has 2,704 bytes."""


@dataclass(frozen=True)
class RunFilter:
    """The filters of a list of runs. A run in the list matches each of them.

    Args:
        status: the status of the run.
        model: the name of the model that the run trains.
        target: the column that the run predicts.
        tags: tags of the run, with their values.
        dataset: the name of a dataset; the run trains or validates on a version of it.
        words: texts that all occur in the id, the names, the tags or the notes.

    """

    status: RunStatus | None = None
    model: str | None = None
    target: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    dataset: str | None = None

    def conditions(self, session: Session, workspace: str) -> list[ColumnElement[bool]]:
        """Return the conditions of a query over the runs of a workspace."""
        equal = (
            (Run.status, self.status),
            (Run.model_name, self.model),
            (Run.target, self.target),
        )
        found = [column == value for column, value in equal if value is not None]
        if self.target is not None:
            found.append(_starts_as(self.target))
        if self.tags:
            found.append(_has_tags(session, self.tags))
        if self.dataset is not None:
            found.append(_reads(session, workspace, self.dataset))
        return [*found, *(_contains(session, word) for word in self.words)]


ALL_RUNS = RunFilter()


def _starts_as(target: str) -> ColumnElement[bool]:
    """Return the condition that lets PostgreSQL use its index of targets."""
    count: ColumnElement[int] = literal_column(str(_INDEXED_CHARACTERS))
    start = func.substr(Run.target, literal_column("1"), count)
    return start == target[:_INDEXED_CHARACTERS]


def _reads(session: Session, workspace: str, name: str) -> ColumnElement[bool]:
    """Return the condition that a run trains or validates on a version of the dataset.

    The versions are read first, because PostgreSQL uses the indexes for known ids only.
    SQLite uses them only to look up the ids of runs: it does not know how rare a
    dataset is, and otherwise reads all runs of the workspace.
    """
    same = Dataset.name == name, Dataset.workspace == workspace
    ids = session.scalars(select(Dataset.id).where(*same)).all()
    columns = Run.dataset_id, Run.validation_dataset_id
    sides = [is_one_of(session, column, ids) for column in columns]
    if is_postgres(session):
        return or_(*sides)
    return Run.id.in_(union(*(select(Run.id).where(side) for side in sides)))


def _has_tags(session: Session, tags: dict[str, str]) -> ColumnElement[bool]:
    """Return the condition that a run has these tags; PostgreSQL has an index of it."""
    if is_postgres(session):
        return cast(Run.tags, JSONB).contains(tags)
    return and_(*(Run.tags[name].as_string() == value for name, value in tags.items()))


def _contains(session: Session, word: str) -> ColumnElement[bool]:
    """Return whether a text of the run contains the word; `%` and `_` are plain text."""
    texts = (Run.id, Run.model_name, Run.target, Run.notes)
    own = [text.icontains(word, autoescape=True) for text in texts]
    named = Run.dataset.has(Dataset.name.icontains(word, autoescape=True))
    return or_(*own, named, _in_tags(session, word))


def _in_tags(session: Session, word: str) -> ColumnElement[bool]:
    """Return whether the name or the value of a tag contains the word."""
    each = func.json_each_text if is_postgres(session) else func.json_each
    tags = each(Run.tags).table_valued("key", "value")
    return (
        select(1)
        .select_from(tags)
        .where(
            or_(
                tags.c.key.icontains(word, autoescape=True),
                tags.c.value.icontains(word, autoescape=True),
            )
        )
        .exists()
    )
