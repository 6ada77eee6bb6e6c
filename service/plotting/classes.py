"""How answers of a classification stand to the truth."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from service.plotting.style import BLUE, GREY, finish, shortened, unit_square

Data = dict[str, Any]
_MOST_NUMBERS = 12
"""Of classes whose cells have room for a number; more have room for colour alone."""
_MOST_NAMES = 40


def draw_confusion_matrix(figure: Figure, data: Data) -> None:
    """A row a true class, a column a predicted one; colour is the share of the row."""
    axes = figure.subplots()
    counts = np.array(data["counts"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colours = LinearSegmentedColormap.from_list("shares", ["#ffffff", BLUE])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    if len(counts) <= _MOST_NUMBERS:
        _write_counts(axes, counts, shares)
    finish(axes, data, x="predicted", y="true")
    axes.grid(visible=False)
    _name_classes(axes, data["labels"])


def _write_counts(axes: Axes, counts: Any, shares: Any) -> None:
    for (i, j), count in np.ndenumerate(counts):
        ink = "white" if shares[i, j] > 0.5 else "black"
        axes.text(j, i, f"{count:,}", ha="center", va="center", color=ink)


def _name_classes(axes: Axes, labels: list[str]) -> None:
    if len(labels) > _MOST_NAMES:
        axes.set(xticks=[], yticks=[])
        return
    names, places = [shortened(label) for label in labels], range(len(labels))
    is_wide = sum(map(len, names)) > 30
    size = "small" if len(labels) > _MOST_NUMBERS else "medium"
    axes.set_xticks(places, names, rotation=90 if is_wide else 0, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)


def draw_calibration(figure: Figure, data: Data) -> None:
    """How often what was predicted came true; the larger the dot, the more rows."""
    axes = figure.subplots()
    predicted = [one["mean_predicted"] for one in data["bins"]]
    true = [one["share_true"] for one in data["bins"]]
    rows = np.array([one["num_rows"] for one in data["bins"]])
    axes.plot([0, 1], [0, 1], ls=":", color=GREY, label="perfect")
    axes.plot(predicted, true, color=BLUE, lw=1)
    sizes = 20 + 160 * rows / rows.max()
    axes.scatter(predicted, true, s=sizes, color=BLUE, alpha=0.8, label="network")
    unit_square(axes)
    of = data["positive_class"]
    whose = f"of {shortened(of)}" if of is not None else "of the answer"
    finish(axes, data, x=f"predicted probability {whose}", y="share that came true")
