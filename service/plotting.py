"""Draw one plot: `python -m service.plotting KIND FORM` reads JSON, writes SVG or PNG.

A separate process draws, so that the API does not load matplotlib.
"""

import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Literal

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, MaxNLocator, ScalarFormatter

from fitserve.baseline_titles import baseline_title
from fitserve.number_text import axis_texts, number_text

BLUE, ORANGE, GREEN, GREY = "#1f4fd8", "#c2570c", "#12693b", "#878f9c"
INK = "#565f6e"
SERIES = (BLUE, ORANGE, "#0f7b6c", "#a3249c", "#58710a", "#6d4bd0", "#b3261e", "#5c6675")
_DPI = 144
_WIDE, _SQUARE = (7.0, 4.0), (5.5, 5.0)
_MOST_COUNTS = 12
"""With more classes, the cells of a matrix show only a colour, and no number."""
_MOST_NAMES = 40
_LONGEST = 24

rcParams["svg.hashsalt"] = "fitserve"  # ids that are the same in every drawing
rcParams["text.parse_math"] = False  # a column may be called "$a$"

PlotData = dict[str, Any]
Grid = Literal["both", "x"]


def draw_history(axes: Axes, data: PlotData) -> None:
    """Draw loss and validation loss by epoch, and mark `best_epoch` if there is one."""
    for name, colour in (("loss", BLUE), ("val_loss", ORANGE)):
        values = data["history"].get(name, [])
        if values:
            known = [math.nan if value is None else value for value in values]
            marker = "o" if len(values) == 1 else None
            axes.plot(data["epoch"], known, marker=marker, label=name, color=colour)
    best = data["best_epoch"]
    if best is not None:
        axes.axvline(best, ls="--", lw=1, color=GREEN, label=f"kept, epoch {best}")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.set(xlabel="epoch", ylabel="loss")


def draw_roc(axes: Axes, data: PlotData) -> None:
    """Draw the true over the false positive rate; the diagonal means guessing."""
    _draw_curves(axes, data)
    axes.plot([0, 1], [0, 1], ls=":", color=GREY, label="guessing")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")


def draw_precision_recall(axes: Axes, data: PlotData) -> None:
    """Draw precision over recall; guessing has the share of the class as precision."""
    _draw_curves(axes, data)
    if len(data["curves"]) == 1:
        share = data["curves"][0]["share"]
        axes.axhline(share, ls=":", color=GREY, label="guessing")
    axes.set(xlabel="recall", ylabel="precision")


def _draw_curves(axes: Axes, data: PlotData) -> None:
    for i, curve in enumerate(data["curves"]):
        colour, style = SERIES[i % len(SERIES)], "--" if i >= len(SERIES) else "-"
        label = _shortened(curve["label"])
        axes.plot(curve["x"], curve["y"], ls=style, color=colour, label=label)
    _unit_square(axes)


def draw_calibration(axes: Axes, data: PlotData) -> None:
    """Draw how often predictions came true; larger dots mean more rows."""
    predicted = [one["mean_predicted"] for one in data["bins"]]
    true = [one["share_true"] for one in data["bins"]]
    rows = np.array([one["num_rows"] for one in data["bins"]])
    axes.plot([0, 1], [0, 1], ls=":", color=GREY, label="perfect")
    axes.plot(predicted, true, color=BLUE, lw=1)
    sizes = 20 + 160 * rows / rows.max()
    axes.scatter(predicted, true, s=sizes, color=BLUE, alpha=0.8, label="network")
    _unit_square(axes)
    positive = data["positive_class"]
    whose = f"of {_shortened(positive)}" if positive is not None else "of the answer"
    axes.set(xlabel=f"predicted probability {whose}", ylabel="share that came true")


