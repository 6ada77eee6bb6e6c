"""Turn the filters of a list of runs into conditions of a query."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core.datasets.tables import Dataset
from core.runs.tables import Run
from fitserve.enums import RunStatus


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

    def conditions(self, session: Session) -> list[ColumnElement[bool]]:
        """Return the conditions of a query over runs."""
        equal = (
            (Run.status, self.status),
            (Run.model_name, self.model),
            (Run.target, self.target),
            *((Run.tags[name].as_string(), value) for name, value in self.tags.items()),
        )
        found = [column == value for column, value in equal if value is not None]
        if self.dataset is not None:
            found.append(_reads(self.dataset))
        return [*found, *(_contains(session, word) for word in self.words)]


ALL_RUNS = RunFilter()


def _reads(name: str) -> ColumnElement[bool]:
    """Return the condition that a run trains or validates on a version of the dataset."""
    same = Dataset.name == name, Dataset.workspace == Run.workspace
    versions = select(Dataset.id).where(*same).correlate(Run)
    return or_(Run.dataset_id.in_(versions), Run.validation_dataset_id.in_(versions))


def _contains(session: Session, word: str) -> ColumnElement[bool]:
    """Return whether a text of the run contains the word; `%` and `_` are plain text."""
    texts = (Run.id, Run.model_name, Run.target, Run.notes)
    own = [text.icontains(word, autoescape=True) for text in texts]
    named = Run.dataset.has(Dataset.name.icontains(word, autoescape=True))
    return or_(*own, named, _in_tags(session, word))


def _in_tags(session: Session, word: str) -> ColumnElement[bool]:
    """Return whether the name or the value of a tag contains the word."""
    is_postgres = session.get_bind().dialect.name == "postgresql"
    each = func.json_each_text if is_postgres else func.json_each
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
