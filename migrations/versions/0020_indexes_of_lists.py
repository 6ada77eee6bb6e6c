"""indexes of lists and of the janitor.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_COLUMNS = {
    "runs": (
        ["workspace", "target", "id"],
        ["dataset_id", "id"],
        ["validation_dataset_id", "id"],
    ),
    "datasets": (["status", "id"],),
}


def upgrade() -> None:
    """Add the indexes. Only PostgreSQL can index tags, which are JSON."""
    for table, indexes in _COLUMNS.items():
        for columns in indexes:
            op.create_index(_name(table, columns), table, columns)
    if op.get_bind().dialect.name == "postgresql":
        tags = sa.text("CAST(tags AS jsonb) jsonb_path_ops")
        op.create_index("ix_runs_tags", "runs", [tags], postgresql_using="gin")


def downgrade() -> None:
    """Remove the indexes."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_runs_tags", "runs")
    for table, indexes in _COLUMNS.items():
        for columns in indexes:
            op.drop_index(_name(table, columns), table)


def _name(table: str, columns: list[str]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
