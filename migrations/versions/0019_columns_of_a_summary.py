"""columns of a summary of a run.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_COLUMNS = (
    sa.Column("preset", sa.String(40), nullable=True),
    sa.Column("num_seeds", sa.Integer(), server_default="1", nullable=False),
    sa.Column("num_params", sa.BigInteger(), server_default="0", nullable=False),
)
_FILL = {
    "sqlite": """
        UPDATE runs SET
            preset = json_extract(spec, '$.preset'),
            num_seeds = coalesce(json_extract(spec, '$.fit.num_seeds'), 1),
            num_params = (
                SELECT coalesce(sum(json_extract(layer.value, '$.params')), 0)
                FROM json_each(runs.plan, '$.layers') AS layer
            )
    """,
    # PostgreSQL stores escapes of U+0000 and of half surrogates, but cannot read them
    "postgresql": r"""
        UPDATE runs SET
            preset = readable.spec ->> 'preset',
            num_seeds = coalesce((readable.spec -> 'fit' ->> 'num_seeds')::integer, 1),
            num_params = (
                SELECT coalesce(sum((layer ->> 'params')::bigint), 0)
                FROM json_array_elements(
                    CASE json_typeof(readable.plan -> 'layers')
                    WHEN 'array' THEN readable.plan -> 'layers' ELSE '[]' END
                ) AS layer
            )
        FROM (
            SELECT
                id,
                regexp_replace(
                    spec::text, '\\u(0000|d[89a-f][0-9a-f][0-9a-f])', '\\ufffd', 'gi'
                )::json AS spec,
                regexp_replace(
                    plan::text, '\\u(0000|d[89a-f][0-9a-f][0-9a-f])', '\\ufffd', 'gi'
                )::json AS plan
            FROM runs
        ) AS readable
        WHERE readable.id = runs.id
    """,
}


def upgrade() -> None:
    """Add the columns, and fill them from the specs and the plans of existing runs."""
    with op.batch_alter_table("runs") as table:
        for column in _COLUMNS:
            table.add_column(column)
    op.execute(_FILL[op.get_bind().dialect.name])


def downgrade() -> None:
    """Remove the columns."""
    with op.batch_alter_table("runs") as table:
        for column in _COLUMNS:
            table.drop_column(column.name)
