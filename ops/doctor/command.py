"""`fitserve doctor`: check everything that a service needs, and say how to fix it."""

import os
from collections.abc import Iterable
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from pydantic import ValidationError

from core.lazy import LazyModule
from fitserve.client.transport import without_none
from ops.doctor.findings import Check, Finding, failed
from ops.doctor.report import show
from ops.options import Home

if TYPE_CHECKING:
    import pydantic_settings

    from core import settings
    from ops.doctor import host, service
else:  # a missing library must become a finding, not a traceback
    pydantic_settings = LazyModule("pydantic_settings")
    settings = LazyModule("core.settings")
    host = LazyModule("ops.doctor.host")
    service = LazyModule("ops.doctor.service")

DEADLINE = 6.0
_HERE = ("localhost", "127.0.0.1", "::1")


def doctor(
    home: Home = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            help="Port of the service. [FITSERVE_PORT, the port of a FITSERVE_URL on "
            "this machine, or 8000]",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON.")
    ] = False,
) -> None:
    """Check what a service needs, before or while it runs; exit code 1 means a problem.

    Reads the environment of this shell: set the variables that the service starts with.
    """
    show(examine(home, port), as_json=as_json)


def examine(home: Path | None, port: int | None = None) -> list[Finding]:
    """Return the findings of all checks."""
    if port is None and "FITSERVE_PORT" not in os.environ:
        port = port_in(os.environ.get("FITSERVE_URL", ""))
    given = without_none({"home": home, "port": port})
    error: ValidationError | pydantic_settings.SettingsError | None = None
    try:
        chosen = settings.Settings(**given)
    except (ValidationError, pydantic_settings.SettingsError) as wrong:
        error = wrong
    findings = [
        host.check_python(),
        host.check_versions(),
        host.check_settings(error),
        host.check_names(os.environ),
    ]
    return findings if error else [*findings, *_of_service(chosen)]


def port_in(url: str) -> int | None:
    """Return the port of a URL on this machine; None if it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # the client reports a wrong URL
        return None
    return port if host in _HERE else None


def _of_service(chosen: Any) -> Iterable[Finding]:
    try:
        checks = service.ServiceChecks(chosen)
    except Exception as error:  # noqa: BLE001  SQLAlchemy cannot read the URL
        detail = f"FITSERVE_DATABASE_URL cannot be used: {type(error).__name__}."
        return [failed("database", detail, "sqlite:///… or postgresql+psycopg://…")]
    return _within_deadline(
        {
            "database": checks.check_database,
            "migrations": checks.check_migrations,
            "broker": checks.check_broker,
            "storage": checks.check_storage,
            "home": checks.check_home,
            "port": checks.check_port,
            "workers": checks.check_workers,
            "clock": checks.check_clock,
            "key": checks.check_key,
        }
    )


def _within_deadline(checks: dict[str, Check]) -> list[Finding]:
    """Run the checks at the same time, in threads that do not keep the process alive."""
    found: dict[str, Future[Finding]] = {name: Future() for name in checks}
    for name, check in checks.items():
        Thread(target=_run, args=[name, check, found[name]], daemon=True).start()
    wait(found.values(), timeout=DEADLINE)
    return [
        future.result()
        if future.done()
        else failed(
            name, f"No answer within {DEADLINE:g} s.", f"Check the {name}, and try again."
        )
        for name, future in found.items()
    ]


def _run(name: str, check: Check, found: "Future[Finding]") -> None:
    try:
        found.set_result(check())
    except Exception as error:  # noqa: BLE001  becomes a finding
        detail = f"The check failed ({type(error).__name__})."
        found.set_result(failed(name, detail, "Fix the findings above first."))
