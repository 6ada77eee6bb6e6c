"""versions of datasets, and the blocks of rows that they share.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NUMBER = sa.text(
    "UPDATE datasets SET version = (SELECT count(*) FROM datasets AS other"
    " WHERE other.workspace = datasets.workspace AND other.name = datasets.name"
    " AND other.id <= datasets.id)"
)
"""The uploads of a name are its versions, in the order of their ids."""
_VERSION_INDEX = "ix_datasets_workspace_name_version"
_PARENT_KEY = "fk_datasets_parent_id_datasets"


def upgrade() -> None:
    """Add the numbers of versions, and the blocks of appends."""
    with op.batch_alter_table("datasets") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=True))
        table.add_column(sa.Column("parent_id", sa.String(40), nullable=True))
        table.add_column(
            sa.Column("file_options", sa.JSON(none_as_null=True), nullable=True)
        )
        table.add_column(sa.Column("num_added", sa.BigInteger(), nullable=True))
        table.create_foreign_key(_PARENT_KEY, "datasets", ["parent_id"], ["id"])
    op.execute(_NUMBER)
    with op.batch_alter_table("datasets") as table:
        table.alter_column("version", existing_type=sa.Integer(), nullable=False)
        table.create_index(_VERSION_INDEX, ["workspace", "name", "version"], unique=True)
    op.create_table(
        "dataset_blocks",
        sa.Column(
            "dataset_id",
            sa.String(40),
            sa.ForeignKey("datasets.id", name="fk_dataset_blocks_dataset_id_datasets"),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "block_id",
            sa.String(40),
            sa.ForeignKey("datasets.id", name="fk_dataset_blocks_block_id_datasets"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("dataset_id", "number", name="pk_dataset_blocks"),
    )
    op.create_index("ix_dataset_blocks_block_id", "dataset_blocks", ["block_id"])


def downgrade() -> None:
    """Undo the migration."""
    op.drop_table("dataset_blocks")
    with op.batch_alter_table("datasets") as table:
        table.drop_index(_VERSION_INDEX)
        table.drop_constraint(_PARENT_KEY, type_="foreignkey")
        for name in ("num_added", "file_options", "parent_id", "version"):
            table.drop_column(name)
