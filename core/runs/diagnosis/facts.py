"""Facts of a run that its diagnosis uses in addition to the curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.runs.spec import ResolvedSpec
from fitserve.enums import StopReason
from fitserve.schemas.report import MainFigure, Metrics, Trap

_CONSTANT = "constant"
"""The baseline that predicts one value, or one probability for each class."""


@dataclass(frozen=True)
class Facts:
    """The facts of a run.

    Args:
        stop_reason: why training stopped; None while the run is in progress.
        spec: the run's spec.
        metrics: the network's metrics on held-out rows, if they are known.
        training_metrics: its metrics on training rows.
        rivals: the metrics of baselines on the held-out rows, by name.
        num_train_rows: the number of training rows.
        traps: the problems of the data.
        features: the columns that are inputs of the network.
        main_figure: the network's main figure with its interval, if it was measured.
        kept_epoch: the epoch whose weights are kept, from 1 in the curve that is
            diagnosed; None without weights.

    """

    stop_reason: StopReason | None
    spec: ResolvedSpec
    metrics: Metrics
    training_metrics: Metrics
    rivals: dict[str, Metrics]
    num_train_rows: int
    traps: Sequence[Trap] = ()
    features: Sequence[str] = ()
    main_figure: MainFigure | None = None
    kept_epoch: int | None = None

    @property
    def metric(self) -> str:
        """Return the metric by which networks and baselines are compared."""
        return "log_loss" if self.metrics.get("r2") is None else "r2"

    @property
    def error(self) -> float | None:
        """Return the network's error, comparable with that of `best_rival`."""
        return error_of(self.metrics)

    @property
    def training_error(self) -> float | None:
        """Return the network's error on training rows."""
        return error_of(self.training_metrics)

    @property
    def best_rival(self) -> tuple[str, float] | None:
        """Return the baseline with the lowest error, and that error."""
        known = {name: error_of(metrics) for name, metrics in self.rivals.items()}
        errors = [(error, name) for name, error in known.items() if error is not None]
        if not errors:
            return None
        error, name = min(errors)
        return name, error

    @property
    def skill(self) -> float | None:
        """Return R² on training rows, or the share by which log loss is below chance."""
        r2 = self.training_metrics.get("r2")
        if r2 is not None:
            return r2
        log_loss, chance = self.training_metrics.get("log_loss"), self.chance
        if log_loss is None or not chance:
            return None
        return 1 - log_loss / chance

    @property
    def has_fitted_rival(self) -> bool:
        """Return whether a baseline other than the constant prediction was measured."""
        return any(
            error_of(metrics) is not None
            for name, metrics in self.rivals.items()
            if name != _CONSTANT
        )

    @property
    def chance(self) -> float | None:
        """Return the error of a constant prediction, if it is known."""
        if self.metrics.get("r2") is not None:
            return 1.0  # 1 - R² is relative to it
        return self.rivals.get(_CONSTANT, {}).get("log_loss")

    @property
    def error_over_chance(self) -> float | None:
        """Return the network's error divided by that of a constant prediction."""
        return (
            self.error / self.chance if self.error is not None and self.chance else None
        )

    @property
    def are_losses_comparable(self) -> bool:
        """Return whether training and validation loss are on the same scale.

        Class weights weigh only the training loss. With sample weights, Keras divides by
        the number of rows, so each loss grows with the mean weight of its own rows.
        """
        fit = self.spec.fit
        return fit.class_weight is None and fit.sample_weight is None

    @property
    def is_standardized(self) -> bool:
        """Return whether features are standardized; then the fit begins near the mean."""
        return self.spec.features.standardize


def error_of(metrics: Metrics) -> float | None:
    """Return the unexplained share, 1 - R², or the log loss."""
    r2 = metrics.get("r2")
    return 1 - r2 if r2 is not None else metrics.get("log_loss")
