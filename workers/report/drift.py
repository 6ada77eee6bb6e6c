"""Find columns that are distributed differently in held-out and training rows."""

import numpy as np
import polars as pl
from scipy import stats

from core.models.scores import Numbers
from core.models.signature import Feature
from fitserve.schemas.report import Trap
from workers.report.evidence import SplitRows

_MOST_ROWS = 10_000
_LEAST_ROWS = 30
_CHANCE = 0.001
"""The chance of one false alarm among all columns of a table (Bonferroni)."""
_LEAST_DISTANCE = 0.1
_MOST_CATEGORIES = 50


def drifts(train: SplitRows, held_out: SplitRows, split: str) -> list[Trap]:
    """Return a trap for each feature that drifts, and for the target if it drifts.

    Numbers are compared by the Kolmogorov-Smirnov test of two samples: the distance is
    the largest difference of the distribution functions. Categories are compared by the
    chi-squared test: the distance is half the sum of the differences of their shares.
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
        _trap(name, split, distance)
        for name, (distance, chance) in zip(names, tested, strict=True)
        if distance >= _LEAST_DISTANCE and chance < limit
    ]


Tested = tuple[float, float]
"""The distance of two distributions, and the p-value that they are the same."""


def _distance(feature: Feature, train: SplitRows, held_out: SplitRows) -> Tested:
    a, b = train.frame[feature.name], held_out.frame[feature.name]
    if feature.is_text:
        return _compare_categories(feature.texts(a), feature.texts(b))
    first, second = feature.numbers(a), feature.numbers(b)
    known = _compare_numbers(first[~np.isnan(first)], second[~np.isnan(second)])
    if not feature.has_missing:
        return known
    is_missing = [pl.Series(np.isnan(c)).cast(pl.String) for c in (first, second)]
    return max(known, _compare_categories(*is_missing))


def _target_distance(train: SplitRows, held_out: SplitRows) -> Tested:
    if train.signature.classes:
        return _compare_categories(
            pl.Series(train.y).cast(pl.String), pl.Series(held_out.y).cast(pl.String)
        )
    return _compare_numbers(train.y, held_out.y)


def _compare_numbers(a: Numbers, b: Numbers) -> Tested:
    if min(len(a), len(b)) < _LEAST_ROWS:
        return 0.0, 1.0
    found = stats.ks_2samp(a, b, method="asymp")
    return float(found.statistic), float(found.pvalue)


def _compare_categories(a: pl.Series, b: pl.Series) -> Tested:
    """Compare the most frequent categories. All other categories count as one."""
    both = pl.concat([a.alias("x"), b.alias("x")])
    frequent = both.value_counts(sort=True)["x"].head(_MOST_CATEGORIES)
    codes = {value: code for code, value in enumerate(frequent.to_list())}
    rare = len(codes)
    counts = np.stack([_counts(cells, codes, rare) for cells in (a, b)])
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    shares = counts / counts.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return distance, float(stats.chi2_contingency(counts).pvalue)


def _counts(cells: pl.Series, codes: dict[str, int], rare: int) -> Numbers:
    coded = cells.replace_strict(codes, default=rare, return_dtype=pl.Int64).to_numpy()
    counts: Numbers = np.bincount(coded, minlength=rare + 1).astype(np.float64)
    return counts


def _trap(name: str, split: str, distance: float) -> Trap:
    return Trap(
        kind="drift",
        sentence=f"the column {name!r} is distributed differently in the {split} rows "
        f"and in the training rows (distance {distance:.2f} of 1), so the network may "
        f"fail on the {split} rows. Check how the rows were split and collected",
        columns=[name],
        numbers={"distance": distance},
    )
