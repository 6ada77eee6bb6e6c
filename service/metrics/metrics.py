"""What `/metrics` tells: the processes' figures, and the database's."""

import logging
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from core.database.sessions import Database
from core.metrics.repository import Figures, FiguresRepository
from core.settings import Settings
from core.supervised import METRICS_DIR
from service.metrics import families
from service.metrics.request_counters import RequestCounters
from service.metrics.snapshots import Snapshots
from service.predictor.predictor import Predictor

log = logging.getLogger(__name__)

_FIGURES_SECONDS = 5.0
"""The database is asked no oftener than this, however many scrapers there are."""


class Metrics(Collector):
    """A collector for prometheus-client, over figures that are kept elsewhere."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        predictor: Predictor,
        counters: RequestCounters,
    ) -> None:
        folder = os.environ.get(METRICS_DIR)
        cache = predictor.cache
        self.snapshots = Snapshots(
            counters, cache.counters, cache.gauges, Path(folder) if folder else None
        )
        self._database = database
        self._alive_seconds = settings.runs.lease_seconds
        self._lock = threading.Lock()
        self._figures: Figures | None = None
        self._until = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand, so that registering asks no database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every family."""
        yield from families.of_processes(self.snapshots.total())
        figures = self._read()
        yield families.database_up(figures is not None)
        if figures is not None:
            yield from families.of_database(figures)

    def page(self, accept: str) -> tuple[bytes, str]:
        """The page and its media type, as a scraper accepts it; blocks."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    def _read(self) -> Figures | None:
        with self._lock:
            if time.monotonic() >= self._until:
                self._figures = self._ask()
                self._until = time.monotonic() + _FIGURES_SECONDS
            return self._figures

    def _ask(self) -> Figures | None:
        try:
            with self._database.read() as session:
                return FiguresRepository(session).figures(self._alive_seconds)
        except SQLAlchemyError as error:
            log.warning("no figures of the database: %s", type(error).__name__)
            return None
