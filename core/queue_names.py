"""The names of the broker's queues, for processes that do not load Celery."""

RUNS, DATASETS = "fitserve", "fitserve-datasets"
"""Two queues, so that an upload never waits for a fit."""
