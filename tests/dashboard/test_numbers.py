"""The page and the command line write numbers by the same rule."""

import random

import pytest

from fitserve.number_text import number_text
from tests.e2e_service import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.heavy]
SOURCE = (ROOT / "dashboard" / "static" / "modules" / "format.js").read_text()
FORMAT = """async ([source, values]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { number } = await import(url);
  return values.map(number);
}"""
EDGES = [0.0, -0.0, 1e-4, 1e3, 1e4, 1e6, 1e15, 5e-324, 1.7e308, 2013.0, 0.1 + 0.2]
HALVES = [
    n + half for n in (0, 12, 999, 1_000, 9_999, 123_456) for half in (0.125, 0.5, 0.995)
]


def numbers(count: int) -> list[float]:
    """Draw numbers of all sizes, with few digits and with many."""
    dice = random.Random(1)
    drawn = [dice.uniform(-10, 10) * 10 ** dice.uniform(-7, 18) for _ in range(count)]
    short = [float(f"{one:.{dice.randint(1, 6)}g}") for one in drawn]
    near = [power * (1 + dice.uniform(-1, 1) * 1e-4) for power in EDGES[2:7]]
    return [*EDGES, *HALVES, *near, *drawn, *short]


def test_the_page_and_python_write_every_number_alike(page):
    """20,000 numbers of all sizes, halves and the limits of the rule included."""
    values = numbers(10_000)
    shown = page.evaluate(FORMAT, [SOURCE, values])
    expected = [number_text(value) for value in values]
    pairs = zip(values, shown, expected, strict=True)
    assert [one for one in pairs if one[1] != one[2]] == []
