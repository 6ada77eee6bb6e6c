"""The content of `/metrics`: figures of the API processes and of the database.

prometheus_client renders them. Its own counters would cost the predict path 4 to 5
microseconds an observation, so `request_counters.py` counts (docs/decisions/0021).
"""

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
from core.metrics.repository import Figures, FiguresRepository, Totals
from core.settings import Settings
from core.supervised import METRICS_DIR
from service.metrics import families
from service.metrics.cached_reading import CachedReading
from service.metrics.request_counters import RequestCounters
from service.metrics.snapshots import Snapshots
from service.predictor.predictor import Predictor

log = logging.getLogger(__name__)

_FIGURES_SECONDS = 5.0
"""The minimum time between two queries, for any number of scrapers."""


class Metrics(Collector):
    """Collect the figures for prometheus_client."""

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
        self._totals = CachedReading(
            "metrics-totals", self._read_totals, _FIGURES_SECONDS
        )
        self._lock = threading.Lock()
        self._figures: Figures | None = None
        self._until = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that the registration queries no database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics."""
        yield from families.of_processes(self.snapshots.total())
        figures = self._read()
        yield families.database_up(figures is not None)
        if figures is not None:
            yield from families.of_database(figures)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Return the page in a format that the scraper accepts, and its type; block."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    def _read(self) -> Figures | None:
        with self._lock:
            if time.monotonic() >= self._until:
                self._figures = self._ask()
                self._until = time.monotonic() + _FIGURES_SECONDS
            return self._figures

    def _read_totals(self) -> Totals:
        with self._database.read() as session:
            return FiguresRepository(session).totals()

    def _ask(self) -> Figures | None:
        try:
            # else a counter would decrease if another process answered before
            totals = self._totals.get(may_be_old=not self.snapshots.has_others())
            with self._database.read() as session:
                return FiguresRepository(session).figures(self._alive_seconds, totals)
        except SQLAlchemyError as error:
            log.warning(
                "cannot read the metrics of the database: %s", type(error).__name__
            )
            return None
