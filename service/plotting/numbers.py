"""Predicted numbers against true ones, and bars."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from service.plotting.style import BLUE, GREY, ORANGE, finish, shortened

Data = dict[str, Any]


def draw_actual_vs_predicted(figure: Figure, data: Data) -> None:
    """A dot a row; on the diagonal prediction and target are the same."""
    axes = figure.subplots()
    both = [*data["actual"], *data["predicted"]]
    ends = [min(both), max(both)]
    axes.plot(ends, ends, ls=":", color=GREY, label="perfect")
    axes.scatter(data["predicted"], data["actual"], s=14, color=BLUE, alpha=0.5)
    finish(axes, data, x="predicted", y="actual")


def draw_residuals(figure: Figure, data: Data) -> None:
    """Target minus prediction, over the prediction."""
    axes = figure.subplots()
    pairs = zip(data["actual"], data["predicted"], strict=True)
    residuals = [actual - predicted for actual, predicted in pairs]
    axes.axhline(0, ls=":", color=GREY)
    axes.scatter(data["predicted"], residuals, s=14, color=BLUE, alpha=0.5)
    finish(axes, data, x="predicted", y="actual minus predicted")


def draw_importance(figure: Figure, data: Data) -> None:
    """How much the loss grows without each feature, the most important on top."""
    axes = figure.subplots()
    features = data["features"]
    _draw_bars(
        axes,
        [shortened(one["feature"]) for one in features],
        [one["mean"] for one in features],
        xerr=[one["deviation"] for one in features],
        color=BLUE,
    )
    finish(axes, data, x=f"how much {data['metric']} grows when it is shuffled", y="")
    axes.grid(visible=False, axis="y")


def draw_baselines(figure: Figure, data: Data) -> None:
    """The network and what it has to be better than, by one figure."""
    axes = figure.subplots()
    models = data["models"]
    values = [one["value"] for one in models]
    names = [one["name"].replace("_", " ") for one in models]
    colours = [BLUE, *[ORANGE] * (len(models) - 1)]
    bars = _draw_bars(axes, names, values, color=colours)
    axes.bar_label(bars, fmt="{:.3f}", padding=4)
    axes.margins(x=0.12)
    finish(axes, data, x=data["figure"], y="")
    axes.grid(visible=False, axis="y")


def _draw_bars(axes: Axes, names: list[str], values: list[float], **look: Any) -> Any:
    """The first on top. By place and not by name, as two may be shortened to one."""
    places = range(len(names))
    bars = axes.barh(places, values, height=0.7, ecolor=GREY, **look)
    size = "small" if len(names) > 12 else "medium"
    axes.set_yticks(places, names, fontsize=size)
    axes.invert_yaxis()
    return bars
