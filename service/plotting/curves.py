"""Curves: a metric by epoch, ROC, precision over recall."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from service.plotting.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SERIES,
    finish,
    shortened,
    unit_square,
)

Data = dict[str, Any]


def draw_history(figure: Figure, data: Data) -> None:
    """Loss and validation loss by epoch; `best_epoch` is marked if there is one."""
    axes = figure.subplots()
    for name, colour in (("loss", BLUE), ("val_loss", ORANGE)):
        values = _numbers(data["history"].get(name, []))
        if values:
            marker = "o" if len(values) == 1 else None
            axes.plot(data["epoch"], values, marker=marker, label=name, color=colour)
    best = data["best_epoch"]
    if best is not None:
        label = f"kept, epoch {best}"
        axes.axvline(best, ls="--", lw=1, color=GREEN, label=label)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    finish(axes, data, x="epoch", y="loss")


def _numbers(values: list[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def draw_roc(figure: Figure, data: Data) -> None:
    """True over false positives; the diagonal is guessing."""
    axes = figure.subplots()
    _draw_classes(axes, data)
    axes.plot([0, 1], [0, 1], ls=":", color=GREY, label="guessing")
    unit_square(axes)
    finish(axes, data, x="false positive rate", y="true positive rate")


def draw_precision_recall(figure: Figure, data: Data) -> None:
    """Precision over recall; guessing is the share of the class."""
    axes = figure.subplots()
    _draw_classes(axes, data)
    if len(data["curves"]) == 1:
        share = data["curves"][0]["share"]
        axes.axhline(share, ls=":", color=GREY, label="guessing")
    unit_square(axes)
    finish(axes, data, x="recall", y="precision")


def _draw_classes(axes: Axes, data: Data) -> None:
    for i, curve in enumerate(data["curves"]):
        colour, dashed = SERIES[i % len(SERIES)], i >= len(SERIES)
        label, style = shortened(curve["label"]), "--" if dashed else "-"
        axes.plot(curve["x"], curve["y"], ls=style, color=colour, label=label)
