"""One row to show: the cells that training kept of one of its rows, or likely ones."""

from datetime import UTC, datetime, timedelta

from core.datasets.cells import NULLS, completed, parse_datetime
from core.models.formulas import DAY
from core.models.signature import (
    DatetimeEncoder,
    EmbeddingEncoder,
    Feature,
    NumericEncoder,
    OneHotEncoder,
    Signature,
)
from fitserve.schemas.predict import Cell
from fitserve.statuses import ColumnType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_EXACT = 2**53


def example_row(signature: Signature) -> dict[str, Cell]:
    """An instance like the training rows, by column."""
    return {feature.name: _example(feature, signature) for feature in signature.features}


def _example(feature: Feature, signature: Signature) -> Cell:
    # a null that training kept is a cell too; versions from before kept nothing
    if "example" in feature.model_fields_set:
        return feature.example
    return likely_cell(feature, signature)


def categories(feature: Feature, signature: Signature) -> list[str]:
    """The texts that the encoder knows, without those that mean "missing"."""
    if not isinstance(feature.encoder, OneHotEncoder | EmbeddingEncoder):
        return []
    own = signature.null_values
    nulls = {*NULLS} if own is None else {"", *own}
    return [text for text in feature.encoder.vocabulary if text not in nulls]


def likely_cell(feature: Feature, signature: Signature) -> Cell:
    """The middle of the training rows, or the first category."""
    encoder = feature.encoder
    if isinstance(encoder, NumericEncoder):
        return number_cell(_middle(encoder), feature)
    if isinstance(encoder, DatetimeEncoder):
        days = [part.center for part in encoder.parts if part.name == "elapsed"]
        return number_cell(round(sum(days)) * DAY, feature)
    return next(iter(categories(feature, signature)), None)


def _middle(encoder: NumericEncoder) -> float:
    if encoder.least is None or encoder.greatest is None:
        return encoder.center or encoder.fill  # unscaled ones are filled with the mean
    return encoder.least / 2 + encoder.greatest / 2


def number_cell(value: float, feature: Feature) -> Cell:
    """A number, boolean or moment (seconds since 1970) as a client sends it."""
    match feature.type:
        case ColumnType.BOOLEAN:
            return value > 0
        case ColumnType.DATETIME:
            return _written(value, feature.format.datetime)
    return plain(value)


def plain(value: float) -> float:
    """A whole number without its point."""
    is_whole = float(value).is_integer() and abs(value) <= _LARGEST_EXACT
    return int(value) if is_whole else value


def _written(seconds: float, pattern: str | None) -> str:
    """The moment in the column's own way if that can be read back, else ISO 8601."""
    moment = _EPOCH + timedelta(seconds=seconds)
    if pattern is not None:
        start, whole = completed(pattern)
        text = moment.strftime(whole)[len(start) :]
        if parse_datetime(text, pattern) == seconds:
            return text
    return moment.isoformat()
