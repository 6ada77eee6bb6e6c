"""The services that routes use, created once for an application."""

from dataclasses import dataclass

from core.database.sessions import Database
from core.datasets.ingest import Reader
from core.datasets.service import DatasetService
from core.health.health import Health, make_health
from core.janitor import Janitor
from core.queue import Queue, make_celery
from core.runs.reporting.service import ReportService
from core.runs.service import RunService
from core.settings import Settings
from core.storage import Storage, open_storage
from core.webhooks.sender import Sender
from service.auth.api_key_cache import ApiKeyCache
from service.auth.authenticator import Authenticator
from service.metrics.metrics import Metrics
from service.metrics.request_counters import RequestCounters
from service.polling import Polling
from service.predictor.predictor import Predictor


@dataclass(frozen=True)
class Services:
    """The objects that hold connections or caches."""

    settings: Settings
    database: Database
    storage: Storage
    datasets: DatasetService
    runs: RunService
    reports: ReportService
    predictor: Predictor
    janitor: Janitor
    senders: list[Sender]
    health: Health
    counters: RequestCounters
    metrics: Metrics
    api_keys: ApiKeyCache
    authenticator: Authenticator
    polling: Polling

    @classmethod
    def from_settings(cls, settings: Settings) -> "Services":
        """Create the services; each connection opens when it is first needed."""
        database = Database(settings.resolved_database_url)
        storage = open_storage(settings)
        queue = Queue(make_celery(settings))
        counters = RequestCounters()
        api_keys = ApiKeyCache(database, settings)
        predictor = Predictor(database, storage, settings, counters)
        return cls(
            settings=settings,
            database=database,
            storage=storage,
            datasets=DatasetService(database, Reader(storage, settings.limits), queue),
            runs=RunService(
                storage,
                queue,
                settings.limits,
                settings.webhooks,
                settings.worker_tags,
            ),
            reports=ReportService(storage, settings.report, settings.limits),
            predictor=predictor,
            janitor=Janitor(database, storage, queue, settings.runs, settings.retention),
            senders=[
                Sender(database, settings.webhooks)
                for _ in range(settings.webhooks.senders)
            ],
            health=make_health(settings, database, queue, storage),
            counters=counters,
            metrics=Metrics(settings, database, predictor, counters),
            api_keys=api_keys,
            authenticator=Authenticator(api_keys, settings),
            polling=Polling(),
        )

    def start(self) -> None:
        """Start the background threads."""
        self.api_keys.start()
        self.janitor.start()
        for sender in self.senders:
            sender.start()
        self.predictor.start()
        self.metrics.snapshots.start()

    def close(self) -> None:
        """Stop the background threads, and close connections."""
        self.janitor.stop()
        for sender in self.senders:
            sender.stop()
        self.predictor.close()
        self.api_keys.stop()
        self.metrics.snapshots.stop()
        self.database.close()
