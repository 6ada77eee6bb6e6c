"""workspaces.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OWNED = ("datasets", "runs", "models", "versions", "aliases")
_TO_MODELS = ("versions", "aliases")


def upgrade() -> None:
    """Add workspaces; existing rows belong to `default`."""
    for name in _OWNED:
        with op.batch_alter_table(name) as table:
            column = sa.Column(
                "workspace", sa.String(100), nullable=False, server_default="default"
            )
            table.add_column(column)
    for name in _TO_MODELS:
        with op.batch_alter_table(name) as table:
            table.drop_constraint(f"fk_{name}_model_name_models", type_="foreignkey")
    _rekey("models", ["workspace", "name"])
    _rekey("aliases", ["workspace", "model_name", "name"])
    with op.batch_alter_table("versions") as table:
        table.drop_constraint("uq_versions_model_name_number", type_="unique")
        table.create_unique_constraint(
            "uq_versions_workspace_model_name_number",
            ["workspace", "model_name", "number"],
        )
    for name in _TO_MODELS:
        with op.batch_alter_table(name) as table:
            table.create_foreign_key(
                f"fk_{name}_workspace_model_name_models",
                "models",
                ["workspace", "model_name"],
                ["workspace", "name"],
            )
    with op.batch_alter_table("datasets") as table:
        table.drop_index("ix_datasets_name_id")
        table.create_index("ix_datasets_workspace_id", ["workspace", "id"])
        table.create_index("ix_datasets_workspace_name_id", ["workspace", "name", "id"])
    with op.batch_alter_table("runs") as table:
        table.drop_index("ix_runs_model_name_id")
        table.create_index("ix_runs_workspace_id", ["workspace", "id"])
        table.create_index(
            "ix_runs_workspace_model_name_id", ["workspace", "model_name", "id"]
        )
    for name in _OWNED:  # later inserts without a workspace must fail
        with op.batch_alter_table(name) as table:
            table.alter_column("workspace", server_default=None)
    op.execute("UPDATE idempotency_keys SET owner = 'default' WHERE owner = ''")


def downgrade() -> None:
    """Undo the migration; fails if two workspaces have a model of the same name."""
    op.execute("UPDATE idempotency_keys SET owner = '' WHERE owner = 'default'")
    with op.batch_alter_table("runs") as table:
        table.drop_index("ix_runs_workspace_id")
        table.drop_index("ix_runs_workspace_model_name_id")
        table.create_index("ix_runs_model_name_id", ["model_name", "id"])
    with op.batch_alter_table("datasets") as table:
        table.drop_index("ix_datasets_workspace_id")
        table.drop_index("ix_datasets_workspace_name_id")
        table.create_index("ix_datasets_name_id", ["name", "id"])
    for name in _TO_MODELS:
        with op.batch_alter_table(name) as table:
            table.drop_constraint(
                f"fk_{name}_workspace_model_name_models", type_="foreignkey"
            )
    with op.batch_alter_table("versions") as table:
        table.drop_constraint("uq_versions_workspace_model_name_number", type_="unique")
        table.create_unique_constraint(
            "uq_versions_model_name_number", ["model_name", "number"]
        )
    _rekey("aliases", ["model_name", "name"])
    _rekey("models", ["name"])
    for name in _TO_MODELS:
        with op.batch_alter_table(name) as table:
            table.create_foreign_key(
                f"fk_{name}_model_name_models", "models", ["model_name"], ["name"]
            )
    for name in _OWNED:
        with op.batch_alter_table(name) as table:
            table.drop_column("workspace")


def _rekey(name: str, columns: list[str]) -> None:
    with op.batch_alter_table(name) as table:
        table.drop_constraint(f"pk_{name}", type_="primary")
        table.create_primary_key(f"pk_{name}", columns)
