"""indexes of lists and of the janitor.

Revision ID: 0020
Revises: 0019
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_COLUMNS = {
    "runs": (["dataset_id", "id"], ["validation_dataset_id", "id"]),
    "datasets": (["status", "id"],),
}
_TARGET = "ix_runs_workspace_target_id"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters of tags of earlier releases that the index of tags refuses."""


def upgrade() -> None:
    """Add the indexes. Only PostgreSQL can index tags, which are JSON."""
    for table, indexes in _COLUMNS.items():
        for columns in indexes:
            op.create_index(_name(table, columns), table, columns)
    is_postgres = op.get_bind().dialect.name == "postgresql"
    # an index row of PostgreSQL has at most 2,704 bytes, and a target up to 4,000
    target = sa.text("substr(target, 1, 200)") if is_postgres else "target"
    op.create_index(_TARGET, "runs", ["workspace", target, "id"])
    _replace_unstorable()
    if is_postgres:
        tags = sa.text("CAST(tags AS jsonb) jsonb_path_ops")
        op.create_index("ix_runs_tags", "runs", [tags], postgresql_using="gin")


def downgrade() -> None:
    """Remove the indexes."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_runs_tags", "runs")
    op.drop_index(_TARGET, "runs")
    for table, indexes in _COLUMNS.items():
        for columns in indexes:
            op.drop_index(_name(table, columns), table)


def _replace_unstorable() -> None:
    """Replace U+0000 and half surrogates in tags by U+FFFD."""
    runs = sa.table("runs", sa.column("id"), sa.column("tags", sa.JSON))
    written = sa.cast(runs.c.tags, sa.Text)
    escaped = (written.contains(start, autoescape=True) for start in ("\\u0000", "\\ud"))
    found = op.get_bind().execute(sa.select(runs).where(sa.or_(*escaped))).all()
    for run_id, tags in found:
        texts = {_storable(name): _storable(text) for name, text in tags.items()}
        op.execute(sa.update(runs).where(runs.c.id == run_id).values(tags=texts))


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _name(table: str, columns: list[str]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
