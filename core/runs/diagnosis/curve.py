"""A learning curve, and the numbers that its reading goes by. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

History = Mapping[str, Sequence[float | None]]

_WINDOW = 0.1
"""The share of the epochs that counts as the end of the curve."""


@dataclass(frozen=True)
class Curve:
    """Loss an epoch: on training rows, and on validation rows if there are any.

    Both are cut before the first epoch that is no number.
    """

    loss: list[float]
    val_loss: list[float]
    is_broken: bool
    """Whether an epoch was no number."""

    @classmethod
    def of(cls, history: History) -> "Curve":
        """The curve in Keras's history."""
        loss = list(history.get("loss", []))
        val = list(history.get("val_loss", []))
        ends = [values.index(None) for values in (loss, val) if None in values]
        end = min([len(loss), *ends])
        return cls(_numbers(loss[:end]), _numbers(val[:end]), is_broken=bool(ends))

    @property
    def judged(self) -> list[float]:
        """What tells how good the network is: the validation loss where there is one."""
        return self.val_loss or self.loss

    @property
    def num_epochs(self) -> int:
        """Epochs that were numbers."""
        return len(self.loss)

    @property
    def window(self) -> int:
        """Epochs that count as the end: a tenth of them, three at least."""
        return max(1, min(self.num_epochs // 2, max(3, int(_WINDOW * self.num_epochs))))

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest loss, counted from 1."""
        return self.judged.index(min(self.judged)) + 1

    @property
    def rise(self) -> float:
        """How far the loss is above its lowest at the end, as a share of that."""
        return _share(median(self.judged[-self.window :]) - min(self.judged), self.judged)

    @property
    def fall_since_best(self) -> float:
        """How far the training loss fell behind the best epoch, as a share."""
        at_best, end = self.loss[self.best_epoch - 1], median(self.loss[-self.window :])
        return (at_best - end) / at_best if at_best > 0 else 0.0

    @property
    def late_gain(self) -> float:
        """How much lower the loss of the last epochs is than of those before, a share."""
        return _gain(self.judged, self.window)

    @property
    def late_training_gain(self) -> float:
        """The same of the training loss."""
        return _gain(self.loss, self.window)

    @property
    def drop(self) -> float:
        """How much of the first epoch's training loss is gone."""
        end = median(self.loss[-self.window :])
        return 1 - end / self.loss[0] if self.loss[0] > 0 else 0.0

    @property
    def noise(self) -> float:
        """How far an epoch lies from the middle of its neighbours, as a share.

        The median over the second half; a curve that bends smoothly has next to none.
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
        """How much higher the validation loss is than the training loss, at the best."""
        if not self.val_loss:
            return None
        return _above(min(self.val_loss), self.loss[self.best_epoch - 1])

    @property
    def end_gap(self) -> float | None:
        """The same in the last epochs."""
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
