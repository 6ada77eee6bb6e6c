"""trace of a run.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the trace of a run."""
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("traceparent", sa.String(60), nullable=True))


def downgrade() -> None:
    """Undo the migration."""
    with op.batch_alter_table("runs") as table:
        table.drop_column("traceparent")
