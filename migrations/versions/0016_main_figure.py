"""main figure of runs and versions.

Revision ID: 0016
Revises: 0015
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TABLES = ("runs", "versions")
_TYPES = {
    "figure_metric": sa.String(40),
    "figure_value": sa.Double(),
    "figure_low": sa.Double(),
    "figure_high": sa.Double(),
    "figure_side": sa.String(20),
    "figure_rows": sa.Integer(),
    "baseline_name": sa.String(40),
    "baseline_value": sa.Double(),
}
_MAIN = {
    "regression": ("r2", "mae"),
    "binary": ("roc_auc", "accuracy"),
    "multiclass": ("accuracy",),
}
_MOST_ROWS = 100_000  # a report scores a sample of this size if more rows are held out


def upgrade() -> None:
    """Add the columns, and fill them from the headlines of existing versions.

    The interval and the baseline of existing versions stay null.
    """
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            for column, kind in _TYPES.items():
                table.add_column(sa.Column(column, kind, nullable=True))
    _fill()


def downgrade() -> None:
    """Undo the migration."""
    for name in _TABLES:
        with op.batch_alter_table(name) as table:
            for column in _TYPES:
                table.drop_column(column)


def _fill() -> None:
    runs = _table("runs", "id", "task")
    versions = _table("versions", "id", "run_id", sa.column("headline", sa.JSON()))
    known = (
        sa.select(versions.c.id, runs.c.id, runs.c.task, versions.c.headline)
        .join(runs, runs.c.id == versions.c.run_id)
        .where(versions.c.headline.is_not(sa.null()))
    )
    connection = op.get_bind()
    for version_id, run_id, task, headline in connection.execute(known).all():
        values = _values(task, headline)
        if values is not None:
            for table, row in ((versions, version_id), (runs, run_id)):
                query = sa.update(table).where(table.c.id == row).values(values)
                connection.execute(query)


def _table(name: str, *columns: Any) -> sa.TableClause:
    """Return a table with these columns and those of the main figure."""
    named = [sa.column(c) if isinstance(c, str) else c for c in (*columns, *_TYPES)]
    return sa.table(name, *named)


def _values(task: str, headline: dict[str, Any]) -> dict[str, Any] | None:
    """Return the main figure of a headline; None if the headline has none."""
    metrics = headline["metrics"]
    name = next((n for n in _MAIN[task] if metrics.get(n) is not None), None)
    if name is None:
        return None
    return {
        "figure_metric": name,
        "figure_value": metrics[name],
        "figure_side": headline["side"],
        "figure_rows": min(headline["num_rows"], _MOST_ROWS),
    }
