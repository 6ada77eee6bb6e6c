"""Migrations on both engines."""

import os
import subprocess
import sys

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from core.database.base import utc_now
from core.database.dialects import is_postgres
from core.database.migrate import alembic_config
from core.database.revisions import (
    current_revision,
    known_revisions,
    scripts_folder,
)
from core.database.sessions import Database
from core.database.tables import Base
from core.datasets.tables import Dataset
from core.models.cause import Cause
from core.models.repository import ModelRepository
from core.models.tables import Version
from core.runs.histories import uncompacted
from core.runs.repository import RunRepository
from core.runs.search import RunFilter
from core.runs.spec import RunPlan
from core.runs.tables import Epoch, Run
from core.webhooks.tables import Webhook
from fitserve.schemas.report import Headline, MainFigure
from fitserve.schemas.runs import LayerPlan
from tests.core.runs.rows import (
    add_dataset,
    add_run,
    read_run,
    resolved_spec,
    small_signature,
)
from tests.core.runs.test_histories import compact_one, trained

CAUSE = Cause("a test", "to test")


def test_the_migrations_make_the_tables_of_the_code(database_url):
    """`alembic check` finds no difference between head and the metadata."""
    command.check(alembic_config(database_url))


def test_revisions_are_read_as_alembic_reads_them(database):
    """The code reads revisions without alembic's library, and gets the same ones."""
    scripts = ScriptDirectory(str(scripts_folder())).walk_revisions()
    assert known_revisions() == tuple(script.revision for script in scripts)
    with database.engine.connect() as connection:
        assert current_revision(connection) == known_revisions()[0]


