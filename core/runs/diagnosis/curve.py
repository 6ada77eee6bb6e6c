"""Describe a learning curve by the numbers that its diagnosis uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

History = Mapping[str, Sequence[float | None]]

_WINDOW = 0.1
"""The share of the epochs that counts as the end of the curve."""


@dataclass(frozen=True)
class Curve:
    """The loss of each epoch on training rows, and on validation rows if there are any.

    Both lists end before the first epoch whose loss is not a number.
    """

    loss: list[float]
    val_loss: list[float]
    is_broken: bool
    """Whether the loss of an epoch is not a number."""

    @classmethod
    def of(cls, history: History) -> "Curve":
        """Return the curve of Keras's history."""
        loss = list(history.get("loss", []))
        val = list(history.get("val_loss", []))
        ends = [values.index(None) for values in (loss, val) if None in values]
        end = min([len(loss), *ends])
        return cls(_numbers(loss[:end]), _numbers(val[:end]), is_broken=bool(ends))

    @property
    def judged(self) -> list[float]:
        """Return the validation loss if there is one, else the training loss."""
        return self.val_loss or self.loss

    @property
    def num_epochs(self) -> int:
        """Return the number of epochs whose loss is a number."""
        return len(self.loss)

    @property
    def window(self) -> int:
        """Return how many epochs count as the end: a tenth, at least three."""
        return max(1, min(self.num_epochs // 2, max(3, int(_WINDOW * self.num_epochs))))

    @property
    def best_epoch(self) -> int:
        """Return the epoch of the lowest loss, counted from 1."""
        return self.judged.index(min(self.judged)) + 1

    @property
    def rise(self) -> float:
        """Return how far the loss at the end is above its minimum, as a share."""
        return _share(median(self.judged[-self.window :]) - min(self.judged), self.judged)

    @property
    def fall_since_best(self) -> float:
        """Return how far the training loss fell after the best epoch, as a share."""
        at_best, end = self.loss[self.best_epoch - 1], median(self.loss[-self.window :])
        return (at_best - end) / at_best if at_best > 0 else 0.0

    @property
    def late_gain(self) -> float:
        """Return by what share the loss in the last epochs is below the loss before."""
        return _gain(self.judged, self.window)

    @property
    def late_training_gain(self) -> float:
        """Return `late_gain` for the training loss."""
        return _gain(self.loss, self.window)

    @property
    def drop(self) -> float:
        """Return the share by which the training loss fell since the first epoch."""
        end = median(self.loss[-self.window :])
        return 1 - end / self.loss[0] if self.loss[0] > 0 else 0.0

    @property
    def noise(self) -> float:
        """Return how far an epoch lies from the mean of its neighbours, as a share.

        The value is the median over the second half; it is near 0 for a smooth curve.
        """
        values = self.judged[len(self.judged) // 2 :]
        if len(values) < 5:
            return 0.0
        middles = zip(values, values[1:], values[2:], strict=False)
        off = [abs(b - (a + c) / 2) for a, b, c in middles]
        level = median(values)
        return median(off) / level if level > 0 else 0.0

    @property
    def gap(self) -> float | None:
        """Return how far validation loss exceeds training loss in the best epoch."""
        if not self.val_loss:
            return None
        return _above(min(self.val_loss), self.loss[self.best_epoch - 1])

    @property
    def end_gap(self) -> float | None:
        """Return `gap` for the last epochs."""
        if not self.val_loss:
            return None
        return _above(*(median(v[-self.window :]) for v in (self.val_loss, self.loss)))


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _above(value: float, base: float) -> float | None:
    return value / base - 1 if base > 0 else None


def _share(part: float, values: list[float]) -> float:
    lowest = min(values)
    return part / lowest if lowest > 0 else 0.0


def _gain(values: list[float], window: int) -> float:
    if len(values) < 2 * window:
        return 0.0
    before, end = mean(values[-2 * window : -window]), mean(values[-window:])
    return 1 - end / before if before > 0 else 0.0
