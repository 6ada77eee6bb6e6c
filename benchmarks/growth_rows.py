"""Generate many runs in a database: copies of one resolved run, made by bulk SQL.

The last 200 runs wait or are being trained; the others ended within a year. A run has 20
epochs, as one row if it ended, and a version with four artifacts if it succeeded. There
are 1,000 models, and a dataset for each 500 runs.
"""

import json
import random

from sqlalchemy import Connection, Table, text
from starlette.testclient import TestClient

from core.database.migrate import upgrade
from core.database.sessions import Database
from core.datasets.tables import Dataset
from core.models.signature import Feature, NumericEncoder, Signature
from core.runs.tables import Run
from core.settings import Settings
from fitserve.enums import ColumnType, Task
from service.app import create_app

COLUMNS, ROWS, EPOCHS = 30, 400, 20
_BATCH = 10_000
_MODELS, _RUNS_PER_DATASET, _UNENDED = 1_000, 500, 200
_YEAR_SECONDS = 365.0 * 86_400
_NAME = "growth"
_NUMBERS = """
    WITH RECURSIVE numbers(i) AS (
        SELECT CAST(:first AS INTEGER) UNION ALL SELECT i + 1 FROM numbers WHERE i < :last
    )
"""
_ENDED = f"i <= :runs - {_UNENDED}"
_HAS_VERSION = f"{_ENDED} AND i % 100 < 90"
_MODEL = f"'model_' || (i % {_MODELS})"
_FIGURES = {
    "figure_metric": "'r2'",
    "figure_value": "0.8 + (i % 997) / 9970.0",
    "figure_low": "0.7 + (i % 997) / 9970.0",
    "figure_high": "0.85 + (i % 997) / 9970.0",
    "figure_side": "'test'",
    "figure_rows": "80",
    "baseline_name": "'gradient_boosting'",
    "baseline_value": "0.75 + (i % 991) / 9910.0",
}
_METRICS = {"loss": 0.123456, "val_loss": 0.23456, "mae": 0.2, "val_mae": 0.3}
_TIME = {
    "sqlite": r"strftime('%Y-%m-%d %H\:%M\:%f', 'now', '-1 years', "
    "'+' || ({moment} * {year} / :runs) || ' seconds') || '000'",
    "postgresql": "now() - interval '1 year' "
    "+ {moment} * {year} / :runs * interval '1 second'",
}


def _id(kind: str, number: str) -> str:
    return f"'{kind}_' || CAST(10000000000 + {number} AS TEXT) || '0000000000'"


_RUN, _VERSION = _id("run", "i"), _id("version", "i")


def history() -> dict[str, object]:
    """Return the content of a compacted history: 20 epochs with four metrics each."""
    epochs = range(1, EPOCHS + 1)
    return {
        "epoch": list(epochs),
        "fit": [1] * EPOCHS,
        "seconds": [round(0.1234567 * epoch, 6) for epoch in epochs],
        "metrics": {
            n: [value / epoch for epoch in epochs] for n, value in _METRICS.items()
        },
    }


def fill(settings: Settings, runs: int) -> int:
    """Migrate the database and add what is missing of `runs` runs. Return the number.

    Runs of an earlier, smaller number keep their times, which fill the year, and the last
    200 of them still wait or are being trained.
    """
    upgrade(settings.resolved_database_url)
    database = Database(settings.resolved_database_url)
    _add_template(settings, database)
    rows = _Rows(database, runs)
    for first in range(rows.count() + 1, runs + 1, _BATCH):
        last = min(first + _BATCH - 1, runs)
        with database.write() as session:
            rows.add(session.connection(), first, last)
        print(f"{last:,} runs", flush=True)
    with database.engine.connect() as connection:
        analyze = connection.execution_options(isolation_level="AUTOCOMMIT")
        is_postgres = connection.dialect.name == "postgresql"
        analyze.execute(text("VACUUM ANALYZE" if is_postgres else "ANALYZE"))
    database.close()
    return runs


