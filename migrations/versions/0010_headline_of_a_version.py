"""headline of a version.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the headline of a version."""
    with op.batch_alter_table("versions") as table:
        table.add_column(sa.Column("headline", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Undo the migration."""
    with op.batch_alter_table("versions") as table:
        table.drop_column("headline")
