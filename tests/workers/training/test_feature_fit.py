"""How a column is scaled, and what ruins it."""

import numpy as np
import polars as pl
import pytest

from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from workers.training.feature_fit import fit_feature, fit_numeric

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(50, 5, 2000)


def feature(values, kind=ColumnType.CATEGORICAL):
    return fit_feature("a", kind, ColumnFormat(), pl.Series(values), standardize=True)


def test_a_column_without_far_values_is_standardised_plainly():
    """Mean, deviation, nothing else."""
    encoder = fit_numeric(NORMAL)
    assert (encoder.log, encoder.clip) == (False, None)
    assert encoder.center == pytest.approx(NORMAL.mean())
    assert encoder.scale == pytest.approx(NORMAL.std())
    assert (encoder.least, encoder.greatest) == (NORMAL.min(), NORMAL.max())


def test_a_lost_decimal_point_does_not_ruin_a_column():
    """Six rows a hundred times too large: the others keep their scale."""
    values = NORMAL.copy()
    values[:6] *= 100
    encoder = fit_numeric(values)
    assert encoder.clip
    assert encoder.center == pytest.approx(50, abs=0.5)
    assert encoder.scale == pytest.approx(5, rel=0.1)


def test_a_long_tail_is_seen_through_a_logarithm():
    """And then standardised."""
    encoder = fit_numeric(RNG.lognormal(3, 1.5, 5000))
    assert encoder.log
    assert encoder.scale == pytest.approx(1.5, rel=0.15)


def test_a_column_of_mostly_one_value_has_a_scale():
    """The spread of the others."""
    values = np.zeros(1000)
    values[:100] = RNG.normal(3, 1, 100)
    values[0] = 1e6
    encoder = fit_numeric(values)
    assert 0.5 < encoder.scale < 10


@pytest.mark.parametrize("values", [[3.0] * 9, [np.nan] * 9, [1.0], [1e300, -1e300]])
def test_nothing_to_scale_by_is_no_division_by_zero(values):
    """Constant, empty, alone, huge."""
    encoder = fit_numeric(np.array(values, np.float64))
    assert encoder.scale > 0
    assert np.isfinite([encoder.center, encoder.scale]).all()


def test_few_categories_get_a_place_each():
    """However rare they are."""
    encoder = feature(["a"] * 50 + ["b"] * 49 + ["c"]).encoder
    assert (encoder.type, encoder.vocabulary, encoder.others) == ("one_hot", ["a", "b", "c"], False)  # fmt: skip


def test_rare_ones_among_many_share_a_place():
    """Which the unseen get too."""
    encoder = feature([f"c{i % 20}" for i in range(200)] + ["rare 1", "rare 2"]).encoder
    assert encoder.others
    assert not [name for name in encoder.vocabulary if "rare" in name]


def test_many_categories_get_an_embedding():
    """Of a width that grows slowly."""
    encoder = feature([f"c{i % 300}" for i in range(3000)]).encoder
    assert (encoder.type, encoder.dim) == ("embedding", 32)
    assert len(encoder.vocabulary) == 300


def test_parts_of_moments_that_never_change_are_left_out():
    """Days at midnight have no hour."""
    days = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 12, 31), "1d", eager=True
    )
    names = [part.name for part in feature(days, ColumnType.DATETIME).encoder.parts]
    assert names == ["elapsed", "month_sin", "month_cos", "weekday_sin", "weekday_cos"]


def test_pieces_lie_between_quantiles():
    """Four of equal counts; a number is 1 in the pieces below it, and partly in its own."""
    values = RNG.exponential(size=1000)
    encoder = fit_numeric(values, num_bins=4)
    in_units = np.array(encoder.knots) * encoder.scale + encoder.center
    np.testing.assert_allclose(in_units, np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    middle = (in_units[2] + in_units[3]) / 2
    column = [middle, None, -1e6, 1e6]
    coded = encoded_column(column, encoder)
    np.testing.assert_allclose(coded[0, 1:], [1, 1, 0.5, 0], atol=1e-6)
    np.testing.assert_allclose(coded[1], [0, 0, 0, 0, 0])
    np.testing.assert_allclose(coded[2:, 1:], [[0] * 4, [1] * 4])


@pytest.mark.parametrize(
    ("values", "num_knots"),
    [
        ([0.0, 1.0] * 50, 0),  # two values are seen as well without
        ([3.0] * 50, 0),
        ([0.0] * 90 + [1.0, 2.0] * 5, 3),  # quantiles that coincide count once
    ],
)
def test_pieces_need_values_to_lie_between(values, num_knots):
    assert len(fit_numeric(np.array(values), num_bins=16).knots) == num_knots


def encoded_column(cells, encoder):
    from core.models.signature import Feature, Signature
    from workers.training.feature_transform import encode

    feature = Feature(name="a", type="numeric", encoder=encoder)
    signature = Signature(
        model_name="m", task="regression", target="y", classes=None,
        features=[feature], ignored=[],
    )  # fmt: skip
    assert len(signature.inputs) == signature.num_encoded
    return encode(signature, pl.DataFrame({"a": pl.Series(cells, dtype=pl.Float64)}))
