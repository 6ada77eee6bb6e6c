"""The names, help texts and labels of all metrics, for prometheus_client.

`python -m docs.generate` lists them in docs/metrics.md.
"""

from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from core.metrics.repository import DURATION_BOUNDS, Figures, Totals
from service.metrics.request_counters import BOUNDS, Latencies
from service.metrics.snapshots import Snapshot

_MODEL = ["workspace", "model"]
Labelled = Iterable[tuple[Sequence[str], float]]


def of_processes(total: Snapshot) -> Iterable[Metric]:
    """Yield the metrics of API processes."""
    yield from _http(total)
    yield from _predict(total)
    gauges, counters = total.gauges, total.counters
    yield _gauge("api_processes", "API processes on this address", gauges["processes"])
    yield _gauge(
        "model_cache_bytes", "Approximate memory of loaded models", gauges["bytes"]
    )
    yield _gauge("model_cache_entries", "Loaded models", gauges["entries"])
    for name, text in (
        ("loads", "Models that were loaded"),
        ("evictions", "Models that were unloaded to load other models"),
        ("load_failures", "Models that could not be loaded"),
    ):
        yield _counter(f"model_{name}", text, counters[name])


def of_database(figures: Figures) -> Iterable[Metric]:
    """Yield the metrics that are read from the database."""
    yield _gauges("runs", "Runs by status", "status", figures.runs)
    depth = {"runs": figures.runs["queued"], "datasets": figures.waiting_datasets}
    yield _gauges("queue_depth", "Runs and datasets waiting for a worker", "queue", depth)
    yield _gauge(
        "queue_oldest_age_seconds",
        "Age of the oldest queued run; 0 if no run is queued",
        figures.oldest_queued_seconds,
    )
    yield from _of_totals(figures.totals)
    yield _gauges("workers", "Recently active workers", "kind", figures.workers)


def _of_totals(totals: Totals) -> Iterable[Metric]:
    yield _durations(totals)
    yield _counter("epochs", "Epochs of ended runs", totals.epochs)
    yield _counter("fit_seconds", "Training time of ended runs", totals.fit_seconds)
    lost = totals.lease_expiries
    yield _counter("lease_expiries", "Attempts at runs whose worker was lost", lost)
    yield _counter(
        "runs_handed_back",
        "Attempts that a stopping worker returned to the queue",
        totals.handed_back,
    )
    yield _gauges("datasets", "Datasets by status", "status", totals.datasets)
    yield _gauges("stored_bytes", "Bytes of stored files", "kind", totals.stored_bytes)
    yield _gauge("models", "Number of models", totals.models)
    yield _gauge("versions", "Versions of all models", totals.versions)


def database_up(is_up: bool) -> Metric:
    """Return the metric that says whether the database answered."""
    return _gauge("database_up", "1 if the database answered this scrape", is_up)


def _http(total: Snapshot) -> Iterable[Metric]:
    labels = ["method", "route", "status"]
    requests = CounterMetricFamily(
        "fitserve_http_requests", "Requests by route template", labels=labels
    )
    seconds = HistogramMetricFamily(
        "fitserve_http_request_duration_seconds",
        "Duration from the request's headers to the response's headers",
        labels=labels,
    )
    for (method, route, status), latencies in sorted(total.http.items()):
        values = [method, route, f"{status}xx"]
        requests.add_metric(values, sum(latencies.counts))
        _add(seconds, values, latencies)
    return requests, seconds


def _predict(total: Snapshot) -> Iterable[Metric]:
    rows = CounterMetricFamily("fitserve_predict_rows", "Predicted rows", labels=_MODEL)
    seconds = HistogramMetricFamily(
        "fitserve_predict_duration_seconds",
        "Duration from the received body to the answer, of successful requests",
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


def _durations(totals: Totals) -> Metric:
    family = HistogramMetricFamily(
        "fitserve_run_duration_seconds",
        "Duration of the last attempt at a run, from its claim to its end",
        labels=["status"],
    )
    for status, durations in sorted(totals.durations.items()):
        bounds = (f"{float(bound)}" for bound in DURATION_BOUNDS)
        buckets = [*zip(bounds, durations.counts, strict=True), ("+Inf", durations.total)]
        family.add_metric([status], buckets, durations.seconds)
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
