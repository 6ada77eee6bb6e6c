"""What all pictures have in common."""

from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, GREY = "#1f4fd8", "#c2570c", "#12693b", "#878f9c"
INK = "#565f6e"
SERIES = (BLUE, ORANGE, "#0f7b6c", "#a3249c", "#58710a", "#6d4bd0", "#b3261e", "#5c6675")
_LONGEST = 24

rcParams["svg.hashsalt"] = "fitserve"  # or the names inside differ at every drawing
rcParams["text.parse_math"] = False  # a column may be called "$a$"


def finish(axes: Axes, data: dict[str, Any], x: str, y: str) -> None:
    """Names of the axes, a grid, and what the picture is of."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if title := data.get("title"):
        axes.set_title(title, loc="left", fontsize="medium", color=INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)


def unit_square(axes: Axes) -> None:
    """Both axes from 0 to 1, as long as each other."""
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")


def shortened(name: str) -> str:
    """A name that does not take the picture's room."""
    line = " ".join(name.split()).lstrip("_") or name
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
