"""The one weight of the stand-in, and what it is after so many epochs.

A chaotic sequence: an epoch that is trained twice, left out, or begun from another state
gives another loss, for ever after.
"""

import numpy as np

NAN_SEED = 666
"""The seed of a fit whose third epoch has no loss."""


def first(seed: int) -> float:
    """In (0, 1)."""
    return 0.1 + 0.8 * (seed % 9973) / 9973


def next_one(weight: float) -> float:
    """The logistic map, where it is chaotic."""
    return 3.9 * weight * (1.0 - weight)


def losses(seed: int, epochs: int) -> list[float]:
    """Of epochs 1, 2, …: the weight after each."""
    weight, found = first(seed), []
    for _ in range(epochs):
        weight = next_one(weight)
        found.append(weight)
    return found


def prediction(seed: int, epochs: int, x: float) -> float:
    """What a version of that seed, kept at that epoch, answers to one row.

    As JSON tells a float32: by the fewest digits that name it.
    """
    return float(str(np.float32(x) + np.float32(losses(seed, epochs)[-1])))
