"""The Celery application of the worker.

The parent imports Keras before it forks, and never computes anything with it: its
children start warm, within milliseconds, and TensorFlow only ever runs in them
(docs/decisions/0002).
"""

import gc
import multiprocessing
import os
import socket
import threading
from typing import Any

from celery import signals

from core.database.sessions import Database
from core.queue import TRAIN, Queue, make_celery
from core.runs.sweeper import Sweeper
from core.settings import Settings
from core.storage import LocalStorage
from workers.watchdog import Watchdog

settings = Settings()
celery = make_celery(settings)
celery.conf.update(
    worker_concurrency=settings.worker_processes,
    worker_max_memory_per_child=settings.worker_memory_bytes // 1024,
    worker_log_format="%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s",
)
_child: dict[str, Any] = {}
_busy = threading.Event()
# shared with the children, which are forked: the parent alone hears SIGTERM
_stopping = multiprocessing.get_context("fork").Event()


@signals.worker_init.connect
def _import_keras(**_: Any) -> None:
    import workers.attempt  # noqa: F401, PLC0415  not before it is a worker

    # what is imported stays: no collection in a child need look at it again
    gc.collect()
    gc.freeze()


@signals.worker_shutting_down.connect
def _hand_back(**_: Any) -> None:
    """Let the children give their runs back instead of waiting for their end."""
    _stopping.set()


@signals.worker_process_init.connect
def _open(**_: Any) -> None:
    """A child's own database connections, and its own sweeper and watchdog."""
    from workers.attempt import Workshop  # noqa: PLC0415  the parent imported it

    database = Database(settings.resolved_database_url)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    _child["workshop"] = Workshop(
        settings, database, LocalStorage(settings.files_dir), owner, _stopping.is_set
    )
    Sweeper(database, Queue(celery), settings.runs).start()
    Watchdog(database, settings.runs, _busy.is_set).start()


@celery.task(name=TRAIN)
def train(run_id: str) -> None:
    """Train a run; the message is only a doorbell."""
    _busy.set()
    try:
        _child["workshop"].attempt(run_id)
    finally:
        _busy.clear()
