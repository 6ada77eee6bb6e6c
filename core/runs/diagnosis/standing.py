"""Compare a network's error with those of its baselines."""

from typing import NamedTuple

from core.runs.diagnosis.facts import Facts
from fitserve.baseline_titles import baseline_title
from fitserve.metric_names import metric_title
from fitserve.number_text import number_text

ON_PAR = 0.05
"""A network with an error up to this share above the best baseline's is as good."""
SLACK = 0.01
"""A difference below this share of the error of a constant prediction does not count."""
NO_SKILL = 0.98
"""The least share of that error with which a model predicts next to nothing."""


def is_above(facts: Facts, share: float) -> bool:
    """Return whether the error exceeds the best baseline's by more than a share of it."""
    rival, error = facts.best_rival, facts.error
    if rival is None or error is None:
        return False
    slack = SLACK * facts.chance if facts.chance is not None else 0.0
    return error > rival[1] * (1 + share) and error > rival[1] + slack


def is_within_chance(facts: Facts) -> bool:
    """Return whether no baseline has a clearly better main figure than the network.

    A figure inside the network's interval is not clearly better. False if the interval or
    the baselines are not known.
    """
    figure = facts.main_figure
    if figure is None or figure.baseline is None or not facts.has_fitted_rival:
        return False
    return figure.high is not None and figure.baseline.value <= figure.high


def is_on_par(facts: Facts) -> bool:
    """Return whether no baseline is much better; False if the errors are unknown."""
    is_known = facts.best_rival is not None and facts.error is not None
    return is_known and not is_above(facts, ON_PAR)


def is_good(facts: Facts) -> bool:
    """Return whether the network is on par with a baseline that was fitted."""
    return facts.has_fitted_rival and is_on_par(facts)


def is_level(facts: Facts) -> bool:
    """Return whether the network is good, or behind the best baseline by chance."""
    return is_good(facts) or is_within_chance(facts)


def is_best(facts: Facts) -> bool:
    """Return whether the network is better than every baseline."""
    rival, error = facts.best_rival, facts.error
    return rival is not None and error is not None and error < rival[1]


class Standing(NamedTuple):
    """The standing of a network whose curve is fine, in words."""

    title: str
    sentence: str
    advice: str


def standing_of(facts: Facts) -> Standing:
    """Return the standing of a network with a fine curve."""
    rival, error = facts.best_rival, facts.error
    if rival is None or error is None or not facts.has_fitted_rival:
        advice = "The curve gives no reason to change the network."
        return Standing("The curve is fine", "", advice)
    if not is_on_par(facts):
        sentence = better_rival_text(facts, rival, error)
        if is_within_chance(facts):
            sentence += ", but no baseline has a clearly better main figure"
        advice = "The curve gives no reason to change the network; more rows or features"
        return Standing("The curve is fine", sentence, f"{advice} would help.")
    chance = facts.chance
    if chance is not None and min(error, rival[1]) > NO_SKILL * chance:
        return Standing(
            "The features say little about the target",
            f"by {metric_title(facts.metric)}, no model is much better than a constant "
            f"prediction ({_figures_text(facts, rival, error)})",
            "Other features, or more rows, would help; another network hardly would.",
        )
    is_ahead = is_best(facts) and error < rival[1] * (1 - ON_PAR)
    place = (
        "better than the best baseline" if is_ahead else "level with the best baseline"
    )
    sentence = (
        f"by {metric_title(facts.metric)}, the network is {place} "
        f"({_figures_text(facts, rival, error)})"
    )
    return Standing("Good", sentence, "More rows or features would help.")


def better_rival_text(facts: Facts, rival: tuple[str, float], error: float) -> str:
    """Return the clause that a baseline is better, with the metric and both figures."""
    name, metric = baseline_title(rival[0], facts.metric), metric_title(facts.metric)
    return f"by {metric}, {name} is better ({_figures_text(facts, rival, error)})"


def _figures_text(facts: Facts, rival: tuple[str, float], error: float) -> str:
    """Return the compared figures of the network and a baseline as text."""
    name = baseline_title(rival[0], facts.metric)
    return f"network {_figure(facts, error)}, {name} {_figure(facts, rival[1])}"


def _figure(facts: Facts, error: float) -> str:
    """Return an error as text: R² (1 - error), or the log loss itself."""
    return number_text(1 - error if facts.metric == "r2" else error)
