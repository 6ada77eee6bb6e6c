"""Collect the rows of the table in docs/reliability.md: a fault, counts, a figure."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.cluster import Cluster

Play = Callable[[Cluster, int, random.Random], str]
"""Play a fault on a cluster so many times; return the measured figure."""


@dataclass(frozen=True)
class Row:
    """One fault.

    Args:
        number: its place in the table.
        title: the fault.
        play: the function that causes the fault.
        default: how often without FULL=1.
        full: how often with FULL=1.
        apis, workers: processes that are up.
        allowed: 5xx statuses that the fault explains.
        profiles: those to which it applies.
        environment: settings of the cluster.
        tmpfs: size of a separate disk for the home, which only root can mount.

    """

    number: int
    title: str
    play: Play
    default: int
    full: int
    apis: int = 1
    workers: int = 2
    allowed: tuple[int, ...] = ()
    profiles: tuple[str, ...] = ("sqlite", "postgresql")
    environment: dict[str, str] = field(default_factory=dict)
    tmpfs: str = ""


ROWS: dict[int, Row] = {}


def row(
    number: int, title: str, default: int, full: int, **given: object
) -> Callable[[Play], Play]:
    """Return a decorator that adds a function to the table."""

    def enter(play: Play) -> Play:
        ROWS[number] = Row(number, title, play, default, full, **given)  # type: ignore[arg-type]
        return play

    return enter


def longest(seconds: list[float]) -> str:
    """Return the figure of most rows, the longest time."""
    return f"{max(seconds):.1f} s" if seconds else "none"
