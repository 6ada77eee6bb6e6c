"""Say in words whether a main figure is better than another one."""

from fitserve.main_figure import figure_text, is_less_better
from fitserve.metric_names import metric_title
from fitserve.number_text import number_text, rows_text
from fitserve.schemas.comparison import CommonFigures
from fitserve.schemas.report import MainFigure

NO_CLEAR_DIFFERENCE = "no clear difference"


def direction(metric: str, difference: float) -> str:
    """Return whether a figure is better or worse, by its difference from another one."""
    if difference == 0:
        return "level"
    return "better" if (difference < 0) == is_less_better(metric) else "worse"


def figures_direction(new: MainFigure, old: MainFigure) -> str:
    """Return whether a figure is better or worse than an older one of the same metric.

    Figures that are written alike are level.
    """
    if figure_text(new) == figure_text(old):
        return "level"
    return direction(new.metric, new.value - old.value)


def overlap_text(new: MainFigure, old: MainFigure) -> str:
    """Return whether the 95 % intervals of two figures overlap; empty without both."""
    if new.low is None or new.high is None or old.low is None or old.high is None:
        return ""
    overlap = new.low <= old.high and old.low <= new.high
    return f"the intervals {'overlap' if overlap else 'do not overlap'}"


def common_rows_text(common: CommonFigures) -> str:
    """Return the metric and the rows on which both runs were scored."""
    rows = rows_text(common.num_rows, f"common {common.side}")
    return f"{metric_title(common.metric)} on {rows}"


def common_direction(common: CommonFigures) -> str | None:
    """Return whether the second figure is better; None without both figures.

    An interval that contains 0 shows no clear difference.
    """
    first, second = common.values
    if first is None or second is None:
        return None
    low, high = common.low, common.high
    if low is not None and high is not None and low <= 0 <= high:
        return NO_CLEAR_DIFFERENCE
    return direction(common.metric, second - first)


def difference_text(common: CommonFigures) -> str:
    """Return the second figure minus the first, and its interval; empty without both."""
    first, second = common.values
    if first is None or second is None:
        return ""
    text = number_text(second - first)
    if common.low is None or common.high is None:
        return text
    return f"{text} ({number_text(common.low)} to {number_text(common.high)})"


def common_difference(common: CommonFigures) -> str | None:
    """Return the second figure minus the first, its interval, and what it means."""
    word = common_direction(common)
    return None if word is None else f"{difference_text(common)}: {word}"
