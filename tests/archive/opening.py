"""Open an archived home with the code of this checkout."""

import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, update
from starlette.testclient import TestClient

from core.database.migrate import upgrade
from core.database.sessions import Database
from core.models.tables import Model
from core.settings import ReportRules, Settings, WebhookRules
from ops.backup.rows import tables
from service.app import create_app
from tests.archive.essentials import bearing
from tests.conftest import QUICK, ServiceUnderTest
from tests.servers import postgres_at_head

ARCHIVES = sorted(Path(__file__).parent.glob("home-*.tar.xz"))


@dataclass
class OpenHome(ServiceUnderTest):
    """A service on an archived home; its client sends the key of the default workspace."""

    expected: dict[str, Any]

    def get(self, path: str, **given: Any) -> Any:
        """Return the response to a request that must succeed."""
        answer = self.client.get(path, **given)
        assert answer.status_code == 200, (path, answer.text)
        return answer


def unpack(archive: Path, home: Path) -> dict[str, Any]:
    """Unpack an archive; return its recorded answers."""
    home.mkdir()
    with tarfile.open(archive) as file:
        file.extractall(home, filter="data")
    expected: dict[str, Any] = json.loads((home / "expected.json").read_text("utf-8"))
    return expected


@contextmanager
def open_home(
    archive: Path, home: Path, broker_url: str, *, on_postgres: bool = False
) -> Iterator[OpenHome]:
    """Unpack an archive, migrate its database to head, and start the API on it."""
    expected = unpack(archive, home)
    url = f"sqlite:///{home / 'fitserve.db'}"
    upgrade(url)
    if on_postgres:
        url = _moved_to_postgres(url)
    settings = Settings(
        home=home,
        broker_url=broker_url,
        database_url=url,
        runs=QUICK,
        report=ReportRules(baselines=False),
        webhooks=WebhookRules(senders=0),
    )
    database = Database(url)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        client.headers.update(bearing(expected["keys"]["default"]))
        yield OpenHome(settings, client, database, expected)
    database.close()


def _moved_to_postgres(url: str) -> str:
    """Copy every row of a database at head into a new PostgreSQL database."""
    other = postgres_at_head()
    source, target = Database(url), Database(other)
    _copy(source.engine, target.engine)
    source.close()
    target.close()
    return other


def _copy(source: Engine, target: Engine) -> None:
    """Copy the tables that a restore copies. A model names a version, which names its model."""
    with source.connect() as reading, target.begin() as writing:
        for table in tables():
            if rows := [dict(row) for row in reading.execute(select(table)).mappings()]:
                if table.name == "models":
                    rows = [{**row, "serving_version_id": None} for row in rows]
                writing.execute(insert(table), rows)
        for name, workspace, version_id in reading.execute(
            select(Model.name, Model.workspace, Model.serving_version_id)
        ):
            own = (Model.name == name, Model.workspace == workspace)
            values = {"serving_version_id": version_id}
            writing.execute(update(Model).where(*own).values(values))
