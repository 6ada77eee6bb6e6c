"""A process of its own that draws one picture: JSON comes in, SVG or PNG goes out.

`python -m service.plotting` holds matplotlib, so the API never does. Its form is what the
page draws too: training blue, validation orange, the kept epoch marked.
"""

import json
import math
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_TRAINING, _VALIDATION, _KEPT = "#1f4fd8", "#c2570c", "#12693b"
_DPI = 144
rcParams["svg.hashsalt"] = "fitserve"  # or the names inside differ at every drawing

Data = dict[str, Any]


def draw_history(figure: Figure, data: Data) -> None:
    """Loss and validation loss by epoch; `best_epoch` is marked if there is one."""
    axes = figure.subplots()
    for name, colour in (("loss", _TRAINING), ("val_loss", _VALIDATION)):
        values = _numbers(data["history"].get(name, []))
        if values:
            marker = "o" if len(values) == 1 else ""
            axes.plot(data["epoch"], values, marker, ls="-", label=name, color=colour)
    best = data["best_epoch"]
    if best is not None:
        label = f"best, epoch {best}"
        axes.axvline(best, ls="--", lw=1, color=_KEPT, label=label)
    _finish(axes, x="epoch", y="loss")


def _finish(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)


def _numbers(values: list[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


DRAWERS: dict[str, Callable[[Figure, Data], None]] = {"history": draw_history}


def draw(kind: str, form: str, data: Data, out: BinaryIO) -> None:
    """Write the picture; the same data gives the same bytes."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    DRAWERS[kind](figure, data)
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    figure.savefig(out, format=form, dpi=_DPI, metadata=metadata)


if __name__ == "__main__":
    draw(sys.argv[1], sys.argv[2], json.load(sys.stdin), sys.stdout.buffer)
