"""notes of runs, signatures and retries of webhooks.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. A webhook without a secret is unsigned if it was never sent."""
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("notes", sa.Text(), nullable=True))
    with op.batch_alter_table("webhooks") as table:
        table.add_column(sa.Column("is_signed", sa.Boolean(), nullable=True))
        table.add_column(
            sa.Column("attempts_before", sa.Integer(), server_default="0", nullable=False)
        )
    hooks = sa.table("webhooks", *map(sa.column, ("is_signed", "secret", "status")))
    is_known = sa.or_(hooks.c.secret.is_not(None), hooks.c.status == "waiting")
    has_secret = hooks.c.secret.is_not(None)
    op.execute(sa.update(hooks).where(is_known).values(is_signed=has_secret))


def downgrade() -> None:
    """Undo the migration."""
    with op.batch_alter_table("webhooks") as table:
        table.drop_column("attempts_before")
        table.drop_column("is_signed")
    with op.batch_alter_table("runs") as table:
        table.drop_column("notes")
