"""What the routes work with, made once for an application."""

from dataclasses import dataclass

from core.database.sessions import Database
from core.datasets.ingest import Reader
from core.datasets.service import DatasetService
from core.health.health import Health, make_health
from core.janitor import Sweeper
from core.queue import Queue, make_celery
from core.runs.reporting.service import ReportService
from core.runs.service import RunService
from core.settings import Settings
from core.storage import LocalStorage
from core.webhooks.sender import Sender
from service.auth.api_key_cache import Keyring
from service.auth.authenticator import Door
from service.metrics.metrics import Metrics
from service.metrics.request_counters import Tally
from service.predictor.predictor import Predictor


@dataclass(frozen=True)
class Services:
    """Everything with a connection or a cache behind it."""

    settings: Settings
    database: Database
    storage: LocalStorage
    datasets: DatasetService
    runs: RunService
    reports: ReportService
    predictor: Predictor
    sweeper: Sweeper
    senders: list[Sender]
    health: Health
    tally: Tally
    metrics: Metrics
    keyring: Keyring
    door: Door

    @classmethod
    def from_settings(cls, settings: Settings) -> "Services":
        """Nothing is connected yet; connections open when they are needed."""
        database = Database(settings.resolved_database_url)
        storage = LocalStorage(settings.files_dir)
        queue = Queue(make_celery(settings))
        tally = Tally()
        keyring = Keyring(database, settings)
        predictor = Predictor(database, storage, settings, tally)
        return cls(
            settings=settings,
            database=database,
            storage=storage,
            datasets=DatasetService(database, Reader(storage, settings.limits), queue),
            runs=RunService(storage, queue, settings.limits, settings.webhooks),
            reports=ReportService(storage, settings.report, settings.limits),
            predictor=predictor,
            sweeper=Sweeper(database, storage, queue, settings.runs),
            senders=[
                Sender(database, settings.webhooks)
                for _ in range(settings.webhooks.senders)
            ],
            health=make_health(settings, database, queue),
            tally=tally,
            metrics=Metrics(settings, database, predictor, tally),
            keyring=keyring,
            door=Door(keyring, settings),
        )

    def start(self) -> None:
        """Begin what runs beside the requests."""
        self.keyring.start()
        self.sweeper.start()
        for sender in self.senders:
            sender.start()
        self.predictor.start()
        self.metrics.snapshots.start()

    def close(self) -> None:
        """Stop that, and close connections."""
        self.sweeper.stop()
        for sender in self.senders:
            sender.stop()
        self.predictor.close()
        self.keyring.stop()
        self.metrics.snapshots.stop()
        self.database.close()
