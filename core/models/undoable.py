"""Say which changes of an alias or of the serving version an undo can take back."""

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased

from core.models.tables import ModelChange


def can_be_undone(change: type[ModelChange]) -> ColumnElement[bool]:
    """Return the condition of a change that was not undone, and is not an undo itself.

    The last such change of an alias is the one that the next undo takes back.
    """
    undo = aliased(ModelChange)
    is_undone = exists().where(
        undo.workspace == change.workspace,
        undo.model_name == change.model_name,
        undo.undoes == change.number,
    )
    return and_(change.undoes.is_(None), ~is_undone)