def test_an_unmigrated_database_has_no_revision(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    with database.engine.connect() as connection:
        assert current_revision(connection) is None
    database.close()


def test_every_constraint_has_a_name(database):
    """SQLite can change only constraints that have a name."""
    inspector = inspect(database.engine)
    for table in Base.metadata.tables:
        assert inspector.get_pk_constraint(table)["name"]
        assert all(key["name"] for key in inspector.get_foreign_keys(table))


def test_processes_that_migrate_at_once_do_not_collide(tmp_path):
    """Four processes migrate an empty database at the same time, and all succeed."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    command_line = [sys.executable, "-m", "core.database.migrate"]
    environment = {**os.environ, "FITSERVE_DATABASE_URL": url}
    processes = [subprocess.Popen(command_line, env=environment) for _ in range(4)]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    database = Database(url)
    assert "runs" in inspect(database.engine).get_table_names()
    database.close()


def test_rows_from_before_workspaces_are_in_default(database, database_url):
    """A downgrade and an upgrade keep a model, its version and its alias."""
    run_id = add_run(database)
    with database.write() as session:
        models = ModelRepository(session, "default")
        more = {
            "signature": small_signature(),
            "metrics": {},
            "layers": [],
            "is_whole": True,
        }
        models.add_version(Version(model_name="m", run_id=run_id, **more))
        models.point("m", "live", 1, CAUSE)
    config = alembic_config(database_url)
    database.close()
    command.downgrade(config, "0007")
    assert "workspace" not in {c["name"] for c in columns(database, "models")}
    database.close()
    command.upgrade(config, "head")
    with database.read() as session:
        models = ModelRepository(session, "default")
        assert models.aliased("m", "live").run_id == run_id
        assert models.serving("m").run_id == run_id
        assert models.get("m").follows_newest
        assert (
            RunRepository(session, "default").get(run_id).dataset.workspace == "default"
        )
    command.check(config)


def migrate_again(database, database_url, revision):
    """Migrate back to a revision, and to head again. Return Alembic's configuration."""
    config = alembic_config(database_url)
    for migrate, target in ((command.downgrade, revision), (command.upgrade, "head")):
        database.close()
        migrate(config, target)
    return config


def test_a_headline_of_before_becomes_the_main_figure(database, database_url):
    """Version and run get the metric and its value; the interval stays unknown."""
    metrics = {"r2": None, "mae": 0.25}
    headline = Headline(side="test", num_rows=200_000, metrics=metrics)
    ids = [add_run(database, status="succeeded") for _ in range(2)]
    more = {"signature": small_signature(), "metrics": {}, "layers": [], "is_whole": True}
    with database.write() as session:
        for run_id, given in zip(ids, (headline, None), strict=True):
            version = Version(model_name="m", run_id=run_id, headline=given, **more)
            ModelRepository(session, "default").add_version(version)
    migrate_again(database, database_url, "0016-1")
    with database.read() as session:
        models, runs = (
            kind(session, "default") for kind in (ModelRepository, RunRepository)
        )
        known, unknown = (
            [models.version("m", number).main_figure, runs.get(run_id).main_figure]
            for number, run_id in enumerate(ids, start=1)
        )
    facts = {"metric": "mae", "value": 0.25, "low": None, "high": None}
    expected = MainFigure(side="test", num_rows=100_000, **facts)
    assert known == [expected] * 2
    assert unknown == [None] * 2


def test_a_webhook_of_before_is_known_to_be_signed_while_it_has_its_secret(
    database, database_url
):
    """After the last attempt the secret is deleted, so that nothing is known."""
    secrets = {"waiting": "whsec_x", "delivered": None}
    ids = {status: add_run(database) for status in (*secrets, "unsigned")}
    with database.write() as session:
        for status, run_id in ids.items():
            own = {"status": status} if status in secrets else {}
            hook = Webhook(run_id=run_id, url="u", secret=secrets.get(status), **own)
            session.add(hook)
    config = migrate_again(database, database_url, "0016")
    with database.read() as session:
        known = {name: session.get_one(Webhook, key) for name, key in ids.items()}
        assert {name: hook.is_signed for name, hook in known.items()} == {
            "waiting": True,
            "delivered": None,
            "unsigned": False,
        }
        assert RunRepository(session, "default").get(ids["waiting"]).notes is None
    command.check(config)


def test_runs_of_before_have_the_columns_of_a_summary(database, database_url):
    """The values come from the spec and the plan."""
    fit = {"batch_size": 32, "epochs": 10, "seed": 1, "num_seeds": 3}
    layers = [LayerPlan(type="Dense", output_shape=[1], params=n) for n in (5, 2**40)]
    several = resolved_spec(fit=fit, preset="linear")
    ids = [
        add_run(database, spec=several, plan=RunPlan(layers=layers)),
        add_run(database),
    ]
    config = migrate_again(database, database_url, "0018")
    with database.read() as session:
        found = [RunRepository(session, "default").get(run_id) for run_id in ids]
    assert [(run.preset, run.num_seeds, run.num_params) for run in found] == [
        ("linear", 3, 2**40 + 5),
        (None, 1, 0),
    ]
    command.check(config)


def test_histories_become_epoch_rows_and_are_not_compacted_at_once(
    database, database_url
):
    """A downgrade writes the rows again; after the next upgrade they wait for a day."""
    ids = [trained(database) for _ in range(3)]

    def epochs():
        with database.read() as session:
            runs = RunRepository(session, "default")
            return [[(e.epoch, e.fit, e.metrics) for e in runs.epochs(i)] for i in ids]

    before = epochs()
    for run_id in ids:
        compact_one(database, run_id)
    config = migrate_again(database, database_url, "0021")
    assert epochs() == before
    with database.read() as session:
        assert uncompacted(session, 1.0, 10) == []
        assert set(session.scalars(select(Epoch.run_id))) == set(ids)
    command.check(config)


ESCAPES = r"\u0000 \ud800 \udc00\ud800 \ud83d\ude00 \\u0000 \\ud8"
"""Valid JSON of earlier releases; PostgreSQL stores it, but cannot read all of it."""


def test_rows_that_postgresql_cannot_index_or_read_are_migrated(database, database_url):
    """The texts of tags change, and a long target is found."""
    target = "".join(chr(0x10000 + 7919 * i % 0xF0000) for i in range(1000))
    layers = [LayerPlan(type="Dense", output_shape=[1], params=5)]
    first, second = (
        add_run(database, target=target, plan=RunPlan(layers=layers)) for _ in range(2)
    )
    config = alembic_config(database_url)
    database.close()
    command.downgrade(config, "0018")
    plan = f'{{"layers": [{{"params": 5}}], "excluded": {{"x": "{ESCAPES}"}}}}'
    given = {
        "spec": f'{{"preset": "linear", "fit": {{"num_seeds": 2}}, "x": "{ESCAPES}"}}',
        "tags": f'{{"a": "{ESCAPES}"}}',
    }
    with database.write() as session:
        kind = "JSON" if is_postgres(session) else "TEXT"
        names = ("spec", "plan", "tags")
        values = ", ".join(f"{name} = CAST(:{name} AS {kind})" for name in names)
        changed = text(f"UPDATE runs SET {values} WHERE id = :id")
        for run_id, one in ((first, plan), (second, '{"layers": null}')):
            session.execute(changed, {**given, "plan": one, "id": run_id})
    database.close()
    command.upgrade(config, "head")
    tags = {"a": "\ufffd \ufffd \ufffd\ufffd \U0001f600 \\u0000 \\ud8"}
    with database.read() as session:
        columns = Run.id, Run.preset, Run.num_seeds, Run.num_params, Run.tags
        found = session.execute(select(*columns).order_by(Run.id)).all()
        assert found == [(first, "linear", 2, 5, tags), (second, "linear", 2, 0, tags)]
        chosen = RunFilter(target=target, tags=tags)
        summaries = RunRepository(session, "default").summaries(None, 9, chosen)
        assert {run.id for run in summaries} == {first, second}
    command.check(config)


def test_tags_of_earlier_releases_can_be_copied(database):
    """A restore may copy rows of SQLite to PostgreSQL, which has an index of tags."""
    run_id = add_run(database, tags={"a\x00": "\ud800b"})
    assert read_run(database, run_id).tags == {"a\ufffd": "\ufffdb"}


def test_uploads_from_before_versions_are_numbered(database, database_url):
    """The uploads of each name are its versions, by id; deleted ones count too."""
    ids = [add_dataset(database, name).id for name in ("a", "b", "a", "a")]
    with database.write() as session:
        session.get_one(Dataset, ids[2]).deleted_at = utc_now()
    config = alembic_config(database_url)
    database.close()
    command.downgrade(config, "0013")
    assert "version" not in {c["name"] for c in columns(database, "datasets")}
    database.close()
    command.upgrade(config, "head")
    with database.read() as session:
        found = [session.get_one(Dataset, number) for number in ids]
        by_name = {"a": [], "b": []}
        for dataset in sorted(found, key=lambda one: one.id):
            by_name[dataset.name].append(dataset.version)
        assert by_name == {"a": [1, 2, 3], "b": [1]}
        assert all(dataset.blocks == [dataset] for dataset in found)
    command.check(config)


def columns(database, table):
    return inspect(database.engine).get_columns(table)
