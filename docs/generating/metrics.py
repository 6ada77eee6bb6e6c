"""Write the table of metrics from the families that the service collects."""

from collections.abc import Iterable
from itertools import chain

from prometheus_client import Metric

from core.metrics.repository import DURATION_BOUNDS, Durations, Figures, Totals
from docs.generating.tables import filled, table
from service.metrics import families
from service.metrics.request_counters import Latencies, ModelCounters
from service.metrics.snapshots import Snapshot

ONE = {"one": 1}
PROCESS = Snapshot(
    http={("GET", "/", 2): Latencies()},
    models={("default", "m"): ModelCounters()},
    counters=dict.fromkeys(("loads", "evictions", "load_failures"), 0),
    gauges=dict.fromkeys(("processes", "bytes", "entries"), 0),
)
DATABASE = Figures(
    runs={"queued": 1},
    waiting_datasets=0,
    oldest_queued_seconds=0,
    workers=ONE,
    totals=Totals(
        ended={},
        durations={"succeeded": Durations([0] * len(DURATION_BOUNDS), 0, 0)},
        epochs=0,
        fit_seconds=0,
        lease_expiries=0,
        handed_back=0,
        datasets=ONE,
        stored_bytes=ONE,
        models=0,
        versions=0,
    ),
)
"""One sample of each family, so that its labels are known."""


def page() -> str:
    """Return docs/metrics.md."""
    head = ("metric", "type", "labels", "what")
    rows = [_row(family) for family in _families()]
    return filled("docs/metrics.md", {"metrics": table(head, rows)})


def _families() -> Iterable[Metric]:
    return chain(
        families.of_processes(PROCESS),
        [families.database_up(True)],
        families.of_database(DATABASE),
    )


def _row(family: Metric) -> tuple[str, str, str, str]:
    total = "_total" if family.type == "counter" else ""
    labels = [name for name in family.samples[0].labels if name != "le"]
    label_names = ", ".join(f"`{name}`" for name in labels)
    return f"`{family.name}{total}`", family.type, label_names, family.documentation
