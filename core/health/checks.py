"""Check the parts of the service; each check blocks until its part has answered.

A part has failed if requests cannot be answered without it. A part is degraded if only
runs must wait for it: a service without a broker or a worker still accepts runs and
predicts, so a load balancer should keep it (docs/decisions/0020).
"""

import errno
import os
import shutil
from pathlib import Path

from core.database.revisions import current_revision, known_revisions
from core.database.sessions import Database
from core.errors import StorageUnavailable
from core.health.parts import Part, State, degraded, failed, ok
from core.queue import Queue
from core.storage import Storage
from core.workers.repository import DATASETS, RUNS, WorkerRepository

_FULL = (errno.ENOSPC, errno.EDQUOT)


def check_database(database: Database) -> Part:
    """Check that the database answers."""
    database.check()
    return ok("The database answers.")


def check_migrations(database: Database) -> Part:
    """Check that the database is at the revision that this code needs."""
    with database.engine.connect() as connection:
        revision = current_revision(connection)
    known = known_revisions()
    if revision == known[0]:
        return ok(f"The database is at the newest revision, {revision}.")
    if revision is not None and revision not in known:
        return degraded(f"A newer fitserve migrated the database, to {revision}.")
    return failed(
        f"The database is at revision {revision}, but this code needs {known[0]}; run "
        "`python -m fitserve.server core.database.migrate`."
    )


def check_broker(queue: Queue) -> Part:
    """Check that the broker can be reached; without it, runs wait for the janitor."""
    try:
        queue.check()
    except Exception as error:  # noqa: BLE001  every transport has its own errors
        return degraded(
            f"The broker cannot be reached ({type(error).__name__}); new runs wait."
        )
    return ok("The broker answers.")


def check_storage(folder: Path, min_free_bytes: int, storage: Storage) -> Part:
    """Check the folder of this machine, and a store on another machine if there is one.

    A store that is away degrades the service: known networks still predict, and another
    API process would not reach the store either.
    """
    part = check_folder(folder, min_free_bytes)
    if part.state == State.FAILED:
        return part
    try:
        sentence = storage.check()
    except StorageUnavailable as error:
        return degraded(f"{error.reason} Uploads and runs wait.")
    return Part(part.state, f"{sentence} {part.detail}".strip())


def check_folder(folder: Path, min_free_bytes: int) -> Part:
    """Check that a file can be written, and how much space is free."""
    path = folder / f".probe-{os.getpid()}"
    try:
        path.write_bytes(b"fitserve")
        path.unlink()
    except OSError as error:
        if error.errno in _FULL:
            return degraded("The disk is full; stored files can still be read.")
        return failed(f"The folder of files cannot be written to ({error.strerror}).")
    free = shutil.disk_usage(folder).free
    if free < min_free_bytes:
        return degraded(
            f"Only {free // 2**20:,} MiB are free; uploads and runs may fail."
        )
    return ok(f"The folder can be written to; {free / 2**30:,.1f} GiB are free.")


def check_workers(database: Database, seconds: float) -> Part:
    """Check that there are workers for runs and for datasets."""
    with database.read() as session:
        alive = WorkerRepository(session).count_alive(seconds)
    missing = [kind for kind in (RUNS, DATASETS) if not alive[kind]]
    if missing:
        kinds = " and ".join(missing)
        return degraded(
            f"No worker for {kinds} was seen within {seconds:g} s; new {kinds} wait."
        )
    counts = ", ".join(f"{alive[kind]} for {kind}" for kind in (RUNS, DATASETS))
    return ok(f"Workers seen recently: {counts}.")
