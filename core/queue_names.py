"""The names of the broker's queues, for processes that do not load Celery."""

from collections.abc import Collection

from core.workers.tags import subsets

RUNS, DATASETS = "fitserve", "fitserve-datasets"
"""Two queues, so that an upload never waits for a fit."""


def queue_of(worker_tags: str) -> str:
    """Return the queue of runs for workers with these tags, as `joined` writes them."""
    return f"{RUNS}.{worker_tags}" if worker_tags else RUNS


def queues_of_worker(tags: Collection[str]) -> list[str]:
    """Return the queues of all runs that a worker with these tags can train."""
    return [queue_of(some) for some in subsets(tags)]
