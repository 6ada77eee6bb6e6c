"""serving version of a model.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_KEY = "fk_models_serving_version_id_versions"
_NEWEST = """
    UPDATE models SET follows_newest = {true}, serving_version_id = (
        SELECT id FROM versions
        WHERE versions.workspace = models.workspace AND versions.model_name = models.name
        ORDER BY is_whole DESC, number DESC LIMIT 1
    )
"""


def upgrade() -> None:
    """Store which version serves; in existing models, it stays the newest one."""
    with op.batch_alter_table("models") as table:
        table.add_column(sa.Column("serving_version_id", sa.String(40), nullable=True))
        table.add_column(
            sa.Column(
                "follows_newest", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
        table.add_column(
            sa.Column(
                "promotion",
                sa.String(20),
                nullable=False,
                server_default="automatic",
            )
        )
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(_NEWEST.format(true="true" if is_postgresql else "1"))
    with op.batch_alter_table("models") as table:
        table.create_foreign_key(_KEY, "versions", ["serving_version_id"], ["id"])
    op.create_table(
        "model_changes",
        sa.Column("workspace", sa.String(100), nullable=False),
        sa.Column("model_name", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("alias", sa.String(100), nullable=True),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("who", sa.String(300), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace", "model_name"],
            ["models.workspace", "models.name"],
            name="fk_model_changes_workspace_model_name_models",
        ),
        sa.PrimaryKeyConstraint(
            "workspace", "model_name", "number", name="pk_model_changes"
        ),
    )


def downgrade() -> None:
    """Undo the migration."""
    op.drop_table("model_changes")
    with op.batch_alter_table("models") as table:
        table.drop_constraint(_KEY, type_="foreignkey")
    with op.batch_alter_table("models") as table:
        table.drop_column("promotion")
        table.drop_column("follows_newest")
        table.drop_column("serving_version_id")
