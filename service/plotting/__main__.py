"""`python -m service.plotting KIND FORM`: JSON comes in, SVG or PNG goes out.

The form is what the page draws too: training blue, validation orange, the kept epoch
marked.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from matplotlib.figure import Figure

from service.plotting import classes, curves, numbers

_DPI = 144
_WIDE, _SQUARE = (7.0, 4.0), (5.5, 5.0)
Drawer = Callable[[Figure, dict[str, Any]], None]

DRAWERS: dict[str, tuple[tuple[float, float], Drawer]] = {
    "history": (_WIDE, curves.draw_history),
    "confusion_matrix": (_SQUARE, classes.draw_confusion_matrix),
    "roc": (_SQUARE, curves.draw_roc),
    "precision_recall": (_SQUARE, curves.draw_precision_recall),
    "calibration": (_SQUARE, classes.draw_calibration),
    "actual_vs_predicted": (_SQUARE, numbers.draw_actual_vs_predicted),
    "residuals": (_WIDE, numbers.draw_residuals),
    "importance": (_WIDE, numbers.draw_importance),
    "baselines": (_WIDE, numbers.draw_baselines),
}
"""By kind: inches, and what draws it."""


def draw(kind: str, form: str, data: dict[str, Any], out: BinaryIO) -> None:
    """Write the picture; the same data gives the same bytes."""
    size, drawer = DRAWERS[kind]
    figure = Figure(figsize=size, layout="constrained")
    drawer(figure, data)
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    figure.savefig(out, format=form, dpi=_DPI, metadata=metadata)


if __name__ == "__main__":
    draw(sys.argv[1], sys.argv[2], json.load(sys.stdin), sys.stdout.buffer)
