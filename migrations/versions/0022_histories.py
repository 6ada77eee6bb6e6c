"""histories of ended runs, one row each, and the time of this migration.

Revision ID: 0022
Revises: 0021
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_AT_A_TIME = 100
_HISTORIES = sa.table("histories", sa.column("run_id"), sa.column("content", sa.JSON))
_EPOCHS = sa.table(
    "epochs",
    *map(sa.column, ("run_id", "epoch", "seconds", "fit")),
    sa.column("metrics", sa.JSON),
)


def upgrade() -> None:
    """Add the tables. Janitors compact the histories of earlier runs little by little.

    They begin some time after this migration, because API processes of the release
    before, which do not read the new table, may run beside new ones.
    """
    op.create_table(
        "histories",
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id"),
    )
    times = op.create_table(
        "migration_times",
        sa.Column("revision", sa.String(40), nullable=False),
        sa.Column("migrated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revision"),
    )
    op.bulk_insert(times, [{"revision": revision, "migrated_at": datetime.now(UTC)}])


def downgrade() -> None:
    """Write the epochs of all histories as rows again, and remove the tables."""
    connection = op.get_bind()
    for page in _pages(connection):
        for run_id, content in page:
            connection.execute(sa.insert(_EPOCHS), _rows(run_id, content))
    op.drop_table("histories")
    op.drop_table("migration_times")


def _pages(connection: sa.Connection) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Yield the run ids and contents of all histories, some at a time."""
    query = sa.select(_HISTORIES).order_by(_HISTORIES.c.run_id).limit(_AT_A_TIME)
    last = ""
    while page := connection.execute(query.where(_HISTORIES.c.run_id > last)).all():
        yield [(row[0], row[1]) for row in page]
        last = page[-1][0]


def _rows(run_id: str, content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the epoch rows of a history."""
    names = content["metrics"]
    columns = zip(content["epoch"], content["fit"], content["seconds"], strict=True)
    return [
        {
            "run_id": run_id,
            "epoch": epoch,
            "fit": fit,
            "seconds": seconds,
            "metrics": {name: names[name][i] for name in names},
        }
        for i, (epoch, fit, seconds) in enumerate(columns)
    ]
