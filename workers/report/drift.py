"""Columns whose held-out cells are not distributed as the training cells are."""

import numpy as np
import polars as pl
from scipy import stats

from core.models.scores import Numbers
from core.models.signature import Feature
from fitserve.schemas.report import Trap
from workers.report.evidence import Rows

_MOST_ROWS = 10_000
_LEAST_ROWS = 30
_CHANCE = 0.001
"""Of one false alarm among all the columns of a table (Bonferroni)."""
_LEAST_DISTANCE = 0.1
_MOST_CATEGORIES = 50


def drifts(train: Rows, held_out: Rows, side: str) -> list[Trap]:
    """A trap for each column with another distribution, the target among them.

    Numbers by the Kolmogorov-Smirnov test of two samples, categories by the chi-squared
    test; the distance is the largest difference of the distribution functions, or half
    the sum of the differences of the shares. A chance of 0.001 over all columns.
    """
    train, held_out = train.head(_MOST_ROWS), held_out.head(_MOST_ROWS)
    if min(train.frame.height, held_out.frame.height) < _LEAST_ROWS:
        return []
    signature = train.signature
    names = [feature.name for feature in signature.features]
    tested = [_distance(f, train, held_out) for f in signature.features]
    names.append(signature.target)
    tested.append(_target_distance(train, held_out))
    limit = _CHANCE / len(names)
    return [
        _trap(name, side, distance)
        for name, (distance, chance) in zip(names, tested, strict=True)
        if distance >= _LEAST_DISTANCE and chance < limit
    ]


Tested = tuple[float, float]
"""Distance of two distributions, and the chance of one so large if they are the same."""


def _distance(feature: Feature, train: Rows, held_out: Rows) -> Tested:
    a, b = train.frame[feature.name], held_out.frame[feature.name]
    if feature.is_text:
        return _of_categories(feature.texts(a), feature.texts(b))
    first, second = feature.numbers(a), feature.numbers(b)
    known = _of_numbers(first[~np.isnan(first)], second[~np.isnan(second)])
    if not feature.has_missing:
        return known
    lacking = [pl.Series(np.isnan(c)).cast(pl.String) for c in (first, second)]
    return max(known, _of_categories(*lacking))


def _target_distance(train: Rows, held_out: Rows) -> Tested:
    if train.signature.classes:
        return _of_categories(
            pl.Series(train.y).cast(pl.String), pl.Series(held_out.y).cast(pl.String)
        )
    return _of_numbers(train.y, held_out.y)


def _of_numbers(a: Numbers, b: Numbers) -> Tested:
    if min(len(a), len(b)) < _LEAST_ROWS:
        return 0.0, 1.0
    found = stats.ks_2samp(a, b, method="asymp")
    return float(found.statistic), float(found.pvalue)


def _of_categories(a: pl.Series, b: pl.Series) -> Tested:
    """By the most frequent categories; what is rare counts as one."""
    both = pl.concat([a.alias("x"), b.alias("x")])
    frequent = both.value_counts(sort=True)["x"].head(_MOST_CATEGORIES)
    places = {value: place for place, value in enumerate(frequent.to_list())}
    rare = len(places)
    counts = np.stack([_counts(cells, places, rare) for cells in (a, b)])
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    shares = counts / counts.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return distance, float(stats.chi2_contingency(counts).pvalue)


def _counts(cells: pl.Series, places: dict[str, int], rare: int) -> Numbers:
    codes = cells.replace_strict(places, default=rare, return_dtype=pl.Int64).to_numpy()
    counts: Numbers = np.bincount(codes, minlength=rare + 1).astype(np.float64)
    return counts


def _trap(name: str, side: str, distance: float) -> Trap:
    return Trap(
        kind="drift",
        sentence=f"the column {name!r} is distributed otherwise in the {side} rows than "
        f"in the training rows (distance {distance:.2f} of 1): what was learned on these "
        "may not hold on those",
        columns=[name],
        numbers={"distance": distance},
    )
