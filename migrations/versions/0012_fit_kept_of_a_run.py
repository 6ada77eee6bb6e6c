"""kept fit of a run.

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
    """Add the kept fit of a run; it is null for existing runs, which had one fit."""
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("kept_fit", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Undo the migration."""
    with op.batch_alter_table("runs") as table:
        table.drop_column("kept_fit")
