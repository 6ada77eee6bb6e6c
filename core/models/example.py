"""Build the example row of a version from a training row, or from likely cells."""

from core.columns.cells import null_words, own_or
from core.models.formulas import DAY
from core.models.signature import DatetimeEncoder, Feature, NumericEncoder, Signature
from fitserve.schemas.predict import Cell


def example_row(signature: Signature) -> dict[str, Cell]:
    """Return an instance like the training rows, by column."""
    return {feature.name: _example(feature, signature) for feature in signature.features}


def _example(feature: Feature, signature: Signature) -> Cell:
    # the stored cell may be null; earlier releases stored no cell
    if "example" in feature.model_fields_set:
        return feature.example
    return likely_cell(feature, signature)


def categories(feature: Feature, signature: Signature) -> list[str]:
    """Return the encoder's categories, without the texts that mean "missing"."""
    nulls = set(null_words(own_or(signature.null_values, feature.format)))
    return [text for text in feature.vocabulary if text not in nulls]


def likely_cell(feature: Feature, signature: Signature) -> Cell:
    """Return the middle of the training values, or the first category."""
    encoder = feature.encoder
    if isinstance(encoder, NumericEncoder):
        return feature.kind.example(_middle(encoder), feature.format)
    if isinstance(encoder, DatetimeEncoder):
        days = [part.center for part in encoder.parts if part.name == "elapsed"]
        return feature.kind.example(round(sum(days)) * DAY, feature.format)
    return next(iter(categories(feature, signature)), None)


def _middle(encoder: NumericEncoder) -> float:
    if encoder.least is None or encoder.greatest is None:
        return encoder.center or encoder.fill  # an unscaled column has its mean in `fill`
    return encoder.least / 2 + encoder.greatest / 2
