"""Measure lists, filters, `/metrics` and workers in a database with many runs.

`RUNS=1000000 DATABASE=postgresql python -m benchmarks growth`. The database stays in
`FOLDER`, and a second run of the benchmark adds only what is missing there. `PLANS=1`
prints the plan of each statement, too. Times are milliseconds.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from benchmarks.growth_compaction import compaction
from benchmarks.growth_rows import fill
from benchmarks.postgresql import postgresql
from core.database.sessions import Database
from core.janitor import Janitor
from core.metrics.repository import FiguresRepository, Totals
from core.queue import Queue, make_celery
from core.runs.next_run import ANY_RUN, next_runs
from core.settings import Settings
from core.storage import open_storage
from core.webhooks.repository import WebhookRepository
from service.app import create_app

RUNS = int(os.environ.get("RUNS", "100000"))
DATABASE = os.environ.get("DATABASE", "sqlite")
FOLDER = Path(os.environ.get("FOLDER", f"/tmp/fitserve-growth-{DATABASE}"))  # noqa: S108
SECONDS = float(os.environ.get("SECONDS", "5"))
PLANS = bool(os.environ.get("PLANS"))
_LIST = "/v1/runs?view=summary"
_MIDDLE = f"run_{10**10 + RUNS // 2}0000000000"
_ROUTES = {
    "summaries": _LIST,
    "summaries, in the middle": f"{_LIST}&cursor={_MIDDLE}",
    "whole runs": "/v1/runs",
    "by status succeeded": f"{_LIST}&status=succeeded",
    "by status queued": f"{_LIST}&status=queued",
    "by model": f"{_LIST}&model=model_7",
    "by target": f"{_LIST}&target=target_7",
    "by a target without runs": f"{_LIST}&target=none",
    "by tag": f"{_LIST}&tag=team:team_7",
    "by a tag without runs": f"{_LIST}&tag=team:none",
    "by dataset": f"{_LIST}&dataset=table_7",
    "by a dataset without runs": f"{_LIST}&dataset=growth_none",
    "by a frequent word": f"{_LIST}&text=team_7",
    "by a rare word": f"{_LIST}&text=nowhere",
    "one run": f"/v1/runs/{_MIDDLE}",
    "history": f"/v1/runs/{_MIDDLE}/history",
    "all events": f"/v1/runs/{_MIDDLE}/events",
    "models": "/v1/models",
    "one model": "/v1/models/model_7",
    "webhooks": "/v1/webhooks",
}


@contextmanager
def settings() -> Iterator[Settings]:
    """Yield the settings of a service whose database is in the folder."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    own: dict[str, Any] = {"home": FOLDER, "broker_url": "redis://127.0.0.1:1/0"}
    if DATABASE != "postgresql":
        yield Settings(**own)
        return
    with postgresql(FOLDER) as url:
        yield Settings(**own, database_url=url)


def cases(given: Settings, stack: ExitStack) -> dict[str, Callable[[], object]]:
    """Return what is measured, by its name."""
    client = stack.enter_context(
        TestClient(create_app(given), base_url="http://localhost")
    )
    database = Database(given.resolved_database_url)
    stack.callback(database.close)
    queue = Queue(make_celery(given))
    janitor = Janitor(database, open_storage(given), queue, given.runs)

    def route(path: str) -> Callable[[], object]:
        return lambda: client.get(path).raise_for_status()

    def totals() -> Totals:
        with database.read() as session:
            return FiguresRepository(session).totals()

    known = totals()

    def figures() -> None:
        with database.read() as session:
            FiguresRepository(session).figures(30.0, known)

    def due() -> None:
        with database.read() as session:
            WebhookRepository(session).due()

    def choice() -> None:
        with database.read() as session:
            next_runs(session, ANY_RUN, given.runs)

    found = {name: route(path) for name, path in _ROUTES.items()}
    own = {"figures of /metrics": figures, "totals, read in a thread": totals}
    workers = {"next run": choice, "janitor": janitor.sweep, "due webhooks": due}
    return found | own | workers


def milliseconds(act: Callable[[], object]) -> dict[str, float]:
    """Return p50 and p99 of an action after a first call, and the size of its answer."""
    first = act()
    size = len(getattr(first, "content", b"")) / 1000
    taken: list[float] = []
    until = time.monotonic() + SECONDS
    while len(taken) < 3 or time.monotonic() < until:
        began = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - began))
    p99 = statistics.quantiles(taken, n=100, method="inclusive")[98]
    found = {"p50": statistics.median(taken), "p99": p99, "KB": size}
    return {name: round(value, 1) for name, value in found.items()}


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements of the block, with their parameters."""
    found: list[tuple[str, Any]] = []

    def add(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", add)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", add)


def print_plans(given: Settings, act: Callable[[], object]) -> None:
    """Print the plan of each statement that an action executes, each text once."""
    is_postgres = DATABASE == "postgresql"
    explain = "EXPLAIN (ANALYZE, BUFFERS)" if is_postgres else "EXPLAIN QUERY PLAN"
    with statements() as found:
        act()
    engine = sqlalchemy.create_engine(given.resolved_database_url)
    with engine.connect() as connection:
        for statement, parameters in dict(found[::-1]).items():
            print(" ".join(statement.split())[-300:])
            plan = connection.exec_driver_sql(f"{explain} {statement}", parameters)
            for row in plan:
                print("   ", row[-1])
    engine.dispose()


def main() -> None:
    """Fill the database, and print the figures as JSON."""
    with settings() as given, ExitStack() as stack:
        fill(given, RUNS)
        figures = {}
        for name, act in cases(given, stack).items():
            figures[name] = milliseconds(act)
            print(name, figures[name], flush=True)
            if PLANS:
                print_plans(given, act)
        database = Database(given.resolved_database_url)
        stack.callback(database.close)
        figures["compaction"] = compaction(database)
        print(
            json.dumps({"runs": RUNS, "database": DATABASE, "figures": figures}, indent=1)
        )


if __name__ == "__main__":
    main()
