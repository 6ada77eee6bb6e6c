"""Rows of the table in docs/reliability.md: a fault, how often, and what is measured."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.cluster import Cluster

Play = Callable[[Cluster, int, random.Random], str]
"""Lets the fault befall a cluster so many times; returns what was measured."""


@dataclass(frozen=True)
class Row:
    """One fault; the cluster is checked when it was played.

    Args:
        number: its place in the table.
        title: what happens.
        play: makes it happen.
        gate: how often by default.
        full: how often with FULL=1.
        apis, workers: processes that are up before.
        allowed: 5xx statuses that the fault excuses.
        profiles: where it makes sense.
        environment: settings of the cluster.
        tmpfs: size of a disk of its own for the home; mounting one wants root.

    """

    number: int
    title: str
    play: Play
    gate: int
    full: int
    apis: int = 1
    workers: int = 2
    allowed: tuple[int, ...] = ()
    profiles: tuple[str, ...] = ("sqlite", "postgresql")
    environment: dict[str, str] = field(default_factory=dict)
    tmpfs: str = ""


ROWS: dict[int, Row] = {}


def row(
    number: int, title: str, gate: int, full: int, **given: object
) -> Callable[[Play], Play]:
    """Put a function into the table."""

    def enter(play: Play) -> Play:
        ROWS[number] = Row(number, title, play, gate, full, **given)  # type: ignore[arg-type]
        return play

    return enter


def longest(seconds: list[float]) -> str:
    """The figure of most rows."""
    return f"{max(seconds):.1f} s" if seconds else "none"
