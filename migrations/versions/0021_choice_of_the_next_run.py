"""priority, tags and size of runs, tags of workers, turns of workspaces.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. An earlier run counts as small, so that every worker takes it."""
    with op.batch_alter_table("runs") as table:
        table.add_column(
            sa.Column("priority", sa.Integer(), server_default="0", nullable=False)
        )
        table.add_column(
            sa.Column("worker_tags", sa.String(200), server_default="", nullable=False)
        )
        table.add_column(
            sa.Column("is_small", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        table.add_column(sa.Column("gave_way_at", sa.BigInteger()))
    with op.batch_alter_table("workers") as table:
        table.add_column(
            sa.Column("tags", sa.String(200), server_default="", nullable=False)
        )
    op.create_table(
        "workspace_turns",
        sa.Column("workspace", sa.String(100), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace"),
    )


def downgrade() -> None:
    """Undo the migration."""
    op.drop_table("workspace_turns")
    with op.batch_alter_table("workers") as table:
        table.drop_column("tags")
    with op.batch_alter_table("runs") as table:
        for name in ("gave_way_at", "is_small", "worker_tags", "priority"):
            table.drop_column(name)
