"""The baselines themselves: scikit-learn's models, fitted within a time.

Nothing in scikit-learn can be interrupted. So they are fitted in rounds, each going on
where the last one ended, and the clock is looked at between two.
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
_STEPS_A_ROUND = 20


@dataclass(frozen=True)
class Fitted:
    """A fitted baseline; `note` says where it was not fitted to its end."""

    model: Any
    note: str | None = None

    @property
    def estimator(self) -> str:
        """The name of its class."""
        return type(self.model).__name__


def constant(form: Form, y: Numbers, *, is_regression: bool) -> Fitted:
    """The mean; or the most frequent class, with every class at its share."""
    model = DummyRegressor() if is_regression else DummyClassifier(strategy="prior")
    return Fitted(model.fit(form.x, y))


def linear(form: Form, y: Numbers, until: float, *, is_regression: bool) -> Fitted:
    """Ridge or logistic regression with scikit-learn's defaults."""
    if is_regression:
        return Fitted(Ridge().fit(form.x, y))
    model = LogisticRegression(max_iter=_STEPS_A_ROUND, warm_start=True)
    for _ in range(0, _STEPS, _STEPS_A_ROUND):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # looked at below
            model.fit(form.x, y)
        if np.max(model.n_iter_) < _STEPS_A_ROUND:
            return Fitted(model)
        if time.monotonic() > until:
            return Fitted(model, "its time was up before it had converged")
    return Fitted(model, f"it had not converged after {_STEPS} steps")


def gradient_boosting(
    form: Form, y: Numbers, until: float, seed: int, *, is_regression: bool
) -> Fitted:
    """Histogram gradient boosting with scikit-learn's defaults: up to 100 rounds."""
    kind = (
        HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
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
        model.fit(form.x, y)
        if model.n_iter_ >= _TREES or model.n_iter_ < model.max_iter:
            return Fitted(model)  # all of them, or stopped early by its own rule
        pace = (time.monotonic() - began) / (model.n_iter_ - before)
        more = int((until - time.monotonic()) / pace)
        if more < 1:
            note = f"its time was up after {model.n_iter_} of {_TREES} rounds"
            return Fitted(model, note)
        # few at first: a round is slower or quicker than the first one promised
        model.max_iter = min(_TREES, model.n_iter_ + min(more, 5 * model.n_iter_))
