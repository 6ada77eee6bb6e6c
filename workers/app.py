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
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from billiard import current_process
from celery import signals

from core import tracing
from core.database.sessions import Database
from core.datasets.ingest import Ingest, Reader
from core.garbage_collection import freeze_heap, pause_collection
from core.janitor import Janitor
from core.lazy import not_installed
from core.logs import bound
from core.queue import READ, TRAIN, Queue, make_celery
from core.queue_names import DATASETS, RUNS
from core.runs.maintenance import RunMaintenance
from core.runs.next_run import Slot
from core.settings import Settings
from core.storage import open_storage
from core.supervised import is_reader_on_demand
from core.workers import repository as kinds
from core.workers.presence import Presence
from workers.broker import drop_unreadable_messages
from workers.hang_detector import kernels_alarm
from workers.idle_memory import IdleMemory, reader_on_demand
from workers.room import Room
from workers.watchdog import Watchdog, waiting_datasets, waiting_runs

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
_room = Room(settings.worker_processes)
# shared with the forked children, because only the parent receives SIGTERM. Not an Event:
# a child that is killed while it reads an Event never releases the lock of that Event
_stopping = multiprocessing.get_context("fork").RawValue("b", 0)


def import_keras() -> None:
    """Import Keras in the parent, before it forks; an error here ends the worker."""
    pause_collection()
    with not_installed("matplotlib", "pandas"):  # Keras loads them, for 50 MB of memory
        import workers.devices  # noqa: PLC0415  only a worker of runs needs it
        import workers.run_executor  # noqa: F401, PLC0415  this one too

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
        from workers.devices import share_cores  # noqa: PLC0415  the parent imported it
        from workers.run_executor import RunExecutor  # noqa: PLC0415  this one too

        share_cores(settings.worker_processes)
        _room.leave(_index())
        _child["executor"] = RunExecutor(
            settings,
            database,
            storage,
            owner,
            is_stopping=_is_stopping,
            keep_alive=kernels_alarm,
            slot=_slot(),
            room=_room,
            index=_index(),
        )
        Watchdog(database, waiting_runs(_slot), settings.runs, _busy.is_set).start()
    rules = settings.retention
    Janitor(database, storage, Queue(celery), settings.runs, rules).start()
    seconds = settings.runs.heartbeat_seconds
    tags = settings.worker_tags if RUNS in queues else []
    Presence(database, owner, _kind(queues), seconds, tags).start()
    is_on_demand = RUNS not in queues and is_reader_on_demand()
    _child["memory"] = reader_on_demand() if is_on_demand else IdleMemory()
    _child["memory"].start()


def _slot() -> Slot:
    """Return what this child may train now."""
    return Slot(
        tags=settings.worker_tags,
        small_runs_only=not _room.has_place(_index()),
        gives_way=settings.worker_processes == 1,
    )


def _index() -> int:
    """Return the number of this child in its worker, from 0; a replacement has it too."""
    return int(current_process().index)


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
    """Train the best waiting run; a message says only that some run may be waiting."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a Python handler cannot end a hang
    executor = _child["executor"]
    with _at_work():
        has_trained = executor.execute_next()
    if has_trained and settings.worker_processes > 1:
        _send_next(executor.database)


def _send_next(database: Database) -> None:
    """Send a message for a run that waits.

    Its own message may have reached the process that had to stay free for small runs.
    """
    with database.read() as session:
        runs = RunMaintenance(session)
        waiting = runs.waiting_ids(_slot(), limit=1)
        tags = runs.worker_tags(waiting)
    for run_id in waiting:
        Queue(celery).send(TRAIN, run_id, tags.get(run_id, ""))


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
