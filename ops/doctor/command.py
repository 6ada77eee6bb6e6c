"""`fitserve doctor`: looks at everything a service needs, and says how to mend it."""

import json
import os
from collections.abc import Iterable
from concurrent.futures import Future, wait
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from ops.doctor.findings import Examination, Finding, Verdict, failed

DEADLINE = 6.0
_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}


def doctor(
    home: Annotated[
        Path | None, typer.Option(help="Folder of database and files. [~/.fitserve]")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON.")
    ] = False,
) -> None:
    """Check what a service needs, running or not; 1 if something must be mended.

    Looks at the environment of this shell: set what the service is started with.
    """
    findings = examine(home)
    is_ill = any(finding.verdict == Verdict.FAILED for finding in findings)
    if as_json:
        told = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"ok": not is_ill, "findings": told}, indent=2))
    else:
        _print(findings)
    raise typer.Exit(1 if is_ill else 0)


def examine(home: Path | None) -> list[Finding]:
    """Everything that can be looked at."""
    # not before it is asked for: its libraries may be absent, and that is a sentence too
    from pydantic_settings import SettingsError  # noqa: PLC0415

    from core.settings import Settings  # noqa: PLC0415
    from ops.doctor import host  # noqa: PLC0415

    given: dict[str, Any] = {} if home is None else {"home": home}
    error: ValidationError | SettingsError | None = None
    try:
        settings = Settings(**given)
    except (ValidationError, SettingsError) as wrong:
        error = wrong
    findings = [
        host.look_at_python(),
        host.look_at_versions(),
        host.look_at_settings(error),
        host.look_at_names(os.environ),
    ]
    return findings if error else [*findings, *_of_service(settings)]


def _of_service(settings: Any) -> Iterable[Finding]:
    from ops.doctor.service import ServiceChecks  # noqa: PLC0415  imports the database

    try:
        patient = ServiceChecks(settings)
    except Exception as error:  # noqa: BLE001  a URL that SQLAlchemy cannot read
        told = f"FITSERVE_DATABASE_URL cannot be used: {type(error).__name__}."
        return [failed("database", told, "sqlite:///… or postgresql+psycopg://…")]
    return _within_deadline(
        {
            "database": patient.look_at_database,
            "migrations": patient.look_at_migrations,
            "broker": patient.look_at_broker,
            "storage": patient.look_at_storage,
            "home": patient.look_at_home,
            "port": patient.look_at_port,
            "workers": patient.look_at_workers,
            "clock": patient.look_at_clock,
            "key": patient.look_at_key,
        }
    )


def _within_deadline(looks: dict[str, Examination]) -> list[Finding]:
    """All at a time, in threads that do not keep the process alive."""
    asked: dict[str, Future[Finding]] = {name: Future() for name in looks}
    for name, look in looks.items():
        Thread(target=_answer, args=[name, look, asked[name]], daemon=True).start()
    wait(asked.values(), timeout=DEADLINE)
    return [
        future.result()
        if future.done()
        else failed(name, f"No answer within {DEADLINE:g} s.", "See whether it is there.")
        for name, future in asked.items()
    ]


def _answer(name: str, look: Examination, asked: "Future[Finding]") -> None:
    try:
        asked.set_result(look())
    except Exception as error:  # noqa: BLE001  a finding too
        told = f"It cannot be looked at ({type(error).__name__})."
        asked.set_result(failed(name, told, "Mend what is found before it first."))


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "what", "finding", "how to mend it"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        verdict = f"[{colour}]{finding.verdict}[/]"
        table.add_row(verdict, finding.name, _plain(finding.detail), _plain(finding.mend))
    Console(soft_wrap=False).print(table)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
