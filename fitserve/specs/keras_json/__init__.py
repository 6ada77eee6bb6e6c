"""Translate the JSON of a Keras model to layers of the closed spec.

Keras does not load the JSON, because a config can make Keras run any code. A module,
class, key or value that is not on a list in this package is refused.
"""

from fitserve.specs.keras_json.faults import Fault, Refused
from fitserve.specs.keras_json.translate import Translated, translate

__all__ = ["Fault", "Refused", "Translated", "translate"]
