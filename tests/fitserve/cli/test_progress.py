"""The progress of a run: a bar in a terminal, lines elsewhere, and a curve at the end."""

import io
import re
import time

import pytest
from rich.console import Console

from fitserve.cli import progress
from fitserve.client.following import EpochEvent
from tests.fitserve.client import bodies


def test_the_bar_shows_the_time_left_while_it_runs(monkeypatch):
    """`eta_seconds` assumes all epochs, but early stopping may end the run earlier."""
    monkeypatch.setenv("TERM", "xterm")  # a dumb terminal has no bar
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    with progress._bar(console, 5) as show:
        assert "waiting for a worker" in screen.getvalue()
        show(EpochEvent.model_validate(bodies.epoch(1, eta_seconds=4000.0)))
        show(EpochEvent.model_validate(bodies.epoch(2, eta_seconds=67.4)))
        deadline = time.monotonic() + 5  # the bar is updated ten times per second
        while "≤ 1:07" not in screen.getvalue():
            assert time.monotonic() < deadline, screen.getvalue()
            time.sleep(0.02)
    assert "66:" not in screen.getvalue()  # the first epoch also builds the network


def test_the_bar_fits_a_terminal_of_80_columns(monkeypatch):
    """Nothing is truncated, even with long numbers."""
    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    metrics = {"loss": 0.00002123, "val_loss": 0.0001765}
    with progress._bar(console, 1500) as show:
        for number in range(1, 1500):
            event = bodies.epoch(number, epochs=1500, metrics=metrics, eta_seconds=599.0)
            show(EpochEvent.model_validate(event))
        deadline = time.monotonic() + 5
        while not re.search(
            r"1499/1500 .* val_loss 0.0001765 .*/s ≤ 9:59", screen.getvalue()
        ):
            assert time.monotonic() < deadline, screen.getvalue()
            time.sleep(0.02)
    assert "…" not in screen.getvalue()


def test_without_a_terminal_one_line_per_second_is_printed(monkeypatch):
    """Five epochs in two seconds give two lines."""
    clock = iter([10.0, 10.0, 10.5, 10.9, 11.0, 11.0, 11.5])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    written = io.StringIO()
    with progress._lines(Console(file=written)) as show:
        for number in range(1, 6):
            show(EpochEvent.model_validate(bodies.epoch(number)))
    assert [line.split()[1] for line in written.getvalue().splitlines()] == ["1/5", "4/5"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ""),
        ([3.0], "▁"),
        ([2.0, 1.0], "█▁"),
        ([0.0, 1.0, 2.0, 3.0], "▁▃▆█"),
        ([5.0, 5.0], "▁▁"),
    ],
)
def test_a_curve_is_a_line_of_bars(values, expected):
    """The lowest value has the lowest bar."""
    assert progress.sparkline(values) == expected


def test_a_long_curve_is_drawn_whole():
    """The bars are means, from the first epoch to the last."""
    assert progress.sparkline([float(-i) for i in range(10_000)], width=8) == "█▇▆▅▄▃▂▁"
