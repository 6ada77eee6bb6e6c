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
    """Add the fit of an epoch; existing epochs belong to the only fit of a run."""
    with op.batch_alter_table("epochs") as table:
        table.add_column(
            sa.Column("fit", sa.Integer(), server_default="1", nullable=False)
        )


def downgrade() -> None:
    """Undo the migration."""
    with op.batch_alter_table("epochs") as table:
        table.drop_column("fit")
