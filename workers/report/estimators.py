"""Fit scikit-learn's models as baselines, within a time limit.

scikit-learn cannot be interrupted. So a model is fitted in rounds. Each round continues
the previous one, and the time is checked between two rounds.
"""

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from core.models.scores import Numbers
from workers.report.forms import Form

_TREES = 100
_STEPS = 200
_STEPS_PER_ROUND = 20


@dataclass(frozen=True)
class Goal:
    """The targets of the training rows, and their sample weights if there are any."""

    y: Numbers
    weights: Numbers | None
    is_regression: bool


@dataclass(frozen=True)
class FittedBaseline:
    """A fitted model. `note` gives the reason if the fit was stopped before its end."""

    model: Any
    note: str | None = None

    def answers(self, x: Numbers, num_classes: int) -> Numbers:
        """Return values `[N]`, or probabilities `[N, num_classes]`.

        A class that the training rows lack has the probability 0.
        """
        if not num_classes:
            values: Numbers = self.model.predict(x).astype(np.float64)
            return values
        probabilities = np.zeros((len(x), num_classes))
        seen = self.model.classes_.astype(np.int64)
        probabilities[:, seen] = self.model.predict_proba(x)
        return probabilities


def constant(form: Form, goal: Goal) -> FittedBaseline:
    """Fit a model that predicts the mean, or the share of each class."""
    model = DummyRegressor() if goal.is_regression else DummyClassifier(strategy="prior")
    return FittedBaseline(model.fit(form.x, goal.y, sample_weight=goal.weights))


def linear(form: Form, goal: Goal, until: float) -> FittedBaseline:
    """Fit ridge or logistic regression with scikit-learn's defaults."""
    if goal.is_regression:
        return FittedBaseline(Ridge().fit(form.x, goal.y, sample_weight=goal.weights))
    model = LogisticRegression(max_iter=_STEPS_PER_ROUND, warm_start=True)
    for _ in range(0, _STEPS, _STEPS_PER_ROUND):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # checked below
            model.fit(form.x, goal.y, sample_weight=goal.weights)
        if np.max(model.n_iter_) < _STEPS_PER_ROUND:
            return FittedBaseline(model)
        if time.monotonic() > until:
            return FittedBaseline(model, "it did not converge before the time limit")
    return FittedBaseline(model, f"it did not converge in {_STEPS} steps")


def gradient_boosting(form: Form, goal: Goal, until: float, seed: int) -> FittedBaseline:
    """Fit histogram gradient boosting with scikit-learn's defaults, up to 100 rounds."""
    kind = (
        HistGradientBoostingRegressor
        if goal.is_regression
        else HistGradientBoostingClassifier
    )
    model = kind(
        categorical_features=form.is_category,
        warm_start=True,
        max_iter=1,
        random_state=seed,
    )
    while True:
        began = time.monotonic()
        before = getattr(model, "n_iter_", 0)
        model.fit(form.x, goal.y, sample_weight=goal.weights)
        if model.n_iter_ >= _TREES or model.n_iter_ < model.max_iter:
            return FittedBaseline(model)  # all rounds, or scikit-learn stopped it early
        seconds_per_round = (time.monotonic() - began) / (model.n_iter_ - before)
        more = int((until - time.monotonic()) / seconds_per_round)
        if more < 1:
            note = f"it reached its time limit after {model.n_iter_} of {_TREES} rounds"
            return FittedBaseline(model, note)
        # only a few more rounds at first: the time of one round is a poor estimate
        model.max_iter = min(_TREES, model.n_iter_ + min(more, 5 * model.n_iter_))
