"""Hints for Keras layers whose work fitserve does before the network."""

_SCALED = "leave it out: inputs are standardised already, by `features.standardize`"
_ENCODED = "leave it out: categories are encoded already, in the columns of `features`"
_BINNED = "leave it out: numeric columns are divided into bins by `features.num_bins`"
_FLAT = "leave it out: a row is one list of numbers already, in the order of `features`"

UNNEEDED_LAYERS: dict[str, str] = {
    **dict.fromkeys(("Normalization", "Rescaling"), _SCALED),
    **dict.fromkeys(
        ("StringLookup", "IntegerLookup", "CategoryEncoding", "Hashing", "Embedding"),
        _ENCODED,
    ),
    "Discretization": _BINNED,
    **dict.fromkeys(("Flatten", "Reshape"), _FLAT),
}
"""The hint of each layer, by the name of its Keras class."""
