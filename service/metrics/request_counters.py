"""Count the requests of an API process in plain numbers.

A counter of prometheus-client takes a lock, and writes to a file if processes share a
port. That would take about 10 % of the time of a predict request. Only the event loop
changes the numbers here, with a look-up and two additions. Each scrape converts the
numbers for Prometheus (docs/decisions/0021).
"""

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS = (
    *(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper bounds of the latency buckets, in seconds; one more bucket is above them."""
MOST_MODELS = 300
"""Models that a process counts separately; it counts further models as `other`."""
OTHER = "other", "other"

ModelKey = tuple[str, str]
"""Workspace and name; two workspaces may use the same name."""
HttpKey = tuple[str, str, int]
"""Method, route template, first digit of the status."""


@dataclass(slots=True)
class Latencies:
    """A histogram of seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one request."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def merge(self, other: "Latencies") -> None:
        """Add the counts of another process."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds


@dataclass(slots=True)
class ModelCounters:
    """The counters of one model."""

    latencies: Latencies = field(default_factory=Latencies)
    rows: int = 0

    def add(self, seconds: float, rows: int) -> None:
        """Count one request and its rows."""
        self.latencies.add(seconds)
        self.rows += rows

    def merge(self, other: "ModelCounters") -> None:
        """Add the counts of another process."""
        self.latencies.merge(other.latencies)
        self.rows += other.rows


class RequestCounters:
    """The counters of one process."""

    def __init__(self) -> None:
        self.http: dict[HttpKey, Latencies] = {}
        self.models: dict[ModelKey, ModelCounters] = {}

    def answered(self, key: HttpKey, seconds: float) -> None:
        """Count a response when it begins."""
        latencies = self.http.get(key)
        if latencies is None:
            latencies = self.http[key] = Latencies()
        latencies.add(seconds)

    def predicted(self, model: ModelKey, seconds: float, rows: int) -> None:
        """Count a prediction."""
        counters = self.models.get(model)
        if counters is None:
            name = model if len(self.models) < MOST_MODELS else OTHER
            counters = self.models.setdefault(name, ModelCounters())
        counters.add(seconds, rows)