def draw_confusion_matrix(axes: Axes, data: PlotData) -> None:
    """Draw a row per true and a column per predicted class, coloured by share of row."""
    counts = np.array(data["counts"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colours = LinearSegmentedColormap.from_list("shares", ["#ffffff", BLUE])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    if len(counts) <= _MOST_COUNTS:
        for (i, j), count in np.ndenumerate(counts):
            ink = "white" if shares[i, j] > 0.5 else "black"
            axes.text(j, i, f"{count:,}", ha="center", va="center", color=ink)
    axes.set(xlabel="predicted", ylabel="true")
    _name_classes(axes, data["labels"])


def _name_classes(axes: Axes, labels: list[str]) -> None:
    if len(labels) > _MOST_NAMES:
        axes.set(xticks=[], yticks=[])
        return
    names, places = [_shortened(label) for label in labels], range(len(labels))
    is_wide = sum(map(len, names)) > 30
    size = "small" if len(labels) > _MOST_COUNTS else "medium"
    axes.set_xticks(places, names, rotation=90 if is_wide else 0, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)


def draw_actual_vs_predicted(axes: Axes, data: PlotData) -> None:
    """Draw a dot per row; on the diagonal, prediction and target are equal."""
    both = [*data["actual"], *data["predicted"]]
    ends = [min(both), max(both)]
    axes.plot(ends, ends, ls=":", color=GREY, label="perfect")
    axes.scatter(data["predicted"], data["actual"], s=14, color=BLUE, alpha=0.5)
    axes.set(xlabel="predicted", ylabel="actual")


def draw_residuals(axes: Axes, data: PlotData) -> None:
    """Draw target minus prediction over the prediction."""
    pairs = zip(data["actual"], data["predicted"], strict=True)
    residuals = [actual - predicted for actual, predicted in pairs]
    axes.axhline(0, ls=":", color=GREY)
    axes.scatter(data["predicted"], residuals, s=14, color=BLUE, alpha=0.5)
    axes.set(xlabel="predicted", ylabel="actual minus predicted")


def draw_importance(axes: Axes, data: PlotData) -> None:
    """Draw how much the loss grows without each feature, the most important on top."""
    features = data["features"]
    names = [_shortened(one["feature"]) for one in features]
    deviations = [one["deviation"] for one in features]
    means = [one["mean"] for one in features]
    _draw_bars(axes, names, means, xerr=deviations, color=BLUE)
    axes.set_xlabel(f"how much {data['metric']} grows when it is shuffled")


def draw_baselines(axes: Axes, data: PlotData) -> None:
    """Draw one metric of the network and of each baseline."""
    models = data["models"]
    names = [baseline_title(one["name"], data["metric"]) for one in models]
    colours = [BLUE, *[ORANGE] * (len(models) - 1)]
    bars = _draw_bars(axes, names, [one["value"] for one in models], color=colours)
    axes.bar_label(bars, fmt=number_text, padding=4)
    axes.margins(x=0.12)
    axes.set_xlabel(data["figure"])


def _draw_bars(axes: Axes, names: list[str], values: list[float], **look: Any) -> Any:
    """Draw bars from top to bottom, by position: two shortened names may be equal."""
    places = range(len(names))
    bars = axes.barh(places, values, height=0.7, ecolor=GREY, **look)
    size = "small" if len(names) > 12 else "medium"
    axes.set_yticks(places, names, fontsize=size)
    axes.invert_yaxis()
    return bars


def _finish(axes: Axes, title: str | None, grid: Grid | None) -> None:
    """Add the title, the legend, the grid lines and the numbers of the axes."""
    for axis in (axes.xaxis, axes.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(_Ticks())
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(alpha=0.3, axis=grid)
    axes.spines[["top", "right"]].set_visible(False)
    if title:
        axes.set_title(title, loc="left", fontsize="medium", color=INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)


class _Ticks(Formatter):
    """Write ticks by the rule for all numbers."""

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002
        return number_text(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the texts of all ticks, without the digits of rounding errors."""
        power = math.floor(math.log10(max(map(abs, values), default=0.0) or 1.0))
        return axis_texts([round(float(value), 12 - power) for value in values])


def _unit_square(axes: Axes) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")


def _shortened(name: str) -> str:
    line = " ".join(name.split()).lstrip("_") or name
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


Drawer = Callable[[Axes, PlotData], None]
DRAWERS: dict[str, tuple[tuple[float, float], Grid | None, Drawer]] = {
    "history": (_WIDE, "both", draw_history),
    "confusion_matrix": (_SQUARE, None, draw_confusion_matrix),
    "roc": (_SQUARE, "both", draw_roc),
    "precision_recall": (_SQUARE, "both", draw_precision_recall),
    "calibration": (_SQUARE, "both", draw_calibration),
    "actual_vs_predicted": (_SQUARE, "both", draw_actual_vs_predicted),
    "residuals": (_WIDE, "both", draw_residuals),
    "importance": (_WIDE, "x", draw_importance),
    "baselines": (_WIDE, "x", draw_baselines),
}
"""The size in inches, the grid lines and the function of each plot."""


def draw(kind: str, form: str, data: PlotData, out: BinaryIO) -> None:
    """Write the plot; the same data gives the same bytes."""
    size, grid, drawer = DRAWERS[kind]
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    drawer(axes, data)
    _finish(axes, data.get("title"), grid)
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    figure.savefig(out, format=form, dpi=_DPI, metadata=metadata)


if __name__ == "__main__":
    draw(sys.argv[1], sys.argv[2], json.load(sys.stdin), sys.stdout.buffer)
