"""webhooks.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of webhooks."""
    op.create_table(
        "webhooks",
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("secret", sa.String(200), nullable=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(500), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name="pk_webhooks"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_webhooks_run_id_runs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_webhooks_status_due_at", "webhooks", ["status", "due_at"])


def downgrade() -> None:
    """Undo the migration."""
    op.drop_table("webhooks")
