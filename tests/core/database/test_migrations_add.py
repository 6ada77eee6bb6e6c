"""Test that processes of two successive releases can run on a migrated database."""

import ast

import pytest

from core.database.revisions import scripts_folder

LAST_FREE = "0014"
"""Migrations up to this one did not have to keep the rule."""
_REMOVE = {"drop_column", "drop_table", "rename_table", "alter_column"}


def new_migrations():
    scripts = sorted((scripts_folder() / "versions").glob("[0-9]*_*.py"))
    return [path for path in scripts if path.name[:4] > LAST_FREE]


def calls_of_upgrade(text):
    """Return name and keywords of each call in the function `upgrade`."""
    [upgrade] = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    for node in ast.walk(upgrade):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def is_required(column):
    """Return whether an INSERT that does not know the column would fail."""
    given = {word.arg: word.value for word in column.keywords}
    nullable = given.get("nullable", ast.Constant(True))
    is_null = isinstance(nullable, ast.Constant) and nullable.value is True
    return not is_null and "server_default" not in given


def faults(text):
    found = []
    for name, call in calls_of_upgrade(text):
        if name in _REMOVE:
            found.append(name)
        if name == "add_column":
            columns = [each for each in call.args if isinstance(each, ast.Call)]
            found += ["a required column" for each in columns if is_required(each)]
    return found


@pytest.mark.parametrize("path", new_migrations(), ids=lambda path: path.name[:4])
def test_a_migration_only_adds(path):
    """It runs before the processes of the release before have stopped."""
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('table.drop_column("a")', "drop_column"),
        ('table.alter_column("a", nullable=False)', "alter_column"),
        (
            'table.add_column(sa.Column("a", sa.Text(), nullable=False))',
            "a required column",
        ),
    ],
)
def test_a_migration_that_does_more_is_found(line, fault):
    assert faults(f"def upgrade():\n    {line}\n") == [fault]
