"""Count the requests of an API process in plain numbers.

A counter of prometheus-client locks, and writes to a file where processes share a port;
that would cost a predict request some 10 % of its time. These are touched by the event
loop alone and cost a look-up and two additions. They become Prometheus's figures when
somebody asks (docs/decisions/0021).
"""

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS = (
    *(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper bounds of the latency buckets, in seconds; one more bucket is above them."""
MOST_MODELS = 300
"""Models with figures of their own in a process; the rest are `other` together."""
OTHER = "other", "other"

ModelKey = tuple[str, str]
"""Workspace and name: two workspaces may use the same one."""
HttpKey = tuple[str, str, int]
"""Method, route template, first digit of the status."""


@dataclass(slots=True)
class Latencies:
    """A histogram of seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def merge(self, other: "Latencies") -> None:
        """Add the counts of another process."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds


@dataclass(slots=True)
class ModelCounters:
    """Predictions of one model."""

    latencies: Latencies = field(default_factory=Latencies)
    rows: int = 0

    def add(self, seconds: float, rows: int) -> None:
        """One more request."""
        self.latencies.add(seconds)
        self.rows += rows

    def merge(self, other: "ModelCounters") -> None:
        """Add the counts of another process."""
        self.latencies.merge(other.latencies)
        self.rows += other.rows


class RequestCounters:
    """Requests and predictions of one process."""

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
