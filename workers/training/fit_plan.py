"""Hold the arguments of a fit, except its rows."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class FitPlan:
    """The arguments of `keras.Model.fit`, with a seed and a time limit.

    Args:
        batch_size: rows of a training step. The last step of an epoch may have fewer.
        epochs: the number of epochs.
        shuffle: whether to shuffle the training rows before each epoch.
        seed: the seed of that shuffle.
        seconds: how long the fit may take. XLA is used only if this leaves enough time.

    """

    batch_size: int
    epochs: int
    shuffle: bool
    seed: int
    seconds: float = math.inf
