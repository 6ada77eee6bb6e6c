"""The Celery application of the worker.

The parent imports Keras before it forks, but never computes with Keras. So children start
within milliseconds, and only children run TensorFlow (docs/decisions/0002).
"""

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from billiard import current_process
from celery import signals

from core import tracing
from core.database.sessions import Database
from core.datasets.ingest import Ingest, Reader
from core.garbage_collection import freeze_heap, pause_collection
from core.janitor import Janitor
from core.lazy import not_installed
from core.logs import bound
from core.queue import LONGEST_CHAIN_SECONDS, READ, TRAIN, Queue, make_celery
from core.queue_names import DATASETS, RUNS
from core.runs.next_run import Slot
from core.settings import Settings
from core.storage import open_storage
from core.supervised import is_reader_on_demand
from core.workers import repository as kinds
from core.workers.presence import Presence
from workers.broker import drop_unreadable_messages
from workers.hang_detector import kernels_alarm
from workers.idle_memory import IdleMemory, reader_on_demand
from workers.watchdog import Watchdog, waiting_datasets, waiting_runs

if TYPE_CHECKING:
    from workers.run_executor import RunExecutor

log = logging.getLogger(__name__)

settings = Settings()
drop_unreadable_messages()
celery = make_celery(settings)
celery.conf.update(
    worker_consumer="workers.consumer:Consumer",
    worker_concurrency=settings.worker_processes,
    worker_max_memory_per_child=settings.worker_memory_bytes // 1024,
)
_child: dict[str, Any] = {}
_busy = threading.Event()
# shared with the forked children, because only the parent receives SIGTERM. Not an Event:
# a child that is killed while it reads an Event never releases the lock of that Event
_stopping = multiprocessing.get_context("fork").RawValue("b", 0)


def import_keras() -> None:
    """Import Keras in the parent, before it forks; an error here ends the worker."""
    pause_collection()
    with not_installed("matplotlib", "pandas"):  # Keras loads them, for 50 MB of memory
        import workers.run_executor  # noqa: F401, PLC0415  only a worker of runs needs it

    freeze_heap()


@signals.setup_logging.connect
def _leave_logs(**_: Any) -> None:
    """Receive the signal, so that Celery does not configure logging."""


@signals.worker_shutting_down.connect
def _hand_back(**_: Any) -> None:
    """Let the children return their runs to the queue instead of finishing them."""
    _stopping.value = 1


@signals.worker_process_init.connect
def _open(**_: Any) -> None:
    """Open the child's database connections, and start its background threads."""
    tracing.start("worker")
    database = Database(settings.resolved_database_url)
    storage = open_storage(settings)
    queues = celery.amqp.queues.consume_from
    owner = f"{socket.gethostname()}:{os.getpid()}"
    if DATASETS in queues:
        reader = Reader(storage, settings.limits)
        _child["ingest"] = Ingest(database, reader, settings.runs, _is_stopping)
        Watchdog(database, waiting_datasets, settings.runs, _busy.is_set).start()
    if RUNS in queues:
        from workers.run_executor import (  # noqa: PLC0415  the parent imported it
            RunExecutor,
            share_cores,
        )

        share_cores(settings.worker_processes)
        slot = _slot()
        _child["executor"] = RunExecutor(
            settings,
            database,
            storage,
            owner,
            is_stopping=_is_stopping,
            keep_alive=kernels_alarm,
            slot=slot,
        )
        Watchdog(database, waiting_runs(slot), settings.runs, _busy.is_set).start()
    rules = settings.retention
    Janitor(database, storage, Queue(celery), settings.runs, rules).start()
    seconds = settings.runs.heartbeat_seconds
    Presence(database, owner, _kind(queues), seconds, settings.worker_tags).start()
    is_on_demand = RUNS not in queues and is_reader_on_demand()
    _child["memory"] = reader_on_demand() if is_on_demand else IdleMemory()
    _child["memory"].start()


def _slot() -> Slot:
    """Return what this child may train; the first of several takes small runs only."""
    is_only = settings.worker_processes == 1
    is_first = current_process().index == 0
    return Slot(settings.worker_tags, is_first and not is_only, is_only=is_only)


def _is_stopping() -> bool:
    return bool(_stopping.value)


def _kind(queues: Collection[str]) -> str:
    """Return the kind for `Presence`; a reader on demand counts as running."""
    is_for_both = DATASETS in queues or is_reader_on_demand()
    if RUNS in queues and is_for_both:
        return kinds.BOTH
    return kinds.RUNS if RUNS in queues else kinds.DATASETS


@celery.task(name=TRAIN)
def train(_run_id: str) -> None:
    """Train the best waiting run; a message says only that some run may be waiting.

    One of several processes goes on with the next run: the message of a long run may have
    reached the process that takes small runs only.
    """
    executor, began = _child["executor"], time.monotonic()
    while _train_next(executor):
        is_late = time.monotonic() - began > LONGEST_CHAIN_SECONDS
        if executor.slot.is_only or is_late or _is_stopping():
            return


def _train_next(executor: "RunExecutor") -> bool:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a Python handler cannot end a hang
    with _at_work():
        return executor.execute_next()


@celery.task(name=READ)
def read(dataset_id: str) -> None:
    """Read a dataset, if the database says that it is still unread."""
    with _at_work(), bound(dataset_id=dataset_id):
        _child["ingest"].attempt(dataset_id)


@contextmanager
def _at_work() -> Iterator[None]:
    _busy.set()
    try:
        with _child["memory"].at_work():
            yield
    except MemoryError:  # otherwise Celery ends this worker, and then its replacement
        log.exception("out of memory, so the run or dataset has no recorded end yet")
    finally:
        _busy.clear()
