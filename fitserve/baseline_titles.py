"""Name the baselines of a report in words, the same in all sentences and tables."""

_OF_VALUES = frozenset(("r2", "mae"))
"""Metrics of regressions."""


def baseline_title(name: str, metric: str) -> str:
    """Return the name of a baseline in words; `constant` has a name for each metric."""
    if name == "constant":
        return "the mean" if metric in _OF_VALUES else "the majority class"
    return name.replace("_", " ")
