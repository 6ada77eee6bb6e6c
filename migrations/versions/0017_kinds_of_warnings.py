"""kinds of the warnings about a dataset.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the kinds; existing datasets have none."""
    with op.batch_alter_table("datasets") as table:
        table.add_column(
            sa.Column(
                "warning_kinds",
                sa.JSON(none_as_null=True),
                nullable=False,
                server_default="[]",
            )
        )


def downgrade() -> None:
    """Remove the kinds."""
    with op.batch_alter_table("datasets") as table:
        table.drop_column("warning_kinds")
