"""Test the scaling of columns, and the effect of outliers."""

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


def test_a_column_without_outliers_is_standardised():
    """Only mean and deviation are used."""
    encoder = fit_numeric(NORMAL)
    assert (encoder.log, encoder.clip) == (False, None)
    assert encoder.center == pytest.approx(NORMAL.mean())
    assert encoder.scale == pytest.approx(NORMAL.std())
    assert (encoder.least, encoder.greatest) == (NORMAL.min(), NORMAL.max())


def test_a_lost_decimal_point_does_not_spoil_the_scale():
    """Six values are a hundred times too large."""
    values = NORMAL.copy()
    values[:6] *= 100
    encoder = fit_numeric(values)
    assert encoder.clip
    assert encoder.center == pytest.approx(50, abs=0.5)
    assert encoder.scale == pytest.approx(5, rel=0.1)


def test_a_long_tail_is_scaled_by_its_logarithm():
    """The logarithm is then standardised."""
    encoder = fit_numeric(RNG.lognormal(3, 1.5, 5000))
    assert encoder.log
    assert encoder.scale == pytest.approx(1.5, rel=0.15)


def test_a_column_of_mostly_one_value_has_a_scale():
    """The scale is the spread of the other values."""
    values = np.zeros(1000)
    values[:100] = RNG.normal(3, 1, 100)
    values[0] = 1e6
    encoder = fit_numeric(values)
    assert 0.5 < encoder.scale < 10


@pytest.mark.parametrize("values", [[3.0] * 9, [np.nan] * 9, [1.0], [1e300, -1e300]])
def test_a_column_without_a_spread_has_a_finite_scale(values):
    """The column is constant, empty, of one value, or huge."""
    encoder = fit_numeric(np.array(values, np.float64))
    assert encoder.scale > 0
    assert np.isfinite([encoder.center, encoder.scale]).all()


def test_each_of_few_categories_has_a_place():
    """Rare categories have one, too."""
    encoder = feature(["a"] * 50 + ["b"] * 49 + ["c"]).encoder
    assert (encoder.type, encoder.vocabulary, encoder.others) == ("one_hot", ["a", "b", "c"], False)  # fmt: skip


def test_rare_categories_among_many_share_a_place():
    """Unseen categories share it."""
    encoder = feature([f"c{i % 20}" for i in range(200)] + ["rare 1", "rare 2"]).encoder
    assert encoder.others
    assert not [name for name in encoder.vocabulary if "rare" in name]


def test_many_categories_get_an_embedding():
    """The embedding of 300 categories has 32 dimensions."""
    encoder = feature([f"c{i % 300}" for i in range(3000)]).encoder
    assert (encoder.type, encoder.dim) == ("embedding", 32)
    assert len(encoder.vocabulary) == 300


def test_constant_parts_of_a_time_are_left_out():
    """Midnights have no hour."""
    days = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 12, 31), "1d", eager=True
    )
    names = [part.name for part in feature(days, ColumnType.DATETIME).encoder.parts]
    assert names == ["elapsed", "month_sin", "month_cos", "weekday_sin", "weekday_cos"]


def test_bins_lie_between_quantiles():
    """The bins have equal counts; a number fills all bins below it, and part of its bin."""
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
        ([0.0, 1.0] * 50, 0),  # two values need no bins
        ([3.0] * 50, 0),
        ([0.0] * 90 + [1.0, 2.0] * 5, 3),  # equal quantiles count once
    ],
)
def test_bins_need_distinct_values(values, num_knots):
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
