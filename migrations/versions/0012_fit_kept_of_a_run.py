"""fit kept of a run.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Fit kept of a run: none of those so far had several."""
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("kept_fit", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("runs") as table:
        table.drop_column("kept_fit")
