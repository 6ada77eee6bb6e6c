"""The page and the command line write numbers by the same rule."""

import random

import pytest

from fitserve.main_figure import figure_sentence
from fitserve.number_text import axis_texts, number_text
from fitserve.schemas.report import MainFigure
from tests.e2e_service import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.heavy]
SOURCE = (ROOT / "dashboard" / "static" / "modules" / "format.js").read_text()
FORMAT = """async ([name, source, values]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const format = await import(url);
  return values.map((value) => format[name](value));
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
    shown = page.evaluate(FORMAT, ["number", SOURCE, values])
    expected = [number_text(value) for value in values]
    pairs = zip(values, shown, expected, strict=True)
    assert [one for one in pairs if one[1] != one[2]] == []


def test_the_numbers_of_a_column_have_the_same_decimals(page):
    """Numbers of other sizes, and missing ones, stay as they are."""
    columns = [[0.9, 0.12341, None], [54.58, 3], [0.08814, 0.7047, 0], [1, 0.9956]]
    columns += [[1e-7, 0.5], [12_345.5, 1.25], [None], [0.5, 0.25]]
    shown = page.evaluate(FORMAT, ["aligned", SOURCE, columns])
    assert shown == [
        ["0.9000", "0.1234", "–"],
        ["54.58", "3.00"],
        ["0.0881", "0.7047", "0.0000"],
        ["1.0000", "0.9956"],
        ["0.0000", "0.5000"],
        ["12,345.5", "1.25"],
        ["–"],
        ["0.50", "0.25"],
    ]


def test_the_page_and_the_plots_write_axes_alike(page):
    """2,000 axes with round steps, of all sizes."""
    dice = random.Random(2)
    axes = []
    for _ in range(2_000):
        step = dice.choice([1, 2, 2.5, 5]) * 10.0 ** dice.randint(-8, 14)
        first = dice.randint(-9, 9)
        axes.append([float(f"{(first + i) * step:.12g}") for i in range(4)])
    shown = page.evaluate(FORMAT, ["axisTexts", SOURCE, axes])
    expected = [axis_texts(axis) for axis in axes]
    assert [
        one for one in zip(axes, shown, expected, strict=True) if one[1] != one[2]
    ] == []
    assert all(len(set(texts)) == len(texts) for texts in shown)


def main_figures(count: int) -> list[dict[str, object]]:
    """Draw main figures of all metrics, close intervals and halves included."""
    dice = random.Random(3)
    found: list[dict[str, object]] = []
    for _ in range(count):
        metric = dice.choice(["r2", "mae", "roc_auc", "accuracy"])
        size = 10 ** dice.uniform(-5, 7) if metric in ("r2", "mae") else 1.0
        sign = dice.choice([1, -1]) if metric == "r2" else 1
        value = sign * size * dice.choice([dice.random(), 0.125, 0.845, 1.0, 0.0])
        width = abs(value) * 10 ** dice.uniform(-6, 0)
        is_known = dice.random() < 0.8
        names = ["constant", "linear", "gradient_boosting"]
        baseline = {"name": dice.choice(names), "value": dice.random() * value}
        found.append({
            "metric": metric, "value": value,
            "low": value - width if is_known else None,
            "high": value + width if is_known else None,
            "side": dice.choice(["test", "validation"]),
            "num_rows": dice.choice([1, 400, 1_600, 12_345]),
            "baseline": dice.choice([None, baseline]),
        })  # fmt: skip
    return found


def test_the_page_and_the_command_line_write_main_figures_alike(page):
    """5,000 sentences of main figures."""
    read = [MainFigure.model_validate(one) for one in main_figures(5_000)]
    figures = [one.model_dump() for one in read]
    shown = page.evaluate(FORMAT, ["figureSentence", SOURCE, figures])
    expected = [figure_sentence(one) for one in read]
    pairs = zip(figures, shown, expected, strict=True)
    assert [one for one in pairs if one[1] != one[2]][:5] == []
