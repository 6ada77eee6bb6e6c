"""The JSON of a Keras model as layers of the closed spec.

Pure Python over parsed JSON: Keras never reads it, for Keras can be made to run what a
config names. Every (module, class, key, value) is on a list here, or is refused.
"""

from fitserve.specs.keras_json.faults import Fault, Refused
from fitserve.specs.keras_json.translate import Translated, translate

__all__ = ["Fault", "Refused", "Translated", "translate"]
