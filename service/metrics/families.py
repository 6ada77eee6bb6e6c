"""The names, helps and labels of every metric, as prometheus_client renders them.

`python -m docs.generate` lists them in docs/metrics.md.
"""

from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from core.metrics.repository import DURATION_BOUNDS, Figures
from service.metrics.request_counters import BOUNDS, Latencies
from service.metrics.snapshots import Snapshot

_MODEL = ["workspace", "model"]
Labelled = Iterable[tuple[Sequence[str], float]]


def of_processes(total: Snapshot) -> Iterable[Metric]:
    """Yield the metrics that API processes count."""
    yield from _http(total)
    yield from _predict(total)
    gauges, counters = total.gauges, total.counters
    yield _gauge("api_processes", "API processes on this address", gauges["processes"])
    yield _gauge(
        "model_cache_bytes", "About the memory of loaded models", gauges["bytes"]
    )
    yield _gauge("model_cache_entries", "Models that are loaded", gauges["entries"])
    for name, text in (
        ("loads", "Models that were loaded"),
        ("evictions", "Models dropped to make room for others"),
        ("load_failures", "Models that could not be loaded"),
    ):
        yield _counter(f"model_{name}", text, counters[name])


def of_database(figures: Figures) -> Iterable[Metric]:
    """Yield the metrics that are read from the database."""
    yield _gauges("runs", "Runs by status", "status", figures.runs)
    depth = {"runs": figures.runs["queued"], "datasets": figures.waiting_datasets}
    yield _gauges("queue_depth", "What waits for a worker", "queue", depth)
    yield _gauge(
        "queue_oldest_age_seconds",
        "Age of the oldest run that waits; 0 if none does",
        figures.oldest_queued_seconds,
    )
    yield _durations(figures)
    yield _counter("epochs", "Epochs of runs that have ended", figures.epochs)
    yield _counter("fit_seconds", "Seconds those epochs took", figures.fit_seconds)
    yield _counter(
        "lease_expiries",
        "Attempts at runs whose worker was lost; each but the last was queued again",
        figures.lease_expiries,
    )
    yield _counter(
        "runs_handed_back",
        "Attempts that a stopping worker gave back",
        figures.handed_back,
    )
    yield _gauges("datasets", "Datasets by status", "status", figures.datasets)
    yield _gauges("stored_bytes", "Bytes of stored files", "kind", figures.stored_bytes)
    yield _gauge("models", "Models that have a name", figures.models)
    yield _gauge("versions", "Versions of all models", figures.versions)
    yield _gauges("workers", "Worker processes seen lately", "kind", figures.workers)


def database_up(is_up: bool) -> Metric:
    """Return whether the metrics of the database are included."""
    return _gauge("database_up", "Whether the database answered this scrape", is_up)


def _http(total: Snapshot) -> Iterable[Metric]:
    labels = ["method", "route", "status"]
    requests = CounterMetricFamily(
        "fitserve_http_requests", "Requests by route template", labels=labels
    )
    seconds = HistogramMetricFamily(
        "fitserve_http_request_duration_seconds",
        "From the request's head to the response's",
        labels=labels,
    )
    for (method, route, status), latencies in sorted(total.http.items()):
        values = [method, route, f"{status}xx"]
        requests.add_metric(values, sum(latencies.counts))
        _add(seconds, values, latencies)
    return requests, seconds


def _predict(total: Snapshot) -> Iterable[Metric]:
    rows = CounterMetricFamily(
        "fitserve_predict_rows", "Rows that were predicted", labels=_MODEL
    )
    seconds = HistogramMetricFamily(
        "fitserve_predict_duration_seconds",
        "From a request's body to its answer, of those answered",
        labels=_MODEL,
    )
    for model, counters in sorted(total.models.items()):
        rows.add_metric(model, counters.rows)
        _add(seconds, model, counters.latencies)
    return rows, seconds


def _add(
    family: HistogramMetricFamily, labels: Sequence[str], latencies: Latencies
) -> None:
    count, buckets = 0, []
    for bound, more in zip((*map(str, BOUNDS), "+Inf"), latencies.counts, strict=True):
        count += more
        buckets.append((bound, count))
    family.add_metric(labels, buckets, latencies.seconds)


def _durations(figures: Figures) -> Metric:
    family = HistogramMetricFamily(
        "fitserve_run_duration_seconds",
        "From the claim to the end, of the last attempt at a run",
        labels=["status"],
    )
    for status, told in sorted(figures.durations.items()):
        bounds = (f"{float(bound)}" for bound in DURATION_BOUNDS)
        buckets = [*zip(bounds, told.counts, strict=True), ("+Inf", told.total)]
        family.add_metric([status], buckets, told.seconds)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"fitserve_{name}", text, value)


def _gauges(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"fitserve_{name}", text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"fitserve_{name}", text, value)
