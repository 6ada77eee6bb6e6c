"""reading of datasets by a worker.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_EMPTY = sa.text("'{}'")


def upgrade() -> None:
    """Add the columns with which a worker reads datasets."""
    with op.batch_alter_table("datasets") as table:
        table.add_column(
            sa.Column("status", sa.String(20), server_default="ready", nullable=False)
        )
        table.add_column(
            sa.Column("progress", sa.Double(), server_default="1", nullable=False)
        )
        table.add_column(sa.Column("error", sa.JSON(), nullable=True))
        table.add_column(
            sa.Column("options", sa.JSON(), server_default=_EMPTY, nullable=False)
        )
        table.add_column(
            sa.Column("attempt", sa.Integer(), server_default="0", nullable=False)
        )
        table.add_column(sa.Column("lease_until", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("sent_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Undo the migration."""
    with op.batch_alter_table("datasets") as table:
        for name in (
            *("sent_at", "lease_until", "attempt", "options"),
            *("error", "progress", "status"),
        ):
            table.drop_column(name)
