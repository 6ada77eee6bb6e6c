"""fit of an epoch.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Fit of an epoch: every epoch so far is of a run's only one."""
    with op.batch_alter_table("epochs") as table:
        table.add_column(
            sa.Column("fit", sa.Integer(), server_default="1", nullable=False)
        )


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("epochs") as table:
        table.drop_column("fit")
