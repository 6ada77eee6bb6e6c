"""Compute the only weight of the stand-in after so many epochs.

The sequence is chaotic: if an epoch is trained twice, left out, or started from another
state, all later losses differ.
"""

import numpy as np

NAN_SEED = 666
"""The seed of a fit whose third epoch has no loss."""


def first(seed: int) -> float:
    """Return the initial weight, between 0 and 1."""
    return 0.1 + 0.8 * (seed % 9973) / 9973


def next_one(weight: float) -> float:
    """Return the next weight by the logistic map, in its chaotic range."""
    return 3.9 * weight * (1.0 - weight)


def losses(seed: int, epochs: int) -> list[float]:
    """Return the losses of epochs 1, 2, …, which are the weights after each epoch."""
    weight, found = first(seed), []
    for _ in range(epochs):
        weight = next_one(weight)
        found.append(weight)
    return found


def prediction(seed: int, epochs: int, x: float) -> float:
    """Return the prediction for one row of a version with that seed and kept epoch.

    The result is a float32 in the shortest decimal form, as in JSON.
    """
    return float(str(np.float32(x) + np.float32(losses(seed, epochs)[-1])))
