"""hashes and lineages of datasets, splits of runs.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add lineages, hashes and splits; stored datasets get a lineage when needed."""
    op.create_table(
        "lineages",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("workspace", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lineages")),
        sa.UniqueConstraint(
            "workspace", "name", "number", name=op.f("uq_lineages_workspace_name_number")
        ),
    )
    with op.batch_alter_table("datasets") as table:
        table.add_column(
            sa.Column("hash_key", sa.String(200), server_default="", nullable=False)
        )
        table.add_column(sa.Column("lineage_id", sa.String(40), nullable=True))
        table.create_foreign_key(
            op.f("fk_datasets_lineage_id_lineages"), "lineages", ["lineage_id"], ["id"]
        )
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("split_key", sa.String(200), nullable=True))


def downgrade() -> None:
    """Undo the migration."""
    with op.batch_alter_table("runs") as table:
        table.drop_column("split_key")
    with op.batch_alter_table("datasets") as table:
        table.drop_constraint(op.f("fk_datasets_lineage_id_lineages"), type_="foreignkey")
        table.drop_column("lineage_id")
        table.drop_column("hash_key")
    op.drop_table("lineages")