def _add_template(settings: Settings, database: Database) -> None:
    """Upload a table of 30 columns, and queue a run of the default spec on it."""
    with database.read() as session:
        if session.query(Run).filter(Run.model_name == _NAME).first():
            return
    numbers = random.Random(1)  # noqa: S311  no secret
    names = [f"measurement_{i}" for i in range(COLUMNS)]
    lines = [[f"{numbers.gauss(0, 1):.4f}" for _ in names] for _ in range(ROWS)]
    table = "\n".join(",".join(line) for line in [names, *lines])
    spec = {"dataset": _NAME, "target": names[-1], "model_name": _NAME}
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        params = {"name": _NAME}
        client.post("/v1/datasets", params=params, content=table).raise_for_status()
        run = client.post("/v1/runs", json=spec).raise_for_status().json()
        client.post(f"/v1/runs/{run['id']}/cancel").raise_for_status()


class _Rows:
    """The statements that add runs, and everything that belongs to them.

    Args:
        database: a database with the template.
        runs: the number of runs that the database will have.

    """

    def __init__(self, database: Database, runs: int) -> None:
        self._database = database
        self._dialect = database.engine.dialect.name
        with database.read() as session:
            found = session.query(Run).filter(Run.model_name == _NAME).first()
        assert found is not None  # noqa: S101  it was added before
        layers = [layer.model_dump(mode="json") for layer in found.plan.layers]
        signature = _signature(list(found.plan.features)).model_dump(mode="json")
        self._values = {
            "runs": runs,
            "template": found.id,
            "dataset": found.dataset_id,
            "layers": json.dumps(layers),
            "signature": json.dumps(signature),
            "metrics": json.dumps(_METRICS),
            "history": json.dumps(history()),
        }

    def count(self) -> int:
        """Return how many runs the database has, without the template."""
        with self._database.read() as session:
            return session.query(Run).filter(Run.model_name != _NAME).count()

    def add(self, connection: Connection, first: int, last: int) -> None:
        """Add the runs from one number to another, counted from 1."""
        bounds = {"first": first, "last": last, **self._values}
        statements = (
            self._datasets(),
            self._runs(),
            self._epochs(),
            self._histories(),
            self._models(),
            self._versions(),
            self._artifacts(),
            self._serve(),
        )
        for statement in statements:
            connection.execute(text(statement), bounds)

    def _datasets(self) -> str:
        changes = {
            "id": _id("dataset", f"(i - 1) / {_RUNS_PER_DATASET}"),
            "name": f"'table_' || ((i - 1) / {_RUNS_PER_DATASET})",
            "lineage_id": "NULL",
        }
        where = f"i % {_RUNS_PER_DATASET} = 1 AND source.id = :dataset"
        return _copies(Dataset.__table__, changes, where)  # type: ignore[arg-type]

    def _runs(self) -> str:
        status = f"""
            CASE WHEN i > :runs - 20 THEN 'running' WHEN NOT ({_ENDED}) THEN 'queued'
                 WHEN i % 100 < 90 THEN 'succeeded' WHEN i % 100 < 95 THEN 'failed'
                 ELSE 'cancelled' END
        """
        number = f"CASE WHEN {_HAS_VERSION} THEN i / {_MODELS} + 1 END"
        changes = {
            "id": _RUN,
            "status": status,
            "model_name": _MODEL,
            "model_version": number,
            "dataset_id": _id("dataset", f"(i - 1) / {_RUNS_PER_DATASET}"),
            "target": "'target_' || (i % 100)",
            "tags": self._json("'{\"team\": \"team_' || (i % 200) || '\"}'"),
            "notes": "CASE WHEN i % 1000 = 7 THEN 'note ' || i END",
            "attempt": "1",
            "lease_until": "CASE WHEN i > :runs - 20 THEN 9999999999999 END",
            "sent_at": "9999999999999",
            "epoch": str(EPOCHS),
            "epochs": str(EPOCHS),
            "fit_seconds": "i % 60",
            "metrics": self._json(":metrics"),
            "created_at": self._time("i"),
            "started_at": self._time("i"),
            "ended_at": f"CASE WHEN {_ENDED} THEN {self._time('i + 0.5')} END",
            **{
                name: f"CASE WHEN {_HAS_VERSION} THEN {value} END"
                for name, value in _FIGURES.items()
            },
        }
        return _copies(Run.__table__, changes, "source.id = :template")  # type: ignore[arg-type]

    def _epochs(self) -> str:
        metrics = self._json(
            "'{\"loss\": ' || (1.0 / e) || ', \"val_loss\": ' || (1.1 / e) || '}'"
        )
        return f"""
            {_NUMBERS}, steps(e) AS (
                SELECT 1 UNION ALL SELECT e + 1 FROM steps WHERE e < {EPOCHS}
            )
            INSERT INTO epochs (run_id, epoch, metrics, seconds, fit)
            SELECT {_RUN}, e, {metrics}, e, 1 FROM numbers, steps WHERE NOT ({_ENDED})
        """

    def _histories(self) -> str:
        return f"""
            {_NUMBERS}
            INSERT INTO histories (run_id, content)
            SELECT {_RUN}, {self._json(":history")} FROM numbers WHERE {_ENDED}
        """

    def _models(self) -> str:
        return f"""
            {_NUMBERS}
            INSERT INTO models (workspace, name, created_at)
            SELECT 'default', {_MODEL}, {self._time("i")} FROM numbers
            WHERE i <= {_MODELS}
        """

    def _versions(self) -> str:
        values = {
            "id": _VERSION,
            "workspace": "'default'",
            "model_name": _MODEL,
            "number": f"i / {_MODELS} + 1",
            "run_id": _RUN,
            "signature": self._json(":signature"),
            "metrics": self._json(":metrics"),
            "layers": self._json(":layers"),
            "is_whole": "true",
            "created_at": self._time("i + 0.5"),
            **_FIGURES,
        }
        return f"""
            {_NUMBERS} INSERT INTO versions ({", ".join(values)})
            SELECT {", ".join(values.values())} FROM numbers WHERE {_HAS_VERSION}
        """

    def _artifacts(self) -> str:
        names = "model.keras", "model.onnx", "weights.npz", "report.json"
        files = " UNION ALL ".join(f"SELECT '{name}' AS name" for name in names)
        return f"""
            {_NUMBERS}
            INSERT INTO artifacts (version_id, name, key, sha256, num_bytes)
            SELECT {_VERSION}, files.name, {_RUN} || '/' || files.name, '00', 10000
            FROM numbers, ({files}) AS files WHERE {_HAS_VERSION}
        """

    def _serve(self) -> str:
        """Return the statement that lets the newest version of each model serve."""
        return """
            UPDATE models SET serving_version_id = (
                SELECT id FROM versions
                WHERE versions.workspace = models.workspace AND model_name = models.name
                ORDER BY number DESC LIMIT 1
            )
        """

    def _json(self, expression: str) -> str:
        is_postgres = self._dialect == "postgresql"
        return f"CAST({expression} AS JSON)" if is_postgres else expression

    def _time(self, moment: str) -> str:
        return _TIME[self._dialect].format(moment=f"({moment})", year=_YEAR_SECONDS)


def _copies(table: Table, changes: dict[str, str], where: str) -> str:
    """Return the statement that copies a row for each number, with other values."""
    values = [changes.get(c.name, f"source.{c.name}") for c in table.columns]
    return f"""
        {_NUMBERS}
        INSERT INTO {table.name} ({", ".join(c.name for c in table.columns)})
        SELECT {", ".join(values)} FROM numbers, {table.name} AS source WHERE {where}
    """


def _signature(features: list[str]) -> Signature:
    encoder = NumericEncoder(center=0.0, scale=1.0, fill=0.0)
    return Signature(
        model_name=_NAME,
        task=Task.REGRESSION,
        target="target",
        classes=None,
        features=[
            Feature(name=name, type=ColumnType.NUMERIC, encoder=encoder)
            for name in features
        ],
        ignored=[],
    )
