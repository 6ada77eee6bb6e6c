"""histories of ended runs, one row each.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. Janitors fold the histories of earlier runs little by little."""
    op.create_table(
        "histories",
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id"),
    )


def downgrade() -> None:
    """Write the epochs of all histories as rows again, and remove the table."""
    connection = op.get_bind()
    histories = sa.table("histories", sa.column("run_id"), sa.column("content", sa.JSON))
    epochs = sa.table(
        "epochs",
        *map(sa.column, ("run_id", "epoch", "seconds", "fit")),
        sa.column("metrics", sa.JSON),
    )
    for run_id, content in connection.execute(sa.select(histories)).all():
        names = content["metrics"]
        columns = zip(content["epoch"], content["fit"], content["seconds"], strict=True)
        rows = [
            {
                "run_id": run_id,
                "epoch": epoch,
                "fit": fit,
                "seconds": seconds,
                "metrics": {name: names[name][i] for name in names},
            }
            for i, (epoch, fit, seconds) in enumerate(columns)
        ]
        connection.execute(sa.insert(epochs), rows)
    op.drop_table("histories")
