"""Print findings as a table or as JSON, and end the command."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import NoReturn

import typer
from rich.table import Table

from fitserve.cli.console import CommandConsole
from ops.doctor.findings import Finding, Verdict

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}


def show(findings: Sequence[Finding], *, as_json: bool) -> NoReturn:
    """Print the findings; exit with 1 if a check has failed, else with 0."""
    has_failed = any(finding.verdict == Verdict.FAILED for finding in findings)
    if as_json:
        listed = [asdict(finding) for finding in findings]
        typer.echo(json.dumps({"ok": not has_failed, "findings": listed}, indent=2))
    else:
        _print(findings)
    raise typer.Exit(1 if has_failed else 0)


def _print(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "check", "finding", "how to fix it"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        verdict = f"[{colour}]{finding.verdict}[/]"
        table.add_row(verdict, finding.name, _plain(finding.detail), _plain(finding.mend))
    CommandConsole(soft_wrap=False).print(table)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
